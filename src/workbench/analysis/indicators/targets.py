"""Target limits as they were written, and on which side of them a result lies, exactly."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np

from workbench.errors import StudyError

HIGH, MODERATE, LOW = "high", "moderate", "low"
LEVELS = (HIGH, MODERATE, LOW)
LimitLike = float | int | str | Decimal | Fraction


@dataclass(frozen=True)
class Target:
    """One or two limits and the direction in which results are good.

    Without `yellow` both limits are green, so that nothing lies between.
    """

    green: Fraction
    yellow: Fraction
    high_is_good: bool

    @property
    def sign(self) -> int:
        """1 where high is good, -1 where low is: times a value, more is always better."""
        return 1 if self.high_is_good else -1

    def level_of_shares(self, x: np.ndarray, n: np.ndarray) -> np.ndarray:
        """0 (high), 1 (moderate) or 2 (low) of each x/n, compared as fractions."""
        return 2 - self._reaches(x, n, self.green) - self._reaches(x, n, self.yellow)

    def level_of_values(self, values: np.ndarray) -> np.ndarray:
        """0, 1 or 2 of each value; limits are taken as the numbers nearest to them."""
        better = self.sign * values
        green, yellow = (self.sign * float(limit) for limit in (self.green, self.yellow))
        return 2 - (better >= green).astype(int) - (better >= yellow).astype(int)

    def _reaches(self, x: np.ndarray, n: np.ndarray, limit: Fraction) -> np.ndarray:
        # Python's own whole numbers, where products could outgrow those of the machine
        largest = int(n.max(initial=1)) * max(limit.denominator, abs(limit.numerator))
        kind = np.int64 if largest < 2**62 else object
        counts, of = x.astype(np.int64).astype(kind), n.astype(np.int64).astype(kind)
        apart = counts * limit.denominator - of * limit.numerator
        return (self.sign * apart >= 0).astype(int)


def read_target(
    green: LimitLike, yellow: LimitLike | None, direction: str, *, share: bool
) -> Target:
    """Limits as the fractions that were written: 0.69 is 69/100.

    Raises
    ------
    StudyError
        A limit that is no number, one of a share outside 0 to 1, green on the wrong side of
        yellow, or a direction other than high and low.
    """
    if direction not in {"high", "low"}:
        raise StudyError('direction: expected "high" (much is good) or "low" (little is good).')
    good = _fraction(green, "green", share=share)
    fair = good if yellow is None else _fraction(yellow, "yellow", share=share)
    target = Target(good, fair, high_is_good=direction == "high")
    if yellow is not None and target.sign * (target.green - target.yellow) < 0:
        side = "at or above" if target.high_is_good else "at or below"
        raise StudyError(
            f"green: {green} is worse than yellow {yellow} although direction is {direction}. "
            f"Expected green {side} yellow; exchange the limits or mend direction."
        )
    return target


def _fraction(limit: LimitLike, name: str, *, share: bool) -> Fraction:
    try:
        # a float is read as it is printed, which is how it was written
        number = Fraction(str(limit) if isinstance(limit, float) else limit)
    except (ValueError, TypeError, ZeroDivisionError, OverflowError):
        raise StudyError(f"{name}: expected a number such as 0.9.") from None
    if share and not 0 <= number <= 1:
        raise StudyError(f"{name}: {limit} is outside 0 to 1. Write 90 per cent as 0.90.")
    return number
