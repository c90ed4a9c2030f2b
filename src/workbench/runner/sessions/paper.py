"""What a run's own files say for a paper, while it is being made."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.data.store import Store
from workbench.output.formats.report import Section
from workbench.output.reporting import PaperFacts, facts_of_run
from workbench.registers.profiles import ReleaseProfile
from workbench.runner.inputs import reference_inputs, table_inputs
from workbench.runner.manifest import environment
from workbench.runner.task import Task
from workbench.study import Definitions


def paper_facts(
    task: Task, store: Store, definitions: Definitions, profile: ReleaseProfile,
    sections: Sequence[Section],
) -> PaperFacts:  # fmt: skip
    """Study, inputs and what is in the report so far, as sentences for a paper."""
    inputs = {
        "tables": {name: table_inputs(store.version(name)) for name in task.versions},
        **reference_inputs(definitions),
        "release_profile": profile.model_dump(mode="json"),
        "environment": environment(),
    }
    shown = [one.released for one in sections]
    released = [*shown, *(source for one in shown for source in one.sources)]
    return facts_of_run(
        task.study,
        inputs=inputs,
        ledger=next((one for one in released if one.kind == "ledger"), None),
        kinds=[one.kind for one in released],
        methods=[one.method for one in sections],
        run=task.key,
    )
