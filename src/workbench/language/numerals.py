"""Numbers, percentages, dates and months as the language that is spoken writes them.

English has a point and Swedish and Norwegian a comma before decimals; all have a narrow space that
does not break between thousands, and a real minus sign.
"""

from __future__ import annotations

import datetime
import math
from functools import cache

from babel.dates import format_date
from babel.numbers import get_decimal_symbol

from workbench.language.speech import current

NARROW_SPACE, HARD_SPACE = "\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}"
LOCALES = {"en": "en_GB", "sv": "sv_SE", "nb": "nb_NO"}


def decimal_sign() -> str:
    """The sign before decimals: a point or a comma."""
    return _decimal_sign(LOCALES[current()])


def number(value: float, decimals: int | None = None) -> str:
    """A number with so many decimals, or as short as it is when none are given."""
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if decimals is None:
        written = f"{value:.6g}" if isinstance(value, float) else f"{int(value):,}"
    else:
        written = f"{value:,.{decimals}f}"
    swapped = written.replace(",", NARROW_SPACE).replace(".", decimal_sign())
    return swapped.replace("-", "−")


def per_cent(value: float, decimals: int = 0) -> str:
    """A percentage with its sign: 45 for 45 %."""
    space = " " if current() == "en" else HARD_SPACE
    return f"{number(float(value), decimals)}{space}%"


def share(value: float, decimals: int = 0) -> str:
    """A share as a percentage with its sign: 0.45 for 45 %."""
    return per_cent(100 * float(value), decimals)


def date(day: datetime.date) -> str:
    """A date in words: 5 March 2024, 5 mars 2024, 5. mars 2024."""
    return format_date(day, format="long", locale=LOCALES[current()])


def month(day: datetime.date, *, is_short: bool = False) -> str:
    """A month and its year: March 2024, mars 2024; short: Mar 2024, mars 2024."""
    words = "MMM y" if is_short else "MMMM y"
    return format_date(day, format=words, locale=LOCALES[current()])


@cache
def _decimal_sign(locale: str) -> str:
    return str(get_decimal_symbol(locale))
