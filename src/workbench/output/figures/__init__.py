"""Figures of released results: each `draw_...` takes what `release` gave, gives a `Released`."""

from workbench.output.figures.comparison_figures import (
    UnitCaption,
    draw_arrivals,
    draw_caterpillar,
    draw_charts,
    draw_funnel,
    draw_indicators,
    draw_scores,
    draw_type_bars,
)
from workbench.output.figures.drawing import (
    Caption,
    draw_flow,
    draw_forest,
    draw_incidence,
    draw_log_log,
    draw_missing,
    draw_net_survival,
    draw_standardised_differences,
    draw_survival,
    seal_drawing,
)
from workbench.output.figures.tile_map import draw_tile_map
from workbench.output.figures.unit_figures import draw_levels, draw_matrix, draw_trends

__all__ = [
    "Caption",
    "UnitCaption",
    "draw_arrivals",
    "draw_caterpillar",
    "draw_charts",
    "draw_flow",
    "draw_forest",
    "draw_funnel",
    "draw_incidence",
    "draw_indicators",
    "draw_levels",
    "draw_log_log",
    "draw_matrix",
    "draw_missing",
    "draw_net_survival",
    "draw_scores",
    "draw_standardised_differences",
    "draw_survival",
    "draw_tile_map",
    "draw_trends",
    "draw_type_bars",
    "seal_drawing",
]
