"""Who is at risk at which time, as places in one line of times.

Times of one stratum follow those of the other, so that a stratum is only another way of entering
late: everyone is at risk from the place of the first time after entry to the place of the exit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.analysis.inputs import FollowUp

# times in whole units are numbered by counting when their range is at most this
WIDEST_COUNT = 4_000_000


@dataclass(frozen=True, eq=False)
class RiskSets:
    """Persons (n) and times (T), and the events (E) and event times (M) among them.

    `exit`, `start`: per person, place of the exit and of the first time at risk (None: at risk
    from the first time of all). `at_risk`, `died`: what a person adds to the risk set and to the
    events, that is 1 (or the weight) and 0 or 1 (or the weight). `time`, `layer`: per place.
    `places`: those with events (M); `n_events`: persons with the event there; `mean_weight`: mean
    weight of these. `of_event`, `share`: per event, its number among the event times and how much
    of the tied events is taken out of the risk set (Efron: 0, 1/d, 2/d ...; Breslow: 0); None
    where nothing is taken out.
    """

    exit: np.ndarray
    start: np.ndarray | None
    at_risk: np.ndarray | None
    died: np.ndarray
    time: np.ndarray
    layer: np.ndarray
    places: np.ndarray
    n_events: np.ndarray
    mean_weight: np.ndarray
    of_event: np.ndarray | None
    share: np.ndarray | None

    @property
    def n_places(self) -> int:
        """How many different times there are, counted in each stratum."""
        return len(self.time)

    @property
    def first(self) -> np.ndarray:
        """Per event time, the place of its first event in `of_event`."""
        return np.cumsum(self.n_events) - self.n_events

    def running(self, at_events: np.ndarray) -> np.ndarray:
        """Sums over the event times up to each place, with a leading 0 (T + 1 rows)."""
        jumps = np.zeros((self.n_places + 1, *at_events.shape[1:]))
        jumps[self.places + 1] = at_events
        return np.cumsum(jumps, axis=0)

    def at_events(self, values: np.ndarray) -> np.ndarray:
        """Per person, the values of the event time of the exit; 0 at a time without events."""
        spread = np.zeros((self.n_places, *values.shape[1:]))
        spread[self.places] = values
        return spread[self.exit]

    def over_follow_up(self, running: np.ndarray) -> np.ndarray:
        """Per person, how much `running` (see there) grows from the start to the exit."""
        grown = running[self.exit + 1]
        return grown if self.start is None else grown - running[self.start]


def risk_sets(
    follow_up: FollowUp, layer: np.ndarray, *, ties: str, persons: np.ndarray | None = None
) -> RiskSets:
    """Put follow-up in line.

    Parameters
    ----------
    follow_up
        Checked follow-up of n rows; its `weight` is a case weight.
    layer
        Stratum of each row, 0, 1, 2 ...
    ties
        "efron" or "breslow".
    persons
        For rows that are already counted: persons behind each row, all leaving as the row says.
    """
    exit_place, time, layers = _places(follow_up.time, layer)
    start = None
    if follow_up.entry is not None:
        start = _first_after(follow_up.entry, layer, time, layers)
    elif layers[-1] > 0:
        start = np.searchsorted(layers, layer)
    event = follow_up.event
    counted = event.astype(np.int64) if persons is None else np.where(event, persons, 0)
    n_events = np.bincount(exit_place, weights=counted, minlength=len(time)).astype(np.int64)
    places = np.flatnonzero(n_events)
    n_events = n_events[places]
    weight = follow_up.weight
    at_risk, died, mean_weight = persons, counted.astype(float), np.ones(len(places))
    if weight is not None:
        at_risk = weight if persons is None else weight * persons
        died = died * weight
        sums = np.bincount(exit_place, weights=died, minlength=len(time))[places]
        mean_weight = sums / n_events
    of_event = share = None
    if ties == "efron" and n_events.max(initial=0) > 1:
        of_event = np.repeat(np.arange(len(places)), n_events)
        rank = np.arange(len(of_event)) - np.repeat(np.cumsum(n_events) - n_events, n_events)
        share = rank / n_events[of_event]
    return RiskSets(
        exit=exit_place,
        start=start,
        at_risk=None if at_risk is None else np.asarray(at_risk, dtype=float),
        died=died,
        time=time,
        layer=layers,
        places=places,
        n_events=n_events,
        mean_weight=mean_weight,
        of_event=of_event,
        share=share,
    )


def _places(time: np.ndarray, layer: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Place of each row among the different (layer, time), and the time and layer of the places."""
    n_layers = int(layer.max()) + 1
    if time.dtype.kind == "i" and n_layers * (int(time.max()) + 1) <= WIDEST_COUNT:
        width = int(time.max()) + 1
        key = time if n_layers == 1 else layer * width + time
        found = np.flatnonzero(np.bincount(key, minlength=n_layers * width))
        lookup = np.zeros(n_layers * width, dtype=np.int64)
        lookup[found] = np.arange(len(found))
        return lookup[key], (found % width).astype(float), found // width
    values, code = np.unique(time, return_inverse=True)
    if n_layers == 1:
        return code, values.astype(float), np.zeros(len(values), dtype=np.int64)
    keys, place = np.unique(layer * len(values) + code, return_inverse=True)
    return place, values[keys % len(values)].astype(float), keys // len(values)


def _first_after(
    entry: np.ndarray, layer: np.ndarray, time: np.ndarray, layers: np.ndarray
) -> np.ndarray:
    values = np.unique(time)
    width = len(values) + 1
    key = layers * width + np.searchsorted(values, time)
    return np.searchsorted(key, layer * width + np.searchsorted(values, entry, side="right"))
