"""Whether the code lists of a study are seen in the data at all.

A covariate whose codes are never seen is zero for everybody, and looks like a result.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from workbench.analysis.cohort.linkage import Sources
from workbench.analysis.row_tests import has_code
from workbench.errors import DataError
from workbench.registers.codes import CodeList
from workbench.study import CodeChoice, Covariate, LinkedEvent, Study


def code_checks(
    study: Study, sources: Sources, code_lists: Mapping[str, CodeList]
) -> dict[str, int]:
    """Choices of codes that no row of their table has: what to know -> 0 rows.

    Raises `DataError` when those are the codes of the outcome.
    """
    unseen = {}
    for table_name, choice in coded_choices(study):
        code_list = code_lists[choice.list_name]
        rows, table = sources.unlinked(table_name), sources.table(table_name)
        seen = rows.filter(has_code(rows, choice, table, code_list)).limit(1)
        if int(seen.count().execute()):
            continue
        what = ", ".join(choice.groups) or choice.list_name
        where = f"{table_name} ({', '.join(choice.variables)})"
        event = study.follow_up.event_in
        if event is not None and event.codes == choice and event.link == table_name:
            raise DataError(
                f"follow_up.event_in: no row of {where} has a code of {what}, so that nobody could "
                "have the outcome. Check the code list, and which variables hold the codes."
            )
        unseen[f"rows of {where} with a code of {what}"] = 0
    return unseen


def coded_choices(study: Study) -> Iterator[tuple[str, CodeChoice]]:
    """Every choice of codes with the table it is looked for in."""
    for condition in (*study.cohort.include, *study.cohort.exclude):
        if condition.codes:
            yield study.main_table, condition.codes
    places: tuple[Covariate | LinkedEvent, ...] = (*study.variables.values(), *study.events)
    for place in places:
        if place.link and place.codes:
            yield place.link, place.codes
