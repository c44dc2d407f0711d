"""Detection of ids that were converted to a floating-point number and lost their last digits (A4).

A double holds 53 bits, but a current id has 61. The kind of conversion determines which digits of the id remain:

- *Printed*: a spreadsheet prints 15 digits, and JavaScript the fewest digits that identify the double. Zeros fill the
  rest. One exact id in 2**(bits - 53) looks the same by chance: of current ids, one in 256.
- *Cast* (`int(float(id))`): the last bits become 0. The low twelve bits of an id count the ids that one machine creates
  in one millisecond. Until August 2023 the count began at 0, and most ids have 0 there. So a single cast id looks
  exact, but in a long list too many ids end in 0. Since September 2023 the count begins anywhere up to 511, and a
  few cast ids are enough: they end in other multiples of 256, and exact ids do so only by chance.
- *Shortened*: `1.35567E+18`, with its zeros written out, has at most eight digits before the zeros. No exact id does.
  Nor does an exact id have as many zero bits as a 32-bit floating-point number leaves.

A list is refused if, by Chernoff's bound, at most one exact list in a million would look like it by chance. If k of n
ids look rounded, and a share p is expected, this is the case if n·KL(k/n‖p) exceeds ln 10⁶. Above ln 10³ there is a
warning. For printed ids the limit is about one exact list in 5,000, or more than half of the ids.
"""

from __future__ import annotations

from bisect import bisect
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from itertools import compress, repeat
from math import inf, log, sqrt
from operator import rshift

from withhold.model.ids import MAX_ID
from withhold.snowflake import first_id_at

#: The code of the check for rounded ids. A rule that overrides it declares that its ids are exact.
ROUNDED_IDS = "rounded-ids"

_EXACT = 2**53
_REFUSED, _DOUBTFUL = log(1e6), log(1e3)

# Upper bounds for the share of ids that are multiples of 4096, by the time when the ids were created. Measured: 0.80 in
# 2011, 0.67 to 0.74 up to 2016, 0.58 to 0.61 in 2017 and 2018, 0.51 to 0.55 in 2019, 0.43 in 2020, 0.20 in 2021, 0.46
# from May 2022, 0.001 since September 2023. The samples are 34,792 tweet ids, and 47,810 account ids (2016 to 2022) and
# 42,231 tweet ids (2020 to 2026) from public repositories.
_SHARES = (0.85, 0.70, 0.62, 0.55, 0.35, 0.60, 0.35)
_CHANGES = [
    first_id_at(datetime(year, month, 1, tzinfo=UTC))
    for year, month in ((2017, 1), (2019, 1), (2020, 1), (2021, 1), (2022, 4), (2023, 9))
]
# The bits of a 32-bit floating-point number. It leaves 37 zero bits in a current id; one exact id in ten million
# has them.
_SINGLE = 24
# Ids are counted by span. The ids of a span have equal bits above the lowest 48, and were created within about 19
# hours.
_SPAN = 48


class Sign(StrEnum):
    """The way in which an id may have lost digits. Only `SHORT` proves it for a single id."""

    SHORT = "short"
    PRINTED = "printed"
    CAST = "cast"
    #: A multiple of 4096, like most ids from before September 2023.
    ZEROS = "zeros"


class Precision:
    """Counts the ids from one source that look rounded. Takes half a microsecond for each id."""

    def __init__(self) -> None:
        # The numbers of ids by span: those that are multiples of 4096, and all others.
        self._zeros: Counter[int] = Counter()
        self._others: Counter[int] = Counter()
        self._printed = self._cast = 0

    def sign(self, number: int) -> Sign | None:
        """Count an id. Return the way in which it may have lost digits, or None."""
        if number <= _EXACT or number > MAX_ID:  # a double holds it exactly, or it is not an id
            return None
        has_zero_bits = number % 64 == 0  # as with every sign but PRINTED; this saves most ids the other tests
        if has_zero_bits:
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
        # The oldest ids exceed 53 bits by so little that a double often holds them exactly: those with `unit` < 64 do
        # not count.
        if has_zero_bits and number % (unit := 1 << number.bit_length() - 53) == 0 and unit >= 64:
            self._cast += 1
            return Sign.CAST
        return None

    def count(self, numbers: Sequence[int]) -> list[int]:
        """Count those of many ids that have no sign. Return the indexes of the others, which `sign` must still count."""
        # A printed id of 19 digits ends in two zeros, because a double prints as at most 17 digits.
        plain = [n > _EXACT and n % 64 != 0 and (n % 10 != 0 or (n % 100 != 0 and n >= 10**18)) for n in numbers]
        self._others.update(map(rshift, compress(numbers, plain), repeat(_SPAN)))
        return [at for at, it in enumerate(plain) if not it]

    def lost(self) -> set[Sign]:
        """Return the ways in which ids have lost digits, judging by how many ids look rounded."""
        found = set()
        # If exact ids rarely look printed by chance, more than half of a list is enough.
        total, rare = self._zeros.total() + self._others.total(), self._expected() <= self._others.total() / 64
        if (rare and self._printed > total / 2) or self._exceeds(deviations=4, more=1.2):
            found.add(Sign.PRINTED)
        if self._surprise_of_cast() > _REFUSED:
            found.add(Sign.CAST)
        if self._surprise_of_zeros() > _REFUSED:
            found.add(Sign.ZEROS)
        return found

    def doubtful(self) -> set[Sign]:
        """Return the ways in which ids may have lost digits.

        This needs fewer ids than `lost`, so the caller should only warn.
        """
        found = set()
        if self._exceeds(deviations=3, more=0.65) or (self._printed > 0 and self._expected() < 0.1):
            found.add(Sign.PRINTED)
        if self._surprise_of_cast() > _DOUBTFUL:
            found.add(Sign.CAST)
        if self._surprise_of_zeros() > _DOUBTFUL:
            found.add(Sign.ZEROS)
        return found

    def zeros(self) -> str:
        """Return text with the number of ids that are multiples of 4096, and the number expected for exact ids."""
        count, expected = self._zeros.total(), self._expected_zeros()
        return f"{count:,} of {count + self._others.total():,} long ids (at most about {expected:,.0f} expected)"

    def _exceeds(self, deviations: int, more: float) -> bool:
        """Return whether more ids look printed than chance explains: `deviations` standard deviations and `more`."""
        expected = self._expected()
        return self._printed > expected + deviations * sqrt(expected) + more

    def _expected(self) -> float:
        return sum(count * min(0.1, _chance(span)) for span, count in self._others.items())

    def _surprise_of_cast(self) -> float:
        # 1.5 times the number that uniformly distributed low bits would give.
        expected = sum(count * 1.5 * min(1 / 64, _chance(span)) for span, count in self._others.items())
        return _surprise(self._cast, self._others.total(), expected)

    def _surprise_of_zeros(self) -> float:
        count = self._zeros.total()
        return _surprise(count, count + self._others.total(), self._expected_zeros())

    def _expected_zeros(self) -> float:
        return sum(count * _share(span) for spans in (self._zeros, self._others) for span, count in spans.items())


def _chance(span: int) -> float:
    """Return the share of the numbers in a span that a double holds exactly."""
    return 2.0 ** (53 - _SPAN - span.bit_length())


def _share(span: int) -> float:
    """Return an upper bound for the share of the exact ids in a span that are multiples of 4096."""
    return _SHARES[bisect(_CHANGES, span << _SPAN)]


def _surprise(found: int, count: int, expected: float) -> float:
    """Return n·KL(k/n‖p). The probability that chance gives k or more is at most e to the minus this."""
    if found <= expected:
        return 0.0
    if not expected:
        return inf
    rest = count - found
    return found * log(found / expected) + (rest * log(rest / (count - expected)) if rest else 0.0)


def _printed(number: int) -> int:
    """Return the integer that the nearest double prints as: its shortest digits, then zeros."""
    mantissa, _, exponent = repr(float(number)).partition("e")
    if not exponent:
        return int(float(mantissa))
    digits, _, decimals = mantissa.partition(".")
    zeros = int(exponent) - len(decimals)
    return int(digits + decimals + "0" * zeros)


def looks_rounded(ids: Iterable[int]) -> bool:
    """Return whether the reader of rule files could refuse a list of ids as rounded, or warn of it."""
    precision = Precision()
    signs = [precision.sign(id_) for id_ in ids]
    return Sign.SHORT in signs or bool(precision.lost() | precision.doubtful())
