"""The renal register's questionnaire of health, a year after dialysis began.

Behind the answers to RAND-12 stands one number a person, its health: normal with mean

    sum of HEALTH, and standard deviation 1,

from which each item sees as much as LOADING says, beside chance of its own. An item's answers, from
the worst to the best, are cut out of the normal law so that each is as frequent as the others.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from workbench.data.invent.cases import Cases
from workbench.data.invent.chance import Numbers, happens, log_normal_days, logistic, stream
from workbench.data.invent.columns import Column, Dated, Measured, Rows
from workbench.data.invent.days import NEVER, age_at, new_year
from workbench.data.invent.drafts import Draft, Names
from workbench.data.invent.world import World
from workbench.registers.proms import load_prom

FORM = "rand12"
FIRST_YEAR = 2013  # of a start that is asked about
SENT_AFTER = 365  # days
HEALTH = {"ten_years_of_age": -0.15, "diabetes": -0.25, "catheter": -0.20, "unit": 0.5}
LOADING = 0.7  # correlation of each item with health
ANSWERS = {"everybody": 0.85, "ten_years_of_age": -0.15, "health": 0.25, "unit": -1.5}  # log-odds
LEFT_OUT = 0.03  # of the items of a form that came


def questionnaire_draft(world: World, names: Names, cases: Cases) -> Draft:
    """Who was sent the questionnaire, of the starts in the register, and what came back."""
    chance = stream(world.seed, "renal questionnaires")
    asked = cases.only((cases.day >= new_year(FIRST_YEAR)) & (cases.facts["modality"] != 2))
    sent = asked.day + SENT_AFTER
    is_here = world.endings.is_here(world.moves, asked.person, sent) & (sent <= world.last_day)
    asked, sent = asked.only(is_here), sent[is_here]
    n, effect = len(asked), world.units["nephrology"].effect[asked.facts["unit"]]
    decades = (age_at(sent, world.people.birth[asked.person]) - 65) / 10
    health = _health(asked, decades, effect) + chance.standard_normal(n)
    log_odds = ANSWERS["everybody"] + ANSWERS["ten_years_of_age"] * decades
    log_odds += ANSWERS["health"] * health + ANSWERS["unit"] * effect
    answered = sent + 3 + log_normal_days(chance, 18, 0.8, n)
    came = happens(chance, logistic(log_odds), n)
    came &= world.endings.is_here(world.moves, asked.person, answered)
    came &= answered <= world.last_day
    columns: dict[str, Column] = {
        "personal_number": names.number(asked.person, sent, hyphen=True),
        "sent_date": Dated(sent),
        "answered_date": Dated(np.where(came, answered, NEVER).astype(np.int32)),
        **_answers(chance, health, came),
    }
    return Draft("questionnaires", Rows(asked.person, sent, columns))


def _health(asked: Cases, decades: Numbers, effect: Numbers) -> Numbers:
    facts = asked.facts
    return (
        HEALTH["ten_years_of_age"] * decades
        + HEALTH["diabetes"] * facts["diabetes"]
        + HEALTH["catheter"] * facts["catheter"]
        + HEALTH["unit"] * effect
    )


def _answers(
    chance: np.random.Generator, health: Numbers, came: NDArray[np.bool_]
) -> dict[str, Column]:
    """The number printed at each item's answer; nothing where no form came."""
    found: dict[str, Column] = {}
    for item, points in load_prom(FORM).key_of.items():
        worst_first = np.array(sorted(points, key=lambda answer: points[answer]), dtype=float)
        own = chance.standard_normal(len(health))
        seen = LOADING * health + np.sqrt(1 - LOADING**2) * own
        cuts = stats.norm.ppf(np.arange(1, len(points)) / len(points))
        answer = worst_first[np.searchsorted(cuts, seen)]
        blank = ~came | happens(chance, LEFT_OUT, len(health))
        found[item] = Measured(np.where(blank, np.nan, answer))
    return found


def stated() -> dict[str, object]:
    """The laws of the questionnaire as they are written into the truth."""
    return {
        "form": FORM,
        "sent_after_days": SENT_AFTER,
        "first_year": FIRST_YEAR,
        "health": "standard normal around the sum of health_of; age is (age - 65) / 10",
        "health_of": HEALTH,
        "correlation_of_each_item_with_health": LOADING,
        "log_odds_of_an_answer": ANSWERS,
        "items_left_out": LEFT_OUT,
    }
