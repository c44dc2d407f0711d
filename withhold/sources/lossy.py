"""Collect and report the ids of one source that were rounded as floating-point numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from withhold.errors import Place, Problem
from withhold.model.precision import Precision, Sign


class Lossy:
    """The rounded ids of one source, each with its place.

    `remedy` is the advice for a single id that is exact, and `remedy_of_many` for a list of them. At most `most` ids
    with a sign of rounding are reported one by one; `unreported` counts the others.
    """

    def __init__(self, remedy: str, remedy_of_many: str, most: int | None = None) -> None:
        self.unreported = 0
        self._remedy, self._remedy_of_many, self._most = remedy, remedy_of_many, most
        self._precision = Precision()
        self._found: dict[Sign, list[Problem]] = {Sign.SHORT: [], Sign.PRINTED: [], Sign.CAST: []}
        self._more: dict[Sign, int] = dict.fromkeys(Sign, 0)
        self._first_with_zeros: Place | None = None

    def see(self, number: int, place: Callable[[], Place]) -> Sign | None:
        """Count an id, and return the sign that it has lost digits, or None."""
        sign = self._precision.sign(number)
        if sign is Sign.ZEROS:
            self._first_with_zeros = self._first_with_zeros or place()
        elif sign is not None:
            if self._most is None or len(self._found[sign]) < self._most:
                self._found[sign].append(self._rounded(number, sign, place()))
            else:
                self._more[sign] += 1
        return sign

    def see_all(self, numbers: Sequence[int], place: Callable[[int], Place]) -> None:
        """Count many ids in the order of the source. `place` returns the place of the id with an index."""
        for at in self._precision.count(numbers):
            self.see(numbers[at], lambda: place(at))  # noqa: B023  # called at once

    def lost(self) -> set[Sign]:
        """Return the signs that prove lost digits. Ids with one of them are refused."""
        return self._precision.lost() | ({Sign.SHORT} if self._found[Sign.SHORT] else set())

    def problems(self) -> tuple[list[Problem], list[Problem]]:
        """Return the errors, and the warnings for less certain signs."""
        lost = self.lost()
        doubtful = self._precision.doubtful() - lost
        self.unreported = sum(self._more[sign] for sign in lost)
        return self._of(lost), [replace(problem, severity="warning") for problem in self._of(doubtful)]

    def _of(self, signs: set[Sign]) -> list[Problem]:
        found = [problem for sign, listed in self._found.items() if sign in signs for problem in listed]
        if Sign.ZEROS in signs:
            message = f"{self._precision.zeros()} end in twelve zero bits, as rounded ids do"
            hint = f"restore all their digits from their source; if they are exact, {self._remedy_of_many}"
            found.append(Problem("lossy-id", message, self._first_with_zeros, hint))
        return found

    def _rounded(self, number: int, sign: Sign, place: Place) -> Problem:
        wrong = "looks rounded to the precision of a floating-point number"
        if sign is Sign.SHORT:
            digits = len(str(number).rstrip("0"))
            wrong = (
                f"looks rounded: it has only zeros after its first {digits} digits"
                if digits <= 8
                else "looks rounded to the precision of a 32-bit floating-point number"
            )
        hint = f"restore all its digits from its source; if they are exact, {self._remedy}"
        return Problem("lossy-id", f"id `{number}` {wrong}", place, hint)
