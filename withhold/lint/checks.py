"""All the checks, in the order in which they are listed to people."""

from __future__ import annotations

from withhold.lint import (
    accounts_must_not_stand_among_tweets,
    demands_should_be_named,
    ids_must_exist_at_from,
    ids_must_not_look_rounded,
    national_demands_must_not_reach_beyond_their_country,
    overseas_territories_should_be_named,
    periods_must_not_be_empty,
    protected_accounts_must_not_be_withheld,
    rules_must_not_be_shadowed,
    rules_must_withhold_from_somebody,
    rules_should_begin,
    rules_should_end,
    stays_must_touch_the_period,
    subdivisions_need_a_word_on_the_unknown,
    worldwide_needs_a_worldwide_reason,
)
from withhold.lint.check import Check

CHECKS: tuple[Check, ...] = (
    protected_accounts_must_not_be_withheld.CHECK,
    national_demands_must_not_reach_beyond_their_country.CHECK,
    worldwide_needs_a_worldwide_reason.CHECK,
    rules_must_withhold_from_somebody.CHECK,
    periods_must_not_be_empty.CHECK,
    stays_must_touch_the_period.CHECK,
    rules_must_not_be_shadowed.CHECK,
    ids_must_exist_at_from.CHECK,
    ids_must_not_look_rounded.CHECK,
    accounts_must_not_stand_among_tweets.CHECK,
    demands_should_be_named.CHECK,
    overseas_territories_should_be_named.CHECK,
    subdivisions_need_a_word_on_the_unknown.CHECK,
    rules_should_begin.CHECK,
    rules_should_end.CHECK,
)
