"""Ids that have been through a floating-point number on their way, and lost their last digits (A4).

A spreadsheet keeps 15 digits and JavaScript 53 bits; both give back a whole number that is exactly what a
double prints. By chance one id in 2**(bits - 53) looks so too (of today's tweet ids one in 256), so it takes
more of them than chance gives: as many as one exact list in some 5,000 has, or more than half of a list. Fewer are
worth a look: as many as one long list in 200 has, or any in a short one.

Ids that end in twelve zero bits, the first that a machine mints in a millisecond, are passed over: most are such, and
a double holds them exactly. What was rounded ends so only by chance.
"""

from __future__ import annotations

from collections import Counter
from math import sqrt

_EXACT = 2**53


class Precision:
    """Watches the ids of one source; 60 ns an id."""

    def __init__(self) -> None:
        self._bits: Counter[int] = Counter()
        self._suspects = 0

    def looks_rounded(self, number: int) -> bool:
        """Count an id, and tell whether it is one that a double prints."""
        if number <= _EXACT or number % 4096 == 0:
            return False
        self._bits[number.bit_length()] += 1
        rounded = number % 10 == 0 and _printed(number) == number
        self._suspects += rounded
        return rounded

    def is_lost(self) -> bool:
        """Tell whether more ids look rounded than chance gives."""
        return self._suspects > self._bits.total() / 2 or self._exceeds(deviations=4, more=1.2)

    def is_doubtful(self) -> bool:
        """Tell whether those that look rounded are worth a look: many, or one where hardly any was to be expected."""
        return self._exceeds(deviations=3, more=0.65) or (self._suspects > 0 and self._expected() < 0.5)

    def _exceeds(self, deviations: int, more: float) -> bool:
        """Tell whether there are more than so many standard deviations above what chance gives."""
        expected = self._expected()
        return self._suspects > expected + deviations * sqrt(expected) + more

    def _expected(self) -> float:
        return sum(count * min(0.1, 2.0 ** (53 - bits)) for bits, count in self._bits.items())


def _printed(number: int) -> int:
    """Return the whole number that a double nearest to `number` prints as: its shortest digits, then zeros."""
    mantissa, _, exponent = repr(float(number)).partition("e")
    if not exponent:
        return int(float(mantissa))
    digits, _, decimals = mantissa.partition(".")
    zeros = int(exponent) - len(decimals)
    return int(digits + decimals + "0" * zeros)
