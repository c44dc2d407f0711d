"""All checks, in the order of the documentation."""

from __future__ import annotations

from withhold.lint import (
    account_among_tweets,
    beyond_its_country,
    id_not_yet_made,
    never_in_force,
    no_beginning,
    no_end,
    overseas_left_out,
    protected_account,
    review_overdue,
    rounded_ids,
    shadowed,
    stay_without_effect,
    unnamed_demand,
    unnamed_jurisdiction,
    unsettled_subdivision,
    withholds_nowhere,
    worldwide_for_one_country,
)
from withhold.lint.check import Check

CHECKS: tuple[Check, ...] = (
    protected_account.CHECK,
    beyond_its_country.CHECK,
    worldwide_for_one_country.CHECK,
    withholds_nowhere.CHECK,
    never_in_force.CHECK,
    stay_without_effect.CHECK,
    shadowed.CHECK,
    id_not_yet_made.CHECK,
    rounded_ids.CHECK,
    account_among_tweets.CHECK,
    unnamed_demand.CHECK,
    unnamed_jurisdiction.CHECK,
    review_overdue.CHECK,
    overseas_left_out.CHECK,
    unsettled_subdivision.CHECK,
    no_beginning.CHECK,
    no_end.CHECK,
)
