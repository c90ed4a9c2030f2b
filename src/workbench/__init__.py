"""The notebook vocabulary of the register workbench: `import workbench as wb`.

Names are fetched from their rooms when they are first used, so that importing one room, or asking
the command line for help, does not load every library of the house.
"""

from importlib import import_module
from typing import Any

_ROOMS = {
    "codes_never_seen": "workbench.analysis.quality",
    "conditional_survival": "workbench.analysis.survival",
    "cox": "workbench.analysis.regression",
    "cumulative_incidence": "workbench.analysis.competing",
    "describe_quality": "workbench.analysis.quality",
    "draw_caterpillar": "workbench.output.figures",
    "draw_flow": "workbench.output.figures",
    "draw_forest": "workbench.output.figures",
    "draw_funnel": "workbench.output.figures",
    "draw_incidence": "workbench.output.figures",
    "draw_levels": "workbench.output.figures",
    "draw_log_log": "workbench.output.figures",
    "draw_matrix": "workbench.output.figures",
    "draw_missing": "workbench.output.figures",
    "draw_net_survival": "workbench.output.figures",
    "draw_standardised_differences": "workbench.output.figures",
    "draw_survival": "workbench.output.figures",
    "draw_trends": "workbench.output.figures",
    "draw_type_bars": "workbench.output.figures",
    "explore": "workbench.output.explorer.view",
    "fine_gray": "workbench.analysis.competing",
    "gray_test": "workbench.analysis.competing",
    "kaplan_meier": "workbench.analysis.survival",
    "landmark": "workbench.analysis.survival",
    "linear": "workbench.analysis.regression",
    "logistic": "workbench.analysis.regression",
    "logrank": "workbench.analysis.survival",
    "nelson_aalen": "workbench.analysis.survival",
    "net_survival": "workbench.analysis.relative",
    "number_at_risk": "workbench.analysis.survival",
    "open_study": "workbench.runner.sessions.session",
    "pairwise_logrank": "workbench.analysis.survival",
    "person_time": "workbench.analysis.rates",
    "poisson": "workbench.analysis.regression",
    "quantiles": "workbench.analysis.survival",
    "release": "workbench.output.disclosure",
    "release_at_times": "workbench.output.disclosure",
    "release_quantiles": "workbench.output.disclosure",
    "release_reading": "workbench.output.disclosure",
    "release_restricted_mean": "workbench.output.disclosure",
    "restricted_mean": "workbench.analysis.survival",
    "standardised_ratio": "workbench.analysis.rates",
    "start_stop_rows": "workbench.analysis.time_varying",
    "table_one": "workbench.analysis.description",
}
__all__ = sorted(_ROOMS)


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"workbench has no {name!r}; it has {', '.join(__all__)}.")
    return getattr(import_module(_ROOMS[name]), name)


def __dir__() -> list[str]:
    return __all__
