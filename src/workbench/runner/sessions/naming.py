"""How units are called in what is released: by their names, or all but one by numbers.

Numbers are dealt once for a study, from every unit its tables know, so that one number is one unit
in every table; anew for each own unit, so that packs laid side by side name nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from zlib import crc32

import numpy as np

from workbench.analysis.count_table import CountTable
from workbench.data.store import Store
from workbench.errors import DisclosureError
from workbench.language import text
from workbench.output.disclosure import Released
from workbench.output.gate.lag_rules import LagTable, NowcastTable
from workbench.output.gate.prom_rules import PromTable
from workbench.study import Definitions, Study

COUNTED = (CountTable, LagTable, NowcastTable, PromTable)
Counted = CountTable | LagTable | NowcastTable | PromTable


@dataclass(frozen=True)
class Naming:
    """The column of units, and what each unit but the own one is called."""

    unit: str
    called: Mapping[str, str]

    def number(self, result: Counted) -> Counted:
        """Counts with the units called by their numbers, in the order of these."""
        if self.unit not in result.by:
            return result
        names = result.table[self.unit].astype(str)
        table = result.table.assign(**{self.unit: names.map(lambda one: self.called.get(one, one))})
        order: dict[str, Any] = {"ignore_index": True, "kind": "stable"}
        return replace(result, table=table.sort_values(list(result.by), **order))

    def check(self, released: Released) -> None:
        """Refuse to publish what still names a unit that should be a number.

        Raises
        ------
        DisclosureError
            A name of a unit stands in a result that is not made of counts by unit.
        """
        for one in (released, *released.sources):
            for column in one.frame.select_dtypes(exclude="number"):
                if set(one.frame[column].dropna().astype(str)) & self.called.keys():
                    raise DisclosureError(
                        f'"{released.title}" names units, and the study asks for numbers '
                        "(units.others: numbered). Leave it out, or make it of counts by unit."
                    )


def naming_of(study: Study, store: Store, definitions: Definitions) -> Naming | None:
    """How a study's units are called; nothing where all go by their names."""
    rules = study.units
    if rules is None or rules.others == "named":
        return None
    names = sorted(set(_names(study, store, definitions)) - {str(rules.own)})
    draw = np.random.default_rng(crc32(f"{study.seed}|{rules.own}".encode()))
    width = len(str(len(names)))
    numbers = (f"{at + 1:0{width}d}" for at in draw.permutation(len(names)))
    called = {
        name: text("Unit {number}", number=one) for name, one in zip(names, numbers, strict=True)
    }
    return Naming(rules.by, called)


def _names(study: Study, store: Store, definitions: Definitions) -> Iterator[str]:
    """Every unit that the study's tables know, as results call it."""
    by = str(study.units.by) if study.units else ""
    source = study.source_of(by) if by in study.variables else by
    for name in dict.fromkeys([*study.named_tables, *definitions.indicator_tables]):
        variable = definitions.tables[name].variables.get(source)
        if variable is None:
            continue
        if variable.codes:
            yield from variable.codes.values()
        else:
            rows = store.rows(name)
            yield from rows.select(source).distinct().execute()[source].dropna().astype(str)
