"""Where people live and are treated: regions, municipalities, hospitals and units.

Regions and their populations are Sweden's; municipalities are the main one of each region, but all
six of Halland, which is divided between two health-care regions. Hospitals and units are invented:
a hospital is S, its region and a number; a unit is its hospital and a letter. Their
sizes are log-normal, so that the largest see a hundred times as many patients as the smallest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from workbench.data.invent.chance import Numbers, Places, happens, pick_in_rows, stream

# Region: population in thousands (Statistics Sweden, about 2023), health-care region, hospitals.
REGIONS: dict[str, tuple[int, str, int]] = {
    "01": (2455, "1", 6), "03": (404, "2", 2), "04": (302, "2", 3), "05": (473, "3", 3),
    "06": (370, "3", 3), "07": (204, "4", 2), "08": (247, "3", 3), "09": (61, "1", 1),
    "10": (159, "4", 2), "12": (1421, "4", 6), "13": (343, "5", 2), "14": (1769, "5", 7),
    "17": (284, "2", 2), "18": (307, "2", 3), "19": (281, "2", 2), "20": (288, "2", 2),
    "21": (287, "2", 2), "22": (244, "6", 3), "23": (132, "6", 1), "24": (277, "6", 2),
    "25": (249, "6", 3),
}  # fmt: skip
CODES = tuple(REGIONS)
HALLAND = "13"
HALLAND_NORTH = ("1384", "1383", "1382")  # belongs to the western health-care region
MUNICIPALITIES: dict[str, tuple[str, ...]] = {
    "01": ("0180",), "03": ("0380",), "04": ("0480",), "05": ("0580",), "06": ("0680",),
    "07": ("0780",), "08": ("0880",), "09": ("0980",), "10": ("1080",), "12": ("1280",),
    "13": (*HALLAND_NORTH, "1380", "1381", "1315"), "14": ("1480",), "17": ("1780",),
    "18": ("1880",), "19": ("1980",), "20": ("2080",), "21": ("2180",), "22": ("2281",),
    "23": ("2380",), "24": ("2480",), "25": ("2580",),
}  # fmt: skip
# One university hospital for each health-care region: the first hospital of these regions.
CENTRES = {"1": "01", "2": "03", "3": "05", "4": "12", "5": "14", "6": "24"}
SIZE_SPREAD = 1.1  # of the logarithm of a unit's share of its region's patients
TO_CENTRE = 0.08  # share treated at the university hospital of their health-care region
EFFECT_SPREAD = 0.45  # standard deviation of a unit's own effect, on the log-odds scale
Specialty = Literal["hospital", "nephrology", "haematology", "vascular", "palliative"]
LETTERS: dict[Specialty, str] = {
    "hospital": "", "nephrology": "N", "haematology": "H", "vascular": "", "palliative": "P",
}  # fmt: skip
# Not every hospital has every specialty; palliative units are many and small.
HAVE_ONE: dict[Specialty, float] = {
    "hospital": 1.0, "nephrology": 0.85, "haematology": 0.9, "vascular": 0.5, "palliative": 1.0,
}  # fmt: skip
PALLIATIVE_EACH = 4  # units a hospital, on an average


@dataclass(frozen=True)
class Units:
    """The units of one specialty; a place in these arrays is a unit."""

    code: NDArray[np.str_]
    hospital: NDArray[np.str_]
    region: NDArray[np.integer]  # place in CODES
    weight: Numbers  # its share of the region's patients, before it is scaled
    effect: Numbers  # its own way of working, on the log-odds or log scale

    def of_patients(self, chance: np.random.Generator, region: Places) -> Places:
        """The unit of each patient, who lives in a region and may be sent to its centre."""
        wide = np.zeros((len(CODES), len(self.code)))
        wide[self.region, np.arange(len(self.code))] = self.weight
        sent = happens(chance, TO_CENTRE, len(region))
        chosen = pick_in_rows(chance, wide, region)
        return np.where(sent, self._centres()[region], chosen)

    def _centres(self) -> Places:
        largest = {
            region: at
            for at, region in reversed(list(enumerate(self.region)))  # the first of each stays
        }
        return np.array(
            [largest[CODES.index(CENTRES[care_region])] for _, care_region, _ in REGIONS.values()]
        )


def make_units(specialty: Specialty, seed: int) -> Units:
    """The units of a specialty, with sizes and effects of their own."""
    chance = stream(seed, f"units of {specialty}")
    names = [
        (code, f"S{code}{at + 1:02d}") for code, (_, _, n) in REGIONS.items() for at in range(n)
    ]
    kept = [
        (code, name)
        for code, name in names
        if name.endswith("01") or chance.random() < HAVE_ONE[specialty]
    ]
    each = PALLIATIVE_EACH if specialty == "palliative" else 1
    rows = [
        (code, name, f"{name}{LETTERS[specialty]}{at + 1 if each > 1 else ''}")
        for code, name in kept
        for at in range(each)
    ]
    n = len(rows)
    weight = np.exp(SIZE_SPREAD * chance.standard_normal(n))
    is_centre = np.array([c in CENTRES.values() and name.endswith("01") for c, name, _ in rows])
    return Units(
        code=np.array([unit for _, _, unit in rows]),
        hospital=np.array([name for _, name, _ in rows]),
        region=np.array([CODES.index(code) for code, _, _ in rows]),
        weight=np.where(is_centre, weight * 4, weight),
        effect=EFFECT_SPREAD * chance.standard_normal(n),
    )


def care_region_of(region: Places) -> Places:
    """The health-care region of each region, from 0; Halland goes with the west here."""
    return np.array([int(care) - 1 for _, care, _ in REGIONS.values()])[region]


def stated() -> dict[str, object]:
    """The places as they are written into the truth."""
    return {
        "regions": {
            code: {"population_thousands": size, "care_region": care, "hospitals": n}
            for code, (size, care, n) in REGIONS.items()
        },
        "log_spread_of_unit_sizes": SIZE_SPREAD,
        "share_sent_to_the_university_hospital": TO_CENTRE,
        "spread_of_unit_effects": EFFECT_SPREAD,
    }
