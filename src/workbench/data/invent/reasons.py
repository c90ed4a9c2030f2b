"""Why people come to hospital: diagnoses, clinics, operations, and how long a stay is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.data.invent.blood import KINDS
from workbench.data.invent.cancers import SITES
from workbench.data.invent.endings import CAUSES
from workbench.data.invent.illness import CONDITIONS
from workbench.data.invent.vessels import AREAS

CLINICS = ("101", "107", "151", "201", "301", "303", "311", "331", "171", "221", "999")
AGES = (0, 18, 45, 65, 80)  # bands begin here
# Stays and visits a year for reasons that no condition here explains, by band of age.
STAYS_A_YEAR = (0.024, 0.036, 0.038, 0.062, 0.105)
VISITS_A_YEAR = (0.085, 0.105, 0.125, 0.150, 0.140)


@dataclass(frozen=True)
class Reason:
    """One reason: diagnosis in both editions, clinic, operation, planned share, median days."""

    icd10: str
    icd9: str
    clinic: str = "101"
    procedure: str = ""
    planned: float = 0.2
    days: float = 3.0


# Reasons of everybody, with weights in each band of age; blank sex means both.
EVERYDAY: tuple[tuple[Reason, tuple[float, ...], str], ...] = (
    (Reason("J069", "465X", "101", "", 0.1, 2), (20, 3, 1, 1, 1), ""),
    (Reason("J189", "486X", "101", "", 0.0, 5), (6, 4, 8, 12, 16), ""),
    (Reason("K359", "540A", "301", "JEA01", 0.0, 2), (8, 6, 3, 1, 0.5), ""),
    (Reason("S525", "813E", "311", "NCJ62", 0.1, 1), (10, 4, 6, 5, 4), ""),
    (Reason("S060", "850X", "301", "", 0.0, 1), (10, 5, 3, 3, 4), ""),
    (Reason("O800", "650X", "999", "", 0.5, 2), (0, 45, 0, 0, 0), "female"),
    (Reason("N201", "592B", "301", "KAT19", 0.4, 2), (0.5, 5, 8, 4, 1), ""),
    (Reason("R104", "789A", "301", "", 0.0, 2), (8, 9, 7, 5, 4), ""),
    (Reason("K409", "550D", "301", "JAB30", 0.9, 1), (2, 3, 7, 6, 3), "male"),
    (Reason("K802", "574C", "301", "JKA21", 0.6, 2), (0, 5, 8, 6, 3), ""),
    (Reason("M171", "715B", "311", "NGB49", 0.98, 4), (0, 0.5, 10, 14, 4), ""),
    (Reason("M161", "715B", "311", "NFB49", 0.98, 4), (0, 0.5, 8, 13, 6), ""),
    (Reason("S720", "820A", "311", "NFJ59", 0.0, 9), (0, 0.3, 3, 10, 26), ""),
    (Reason("H259", "366B", "999", "CJE20", 0.98, 1), (0, 0.2, 5, 14, 14), ""),
    (Reason("N390", "599A", "101", "", 0.0, 4), (3, 3, 3, 6, 12), ""),
    (Reason("F100", "305A", "999", "", 0.0, 2), (0.5, 8, 8, 2, 0.5), ""),
    (Reason("M545", "724C", "311", "", 0.3, 3), (1, 7, 9, 6, 4), ""),
    (Reason("R074", "786F", "107", "", 0.0, 1), (0.5, 5, 10, 9, 7), ""),
    (Reason("L400", "696B", "999", "", 0.8, 3), (2, 4, 4, 2, 1), ""),
)
_CLINIC_OF = {
    "ischaemic_heart_disease": "107", "atrial_fibrillation": "107", "heart_failure": "107",
    "stroke": "221", "kidney_disease": "151", "artery_disease": "303", "dementia": "201",
}  # fmt: skip
# Stays and visits a year with a condition; and the chance of each when it is found.
CONDITION_STAYS = {
    "heart_failure": 0.22, "lung_disease": 0.14, "ischaemic_heart_disease": 0.08,
    "atrial_fibrillation": 0.06, "stroke": 0.05, "artery_disease": 0.06, "dementia": 0.05,
    "type_1_diabetes": 0.05, "diabetes": 0.025, "kidney_disease": 0.05, "depression": 0.02,
    "hypertension": 0.008,
}  # fmt: skip
CONDITION_VISITS = {
    "heart_failure": 0.25, "lung_disease": 0.15, "ischaemic_heart_disease": 0.15,
    "atrial_fibrillation": 0.12, "stroke": 0.08, "artery_disease": 0.15, "dementia": 0.10,
    "type_1_diabetes": 0.60, "diabetes": 0.06, "kidney_disease": 0.35, "depression": 0.06,
    "hypertension": 0.02,
}  # fmt: skip
FOUND_IN_HOSPITAL = {
    "stroke": 0.92, "ischaemic_heart_disease": 0.45, "heart_failure": 0.50,
    "atrial_fibrillation": 0.30, "lung_disease": 0.20, "diabetes": 0.05, "type_1_diabetes": 0.60,
}  # fmt: skip
FOUND_AT_VISIT = {"hypertension": 0.15, "diabetes": 0.25, "depression": 0.20}  # others 0.6
# What belongs to the registers of diseases.
SPECIAL: dict[str, Reason] = {
    "heart attack": Reason("I219", "410X", "107", "FNG05", 0.0, 4),
    "haemodialysis": Reason("N185", "585X", "151", "DR016", 0.4, 7),
    "peritoneal dialysis": Reason("N185", "585X", "151", "DR024", 0.8, 4),
    "kidney transplantation": Reason("N185", "585X", "151", "KAS10", 0.7, 12),
    "amputation below knee": Reason("I702", "440C", "303", "NGQ19", 0.3, 14),
    "amputation above knee": Reason("I702", "440C", "303", "NFQ19", 0.2, 14),
}


def _all_reasons() -> dict[str, Reason]:
    """Every reason by its name."""
    found = {f"everyday {at}": reason for at, (reason, _, _) in enumerate(EVERYDAY)}
    for name, one in CONDITIONS.items():
        found[name] = Reason(one.icd10, one.icd9, _CLINIC_OF.get(name, "101"), "", 0.25, 4)
    for name, site in SITES.items():
        found[f"{name} found"] = Reason(site.icd10, site.icd9, "331", "", 0.6, 4)
        found[f"{name} operated"] = Reason(site.icd10, site.icd9, "301", site.surgery, 0.95, 5)
    for name, kind in KINDS.items():
        found[f"{name} found"] = Reason(kind.icd10[0], kind.icd9, "171", "", 0.5, 5)
    for name, area in AREAS.items():
        for at, how in enumerate(("open", "endovascular")):
            found[f"{name} {how}"] = Reason(area.icd10, "440X", "303", area.codes[at], 0.5, 5)
    for name, (new, old, _, _) in CAUSES.items():
        found[f"dying of {name}"] = Reason(new, old, "101", "", 0.0, 7)
    return found | SPECIAL


REASONS = _all_reasons()
PLACE = {name: at for at, name in enumerate(REASONS)}
_every = REASONS.values()
MAIN_CODES = (*(one.icd10 for one in _every), *(one.icd9 for one in _every))  # new, then old
PROCEDURES = tuple(one.procedure for one in _every)
CLINIC_PLACES = np.array([CLINICS.index(one.clinic) for one in _every])
PLANNED = np.array([one.planned for one in _every])
STAY_DAYS = np.array([one.days for one in _every])
HAS_PROCEDURE = np.array([bool(one.procedure) for one in _every])


def everyday_weights() -> np.ndarray:
    """Weights of everyday reasons: rows are sex and band of age, columns the reasons."""
    weights = np.zeros((2, len(AGES), len(EVERYDAY)))
    for at, (_, by_age, sex) in enumerate(EVERYDAY):
        for place, name in enumerate(("male", "female")):
            weights[place, :, at] = by_age if sex in {"", name} else 0
    return weights.reshape(2 * len(AGES), len(EVERYDAY))
