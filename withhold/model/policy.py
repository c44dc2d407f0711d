"""What an engine does where the rules leave it a choice."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from withhold.errors import quoted


class Settle(StrEnum):
    """How an uncertain rule is settled (R4)."""

    WITHHOLD = "withhold"
    SHOW = "show"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The engine's own choices; a value.

    `unknown_location`: what to do with a plain rule when it is not known whether the viewer is in its
    territory, and the rule does not say (R4). The default `show` is what Twitter's published evaluators do.
    `author_sees_own`: show authors their own withheld content (R9).

    >>> Policy(unknown_location="withhold").unknown_location
    <Settle.WITHHOLD: 'withhold'>
    """

    unknown_location: Settle = Settle.SHOW
    author_sees_own: bool = False

    if TYPE_CHECKING:

        def __init__(
            self, *, unknown_location: Settle | Literal["withhold", "show"] = Settle.SHOW, author_sees_own: bool = False
        ) -> None: ...

    def __post_init__(self) -> None:
        if not isinstance(self.author_sees_own, bool):
            raise TypeError(f"author_sees_own is True or False, not {quoted(self.author_sees_own)} [bad-policy]")
        try:
            object.__setattr__(self, "unknown_location", Settle(self.unknown_location))
        except ValueError:
            raise ValueError(
                f"unknown_location is `withhold` or `show`, not {quoted(self.unknown_location)} [bad-policy]"
            ) from None
