"""Columns of tables that should not leave: small counts, pseudonyms, identities by their name."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pandas as pd

COUNT = re.compile(
    r"^(n|n_.*|.*_n|events?|at_risk|censored|count|counts|antal|antall|number|persons|patients|"
    r"deaths|dead|cases|observed|missing|total|both|only_.*|reported)$"
)
IDENTITY = re.compile(
    r"^(person|person_?nummer|personnr|pnr|fodsels?nummer|fnr|cpr|cpr_?nr|hetu|henkilotunnus|ssn|"
    r"personal_number|identity_number|patient_?id|person_?id|pseudonym|lopnr|lopnummer|lpnr|loepenr)$"
)
FEWEST_PSEUDONYMS = 5
PSEUDONYM = re.compile(r"^(?=.*[0-9a-f])[0-9a-z]{16,64}$")


def small_counts(table: pd.DataFrame, threshold: int) -> Iterator[tuple[str, int]]:
    """Columns of counts with numbers of 1 to below the threshold, and how many."""
    for name, values in _columns(table):
        if not COUNT.fullmatch(_plain(name)):
            continue
        plain = values.str.replace("[\u00a0\u202f ]", "", regex=True)
        numbers = pd.to_numeric(plain, errors="coerce").dropna()
        if (numbers % 1 != 0).any():  # a share or a mean under a name that counts use too
            continue
        n = int(((numbers > 0) & (numbers < threshold)).sum())
        if n:
            yield name, n


def persons_named(table: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """Columns that name persons, and why it looks so."""
    for name, values in _columns(table):
        known = values.dropna()
        if IDENTITY.fullmatch(_plain(name)) and len(known) and (known != "[c]").any():
            yield name, "is called as one that says who a person is"
            continue
        different = known.unique()
        fits = len(different) >= FEWEST_PSEUDONYMS and all(map(PSEUDONYM.fullmatch, different))
        if fits and len({len(one) for one in different}) == 1 and len(different) > len(known) / 20:
            yield name, "looks like pseudonyms"


def _columns(table: pd.DataFrame) -> Iterator[tuple[str, pd.Series]]:
    for at, name in enumerate(table.columns):
        label = name[-1] if isinstance(name, tuple) else name
        yield str(label), table.iloc[:, at].astype("string")


def _plain(name: str) -> str:
    lowered = name.strip().casefold().replace("ø", "o").replace("ö", "o").replace("å", "a")
    return re.sub(r"[^a-z0-9]+", "_", lowered).strip("_")
