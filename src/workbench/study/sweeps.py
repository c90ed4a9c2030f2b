"""A sweep: one study in many variants, as it stands in params/batches/NAME.yaml.

`base` holds for every run. `runs` are named variants, `sweep` has dimensions, and every named run
is made in every combination of the dimensions, in the order of the file. `exclude` takes
combinations out. What a variant sets are keys of the study or parameters of its notebook.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from workbench.errors import StudyError, did_you_mean, gathered
from workbench.registers.documents import Document, parse_document, read_tree_with_lines

MOST_RUNS = 100_000
RUN = "run"  # what named runs are called among the dimensions
APPENDS = "+"  # at the end of a key: add to the list that stands there
Settings = dict[str, Any]


class Limits(Document):
    """What one run may use before it is stopped; without a limit it may use everything."""

    minutes: float | None = Field(default=None, gt=0)
    memory_mb: int | None = Field(default=None, ge=100)  # of the kernel and what it started


class Sweep(Document):
    """One study in many variants."""

    study: str  # its name in params/studies, or its file, counted from the sweep's own
    base: Settings = Field(default_factory=dict)
    runs: dict[str, Settings] = Field(default_factory=dict)
    sweep: dict[str, list[Any] | dict[str, Settings]] = Field(default_factory=dict)
    exclude: tuple[dict[str, str | list[str]], ...] = ()
    limits: Limits = Limits()
    outputs: tuple[str, ...] = ()  # files of the release folder that a run must have made

    @model_validator(mode="after")
    def _hold_together(self) -> Sweep:
        faults = [*_name_faults(self), *_clashes(self), *_exclude_faults(self)]
        if not faults and self.n_combinations > MOST_RUNS:
            faults.append(
                f"the sweep makes {self.n_combinations} runs; at most {MOST_RUNS} are taken. "
                "Divide it."
            )
        if faults:
            raise ValueError("; ".join(faults))
        return self

    @property
    def dimensions(self) -> dict[str, dict[str, Settings]]:
        """What varies: dimension -> label -> what it sets; named runs come first."""
        found = {RUN: self.runs} if self.runs else {}
        for name, values in self.sweep.items():
            if isinstance(values, dict):
                found[name] = values
            else:
                found[name] = {str(value): {name: value} for value in values}
        return found

    @property
    def n_combinations(self) -> int:
        """How many runs there are before any is excluded."""
        return math.prod(len(labels) for labels in self.dimensions.values())


@dataclass(frozen=True)
class Variant:
    """One run of a sweep."""

    name: str  # "women,region=north"; a study that is not varied has no name
    labels: Mapping[str, str]  # dimension -> label
    overrides: Mapping[str, Any]  # keys of the study and parameters -> value


def is_sweep(tree: Mapping[str, Any]) -> bool:
    """Whether a file's content is a sweep; else it is taken for a study."""
    return "study" in tree and "register" not in tree


def load_sweep(path: Path) -> Sweep:
    """Read a sweep file.

    Raises
    ------
    StudyError
        With every fault of the file, each with its line.
    """
    data, lines = read_tree_with_lines(path, error=StudyError)
    return parse_document(data, Sweep, where=str(path), lines=lines, error=StudyError)


def study_of(sweep: Sweep, path: Path) -> Path:
    """The file of the study that a sweep varies.

    Raises
    ------
    StudyError
        When there is none, with the nearest name.
    """
    here = path.parent
    folder = here.parent / "studies"
    for found in (here / sweep.study, folder / f"{sweep.study}.yaml"):
        if found.is_file():
            return found
    near = did_you_mean(sweep.study, (one.stem for one in folder.glob("*.yaml")))
    raise StudyError(f'{path}: study: there is no study "{sweep.study}".{near}')


def variants(sweep: Sweep, study: Mapping[str, Any], *, where: str) -> list[Variant]:
    """Every run of a sweep, in the order of the file.

    Parameters
    ----------
    sweep
        The sweep.
    study
        The content of the study's file: a key that ends with + adds to the list there.
    where
        How errors call the sweep.

    Raises
    ------
    StudyError
        When nothing is left to run, or something is added to what is no list.
    """
    dimensions = sweep.dimensions
    found = []
    for labels in product(*dimensions.values()):
        chosen = dict(zip(dimensions, labels, strict=True))
        if any(_fits(rule, chosen) for rule in sweep.exclude):
            continue
        layers = [sweep.base, *(dimensions[name][label] for name, label in chosen.items())]
        found.append(Variant(_name_of(chosen), chosen, _laid_over(layers, study, where=where)))
    if not found:
        raise StudyError(f"{where}: exclude leaves no run.")
    return found


def overridden(tree: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """A study's content with other values at dotted keys; the content given stays as it is.

    Raises
    ------
    StudyError
        When a key goes through something that has no keys of its own.
    """
    whole = dict(tree)
    for key, value in overrides.items():
        *parents, last = key.split(".")
        here = whole
        for parent in parents:
            inner = here.get(parent)
            if inner is not None and not isinstance(inner, Mapping):
                raise StudyError(f'-p {key}: "{parent}" has no keys of its own.')
            here[parent] = dict(inner or {})
            here = here[parent]
        here[last] = value
    return whole


def _name_of(chosen: Mapping[str, str]) -> str:
    return ",".join(
        label if dimension == RUN else f"{dimension}={label}" for dimension, label in chosen.items()
    )


def _laid_over(
    layers: Sequence[Settings], study: Mapping[str, Any], *, where: str
) -> dict[str, Any]:
    """What all layers set, the later above the earlier; lists that are added to are completed."""
    found: dict[str, Any] = {}
    for key, value in ((key, value) for layer in layers for key, value in layer.items()):
        if not key.endswith(APPENDS):
            found[key] = value
            continue
        plain = key.removesuffix(APPENDS)
        before = found[plain] if plain in found else _standing(study, plain)
        if not isinstance(before, list) or not isinstance(value, list):
            raise StudyError(f"{where}: {key} adds to a list; give a list, and name one.")
        found[plain] = [*before, *value]
    return found


def _standing(study: Mapping[str, Any], key: str) -> Any:
    """What a study file says at a dotted key; a list that is not there is empty."""
    here: Any = study
    for part in key.split("."):
        here = here.get(part) if isinstance(here, Mapping) else None
    return [] if here is None else here


def _fits(rule: Mapping[str, str | list[str]], chosen: Mapping[str, str]) -> bool:
    return all(chosen[name] in _listed(labels) for name, labels in rule.items())


def _listed(labels: str | list[str]) -> list[str]:
    return [labels] if isinstance(labels, str) else labels


def _name_faults(sweep: Sweep) -> Iterator[str]:
    if RUN in sweep.sweep:
        yield f'sweep: "{RUN}" is what named runs are called; choose another word'
    for name, values in sweep.sweep.items():
        if not values:
            yield f"sweep.{name} has no values"
        elif isinstance(values, list):
            if any(isinstance(value, list | dict) for value in values):
                yield f"sweep.{name}: give lists a label each, like {{label: {{{name}: [...]}}}}"
            elif len({str(value) for value in values}) < len(values):
                yield f"sweep.{name} names a value twice"
    for name, labels in sweep.dimensions.items():
        for label in labels:
            if not label or set(label) & set(",=\n"):
                yield f'"{label}" of {name}: a label has no comma, no equals sign and no line end'


def _clashes(sweep: Sweep) -> Iterator[str]:
    """A key that two dimensions set would be decided by their order, which nobody reads."""
    every = [
        {key for settings in labels.values() for key in settings}
        for labels in sweep.dimensions.values()
    ]
    for key in sorted({key for keys in every for key in keys if not key.endswith(APPENDS)}):
        if sum(bool({key, key + APPENDS} & keys) for keys in every) > 1:
            yield f"{key} is set by more than one dimension"


def _exclude_faults(sweep: Sweep) -> Iterator[str]:
    dimensions = sweep.dimensions
    for at, rule in enumerate(sweep.exclude):
        where = f"exclude[{at}]"
        if not rule:
            yield f"{where} names nothing"
        for name, labels in rule.items():
            if name not in dimensions:
                yield f'{where}: nothing here varies "{name}".{did_you_mean(name, dimensions)}'
                continue
            for label in _listed(labels):
                if label not in dimensions[name]:
                    near = did_you_mean(label, dimensions[name])
                    yield f'{where}: {name} has no "{label}".{near}'


def told_together(where: str, faults: Mapping[str, Sequence[str]]) -> StudyError:
    """One error for the faults of a whole plan: each once, with the runs that have it.

    `faults` has for each message the names of the runs.
    """
    lines = []
    for message, names in faults.items():
        others = len(names) - 1
        more = f" and {others} more run{'s' if others > 1 else ''}" if others else ""
        lines.append(f"{names[0]}{more}: {message}")
    return StudyError(gathered(where, lines))
