"""The public strategies draw only valid values, on which engine and reference agree."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime

from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from withhold import Effect, Engine, Reference
from withhold.testing import strategies as ours

FEW = st.integers(1, 3)
#: The first example will do, so none is made smaller.
FIRST = settings(phases=[Phase.generate], max_examples=5_000)


@given(
    ours.rule_sets(accounts=FEW, tweets=FEW),
    ours.tweets(tweet_ids=FEW, accounts=FEW),
    ours.viewers(accounts=FEW),
    ours.instants(),
    ours.policies(),
)
def test_engine_and_reference_agree_on_what_is_drawn(rules, tweet, viewer, at, policy):
    assert Engine(rules, policy).check(tweet, viewer, at) == Reference(rules, policy).check(tweet, viewer, at)


def test_e11_without_hypothesis_they_name_the_extra():
    code = "import sys; sys.modules['hypothesis'] = None; import withhold.testing.strategies"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    wanted = "ModuleNotFoundError: the strategies need Hypothesis, which is not installed; install the extra `test` of withhold"
    assert found.stderr.splitlines()[-1].startswith(wanted)


def test_what_there_is_can_be_drawn():
    """`find` would raise `NoSuchExample` for a value that is never drawn."""
    find(ours.rules(), lambda rule: rule.effect is Effect.SUSPEND, settings=FIRST)
    find(ours.rules(), lambda rule: bool(rule.except_in and rule.stays and rule.until), settings=FIRST)
    find(ours.rule_sets(max_size=2), lambda rules: len(rules) == 2, settings=FIRST)
    find(ours.viewers(), lambda viewer: len(viewer.subdivisions) > 1, settings=FIRST)
    find(ours.viewers(), lambda viewer: viewer.country is None and viewer.account_id is not None, settings=FIRST)
    find(ours.tweets(), lambda tweet: tweet.retweet_of is not None and tweet.quoted is not None, settings=FIRST)
    find(ours.periods(), lambda period: period.start is None and period.end is not None, settings=FIRST)


@given(ours.periods(st.just(datetime(2021, 1, 1, tzinfo=UTC))))
def test_no_period_is_empty(period):
    assert period.start is None or period.end is None
