"""The answer to a question: `Decision`, and its `Outcome` and `Scope`."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Literal, NoReturn

from withhold.model.freshness import NOT_TO_KEEP, Freshness
from withhold.model.instants import in_iso
from withhold.model.rule import Disclosure, Effect, Reason
from withhold.model.territory_set import NOWHERE, TerritorySet, not_for_viewers


class Outcome(StrEnum):
    """The possible outcomes, in ascending order of severity. The severest one dominates (R6)."""

    VISIBLE = "visible"
    WITHHELD = "withheld"
    SUSPENDED = "suspended"


#: The outcome of a rule of each effect, for a viewer whom the rule reaches.
OUTCOME_OF = {Effect.WITHHOLD: Outcome.WITHHELD, Effect.SUSPEND: Outcome.SUSPENDED}


class Scope(StrEnum):
    """Whether a rule acts through the account or through the tweet itself."""

    ACCOUNT = "account"
    TWEET = "tweet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The answer to one question: an immutable value, built once and returned again for the same question.

    | attribute | meaning |
    |---|---|
    | `outcome` | `VISIBLE`, `WITHHELD` or `SUSPENDED`; also `.visible`, `.withheld`, `.suspended` |
    | `exempt` | `"author"` if the viewer is shown their own withheld content (R9), else None |
    | `rule_ids` | the rules in force that reach this viewer, in the order of R7 |
    | `rule_id`, `scope`, `reason`, `demand`, `jurisdiction` | those of the first rule, which speaks; None if there is none |
    | `disclosure` | the narrowest of all these rules: what a notice may reveal; None if there is none |
    | `territories` | where the subject is withheld at this instant |
    | `available_in` | where it is not withheld: all other territories |
    | `disclosed_in` | where rules withhold it that are not secret (`disclosure: none`); a notice names no other territories |
    | `certain` | False if a more precise location could give another outcome (R4) |
    | `varies_by_location` | whether a viewer elsewhere would get another outcome; if so, put the location in a cache key |
    | `valid_until` | no field changes before this instant (UTC); None if time alone changes nothing |
    | `revision` | the revision of the snapshot that gave the answer |
    | `freshness` | who may be shown the answer again, and for how long |

    A decision has no truth value (A1): `if decision:` raises a `TypeError`.
    """

    outcome: Outcome
    exempt: Literal["author"] | None = None
    rule_ids: tuple[str, ...] = ()
    scope: Scope | None = None
    reason: Reason | None = None
    demand: str | None = None
    jurisdiction: str | None = None
    disclosure: Disclosure | None = None
    territories: TerritorySet = NOWHERE
    disclosed_in: TerritorySet = NOWHERE
    certain: bool = True
    varies_by_location: bool = False
    valid_until: datetime | None = None
    revision: str = ""
    freshness: Freshness = NOT_TO_KEEP

    @property
    def rule_id(self) -> str | None:
        return self.rule_ids[0] if self.rule_ids else None

    @property
    def available_in(self) -> TerritorySet:
        """The territories where no rule in force withholds the subject: the complement of `territories`.

        It is computed on each access, so that it costs nothing for other answers.
        """
        return self.territories.complement()

    @property
    def visible(self) -> bool:
        return self.outcome is Outcome.VISIBLE

    @property
    def withheld(self) -> bool:
        return self.outcome is Outcome.WITHHELD

    @property
    def suspended(self) -> bool:
        return self.outcome is Outcome.SUSPENDED

    # The type is not `NoReturn`: type checkers would treat code after `if decision:` as unreachable and not check it.
    def __bool__(self) -> bool:
        raise TypeError("a decision is neither true nor false [decision-truth]; use .visible")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> NoReturn:
        raise not_for_viewers("a decision")

    def to_dict(self) -> dict[str, object]:
        """Return all fields as JSON values, with instants such as `2021-02-10T05:00:00Z`."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            **found,
            "rule_id": self.rule_id,
            "rule_ids": list(self.rule_ids),
            "territories": str(self.territories),
            "available_in": str(self.available_in),
            "disclosed_in": str(self.disclosed_in),
            "valid_until": in_iso(self.valid_until),
            "freshness": self.freshness.to_dict(),
        }
