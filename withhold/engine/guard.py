"""Refuse rules that have lost too much, for example after a truncated export or in the wrong directory."""

from __future__ import annotations

from withhold.errors import Problem, RuleSetError, quoted
from withhold.snapshot import Snapshot


def check_share(share: float, name: str) -> None:
    """Raise `ValueError` (`bad-guard`, `bad-share`) if an argument of that name is not a share from 0 to 1."""
    given: object = share
    # `nan` is in no range.
    if isinstance(given, bool) or not isinstance(given, (int, float)) or not 0 <= given <= 1:
        raise ValueError(f"{name} {quoted(given)} is not a share from 0 to 1 [bad-{name}]; write 0.5 for a half")


def check_loss(current: Snapshot, new: Snapshot, guard: float) -> None:
    """Raise `RuleSetError` if more than the share `guard` of the rules or of the named ids is lost, or all. O(1).

    Rules and ids are counted separately. A truncated list of ids loses ids but no rule; a missing file of a country
    loses rules, but no id that is also withheld elsewhere.
    """
    before, after = _counts(current), _counts(new)
    lost = max((was - now) / was if was else 0.0 for was, now in zip(before, after, strict=True))
    if lost > guard or (before[0] and not after[0]):
        raise RuleSetError(
            [
                Problem(
                    "guard-refused",
                    f"the new rules are {_text(after)} instead of {_text(before)}; at most {guard:.0%} may be lost",
                    hint="if this is intended, activate them without a guard",
                )
            ]
        )


def _counts(snapshot: Snapshot) -> tuple[int, int]:
    """Return the number of rules, and the number of different ids that they name."""
    return snapshot.rule_count, len(snapshot.accounts) + len(snapshot.tweets)


def _text(counts: tuple[int, int]) -> str:
    rules, ids = counts
    return f"{rules:,} rule{'' if rules == 1 else 's'} with {ids:,} id{'' if ids == 1 else 's'}"
