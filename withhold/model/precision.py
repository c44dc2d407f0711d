"""Ids that have been through a floating-point number on their way, and lost their last digits (A4).

A double holds 53 bits, and an id of today has 61. What comes back depends on the way:

- *Printed*: a spreadsheet keeps 15 digits, and JavaScript the shortest that name the same double; zeros follow. By chance one
  id in 2**(bits - 53) looks so too, of today's one in 256.
- *Cast* (`int(float(id))`): the last bits become 0. The low twelve bits of an id count what a machine mints in one
  millisecond. Until August 2023 they began at 0, which most ids have: an id that was cast cannot be told from one that is
  exact. Of many ids it can be told that too many have it. Since September 2023 they begin anywhere up to 511, and a few cast
  ids are enough: they end in other multiples of 256, which others have by chance only.
- *Shortened*: `1.35567E+18` with its zeros written out has at most eight digits before them, and no exact id has; nor does
  one have as many zero bits as a 32-bit floating-point number leaves.

So a list is refused if chance makes one exact list in a million look as it does, by the bound of Chernoff: of n ids, k look
rounded, where a share p is expected, and n·KL(k/n‖p) exceeds ln 10⁶. Above ln 10³ it is worth a warning. For printed ids the
bound is that of one list in some 5,000, or more than half of a list.
"""

from __future__ import annotations

from bisect import bisect
from collections import Counter
from datetime import UTC, datetime
from enum import StrEnum
from math import inf, log, sqrt

from withhold.model.ids import MAX_ID
from withhold.snowflake import first_id_at

#: The override of a rule that vouches for its ids, and the check that it silences.
VOUCHED = "rounded-ids"

_EXACT = 2**53
_REFUSED, _DOUBTFUL = log(1e6), log(1e3)

# The shares of ids that are multiples of 4096 are at most these, by when they were made. Measured were 0.80 in 2011, 0.67 to
# 0.74 up to 2016, 0.58 to 0.61, 0.51 to 0.55 in 2019, 0.43, 0.20 in 2021; 0.46 from May 2022, and 0.001 since September 2023:
# on 34,792 ids of tweets, and on 47,810 of accounts (2016 to 2022) and 42,231 of tweets (2020 to 2026) in public repositories.
_SHARES = (0.85, 0.70, 0.62, 0.55, 0.35, 0.60, 0.35)
_CHANGES = [
    first_id_at(datetime(year, month, 1, tzinfo=UTC))
    for year, month in ((2017, 1), (2019, 1), (2020, 1), (2021, 1), (2022, 4), (2023, 9))
]
# The bits of a 32-bit floating-point number. Of today's ids it leaves 37 bits of zeros, which chance gives to one in ten million.
_SINGLE = 24
# Ids are counted by what stands above these bits: some 19 hours.
_SPAN = 48


class Sign(StrEnum):
    """In which way an id may have lost digits. By itself only `SHORT` says that it has."""

    SHORT = "short"
    PRINTED = "printed"
    CAST = "cast"
    #: A multiple of 4096, as most of the older ids are.
    ZEROS = "zeros"


class Precision:
    """Watches the ids of one source; half a microsecond an id."""

    def __init__(self) -> None:
        # Ids by the time they were made: those that are multiples of 4096, and the others.
        self._zeros: Counter[int] = Counter()
        self._others: Counter[int] = Counter()
        self._printed = self._cast = 0

    def sign(self, number: int) -> Sign | None:
        """Count an id, and return in which way it may have lost digits."""
        if number <= _EXACT or number > MAX_ID:  # a double holds it, or it is no id
            return None
        if number % 10**8 == 0 and number % 10 ** (len(str(number)) - 8) == 0:
            return Sign.SHORT
        if number % (1 << number.bit_length() - _SINGLE) == 0:
            return Sign.SHORT
        if number % 4096 == 0:
            self._zeros[number >> _SPAN] += 1
            return Sign.ZEROS
        self._others[number >> _SPAN] += 1
        if number % 10 == 0 and _printed(number) == number:
            self._printed += 1
            return Sign.PRINTED
        # Of older ids the first have so few bits too many that their low bits are often those of a double.
        if number % 64 == 0 and number % (unit := 1 << number.bit_length() - 53) == 0 and unit >= 64:
            self._cast += 1
            return Sign.CAST
        return None

    def lost(self) -> set[Sign]:
        """Return in which ways ids have lost digits, of those that take several ids to tell."""
        found = set()
        # Most of a list is enough, for ids with so many bits too many that chance makes few such.
        total, rare = self._zeros.total() + self._others.total(), self._expected() <= self._others.total() / 64
        if (rare and self._printed > total / 2) or self._exceeds(deviations=4, more=1.2):
            found.add(Sign.PRINTED)
        if self._surprise_of_cast() > _REFUSED:
            found.add(Sign.CAST)
        if self._surprise_of_zeros() > _REFUSED:
            found.add(Sign.ZEROS)
        return found

    def doubtful(self) -> set[Sign]:
        """Return in which ways ids may have lost digits, and are worth a look: fewer than `lost` takes."""
        found = set()
        if self._exceeds(deviations=3, more=0.65) or (self._printed > 0 and self._expected() < 0.1):
            found.add(Sign.PRINTED)
        if self._surprise_of_cast() > _DOUBTFUL:
            found.add(Sign.CAST)
        if self._surprise_of_zeros() > _DOUBTFUL:
            found.add(Sign.ZEROS)
        return found

    def zeros(self) -> str:
        """Return how many ids are multiples of 4096, and how many of exact ones at most are, as text."""
        count, expected = self._zeros.total(), self._expected_zeros()
        return (
            f"{count:,} of {count + self._others.total():,} long ids, and of exact ones at most some {expected:,.0f},"
        )

    def _exceeds(self, deviations: int, more: float) -> bool:
        """Tell whether there are more printed ones than so many standard deviations above what chance gives."""
        expected = self._expected()
        return self._printed > expected + deviations * sqrt(expected) + more

    def _expected(self) -> float:
        return sum(count * min(0.1, _chance(span)) for span, count in self._others.items())

    def _surprise_of_cast(self) -> float:
        # Half as many again as chance gives, if the low bits are any.
        expected = sum(count * 1.5 * min(1 / 64, _chance(span)) for span, count in self._others.items())
        return _surprise(self._cast, self._others.total(), expected)

    def _surprise_of_zeros(self) -> float:
        count = self._zeros.total()
        return _surprise(count, count + self._others.total(), self._expected_zeros())

    def _expected_zeros(self) -> float:
        return sum(count * _share(span) for spans in (self._zeros, self._others) for span, count in spans.items())


def _chance(span: int) -> float:
    """Return the share of the numbers of a span that a double holds."""
    return 2.0 ** (53 - _SPAN - span.bit_length())


def _share(span: int) -> float:
    """Return which share of the exact ids of a span are multiples of 4096, at most."""
    return _SHARES[bisect(_CHANGES, span << _SPAN)]


def _surprise(found: int, count: int, expected: float) -> float:
    """Return n·KL(k/n‖p): chance gives so many, or more, with a probability of at most e to the minus this."""
    if found <= expected:
        return 0.0
    if not expected:
        return inf
    rest = count - found
    return found * log(found / expected) + (rest * log(rest / (count - expected)) if rest else 0.0)


def _printed(number: int) -> int:
    """Return the whole number that a double nearest to `number` prints as: its shortest digits, then zeros."""
    mantissa, _, exponent = repr(float(number)).partition("e")
    if not exponent:
        return int(float(mantissa))
    digits, _, decimals = mantissa.partition(".")
    zeros = int(exponent) - len(decimals)
    return int(digits + decimals + "0" * zeros)
