"""Files of life tables as statistical offices give them: Human Mortality Database, Sweden."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from workbench.errors import DataError

SEXES = {
    "females": "female", "female": "female", "women": "female", "kvinnor": "female",
    "males": "male", "male": "male", "men": "male", "män": "male",
}  # fmt: skip
# a year such as 2019, and nothing longer
A_YEAR = re.compile(r"(?<!\d)(1[789]\d\d|20\d\d)(?!\d)")
RISK = re.compile(r"dödsrisk|probabilit\w+ of d|death risk|risk of d|\bqx\b", re.IGNORECASE)
# names of columns in Swedish and English, in lower case
SCB_COLUMNS = {
    "kön": "sex", "sex": "sex", "ålder": "age", "age": "age", "år": "year", "year": "year",
    "region": "region", "län": "region", "tabellinnehåll": "content", "observations": "content",
    "contents": "content", "variabel": "content",
}  # fmt: skip


def read_hmd(files: Sequence[str | Path]) -> pd.DataFrame:
    """Read files of the Human Mortality Database: sex, year, age, hazard per year.

    `Mx_1x1.txt` holds rates of both sexes; `fltper_1x1.txt` and `mltper_1x1.txt` one each.
    Empty cells (".") are left out.

    Raises
    ------
    DataError
        A file of another kind, or one that tells no sex.
    """
    parts = [_hmd_part(Path(file)) for file in files]
    table = pd.concat(parts, ignore_index=True)
    if set(table["sex"]) != {"female", "male"}:
        found = ", ".join(sorted(set(table["sex"])))
        raise DataError(f"Human Mortality Database: only {found}. Give the file of the other sex.")
    return table


def _hmd_part(file: Path) -> pd.DataFrame:
    lines = _text_of(file).splitlines()
    head = next((k for k, line in enumerate(lines[:10]) if line.split()[:2] == ["Year", "Age"]), -1)
    if head < 0:
        raise DataError(f'{file.name}: no line "Year Age ...": not a 1x1 file of the HMD.')
    table = pd.read_csv(
        io.StringIO("\n".join(lines[head:])), sep=r"\s+", na_values=".", dtype={"Age": str}
    )
    table["age"] = table["Age"].str.rstrip("+").astype(int)
    columns = {name.lower(): name for name in table.columns}
    if {"female", "male"} <= set(columns):
        wide = table.rename(columns={"Year": "year", columns["female"]: "female"})
        wide = wide.rename(columns={columns["male"]: "male"})
        long = wide.melt(["year", "age"], ["female", "male"], "sex", "hazard")
        return long.dropna().reset_index(drop=True)
    if not {"mx", "qx"} <= set(columns):
        raise DataError(f"{file.name}: neither death rates by sex nor mx and qx of a life table.")
    sexes = {SEXES[word] for word in re.findall(r"\w+", lines[0].lower()) if word in SEXES}
    if len(sexes) != 1:
        raise DataError(f'{file.name}: its first line does not tell "Females" or "Males".')
    q = table["qx"].to_numpy(float)
    with np.errstate(divide="ignore"):
        hazard = np.where(q < 1, -np.log1p(-np.minimum(q, 1)), table["mx"].to_numpy(float))
    found = pd.DataFrame({"sex": sexes.pop(), "year": table["Year"], "age": table["age"]})
    return found.assign(hazard=hazard).dropna().reset_index(drop=True)


def read_scb(file: Path) -> pd.DataFrame:
    """Read a life table exported from Statistics Sweden: sex, year, age, probability (0-1).

    Raises
    ------
    DataError
        No columns for sex, age and risk of dying, or sexes and ages of unknown form.
    """
    text = _text_of(file)
    lines = text.splitlines()
    head = next((k for k, line in enumerate(lines) if re.search("kön|sex", line.lower())), 0)
    text = "\n".join(lines[head:])
    sep = csv.Sniffer().sniff(lines[head] if lines else ",", ",;\t").delimiter if lines else ","
    wide = pd.read_csv(io.StringIO(text), sep=sep, dtype=str).rename(
        columns=lambda name: SCB_COLUMNS.get(name.strip().lower(), name.strip())
    )
    if not {"sex", "age"} <= set(wide.columns):
        raise DataError(f"{file.name}: no columns for sex (kön) and age (ålder).")
    if "content" in wide:
        wide = wide[wide["content"].str.contains(RISK)]
    keys = [name for name in ("region", "sex", "age", "year") if name in wide]
    rest = [name for name in wide.columns if name not in (*keys, "content")]
    risks = rest if "content" in wide else [name for name in rest if RISK.search(name)]
    risks = risks or [name for name in rest if A_YEAR.fullmatch(name)]
    if not risks or wide.empty:
        raise DataError(f"{file.name}: no column with the risk of dying (dödsrisk, qx) per 1000.")
    return _scb_long(file, wide.melt(keys, risks, "label", "value"))


def _scb_long(file: Path, table: pd.DataFrame) -> pd.DataFrame:
    if "year" not in table:
        table["year"] = table["label"].str.extract(A_YEAR, expand=False)
    table["sex"] = table["sex"].str.strip().str.lower().map(SEXES)
    table["age"] = table["age"].str.extract(r"(\d+)", expand=False)
    table = table.dropna(subset=["sex"])
    value = table["value"].str.replace(",", ".").str.replace(r"\s", "", regex=True)
    table["probability"] = pd.to_numeric(value, errors="coerce") / 1000
    table = table.dropna(subset=["probability"])
    if table.empty or table[["age", "year"]].isna().any(axis=None):
        raise DataError(f"{file.name}: sexes, ages or years are not as Statistics Sweden's.")
    table = table.astype({"age": int, "year": int})
    keys = [name for name in ("region", "sex", "year", "age") if name in table]
    return table[[*keys, "probability"]].reset_index(drop=True)


def _text_of(file: Path) -> str:
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise DataError(f"{file}: the life table cannot be read.") from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
