"""Rule sets are replaced while views exist: each view keeps answering from the one that it was made from."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from tests.implementations import available_snapshots
from tests.strategies import ACCOUNTS, TWEETS, instants, policies, reference, rule_sets, viewers
from withhold import Engine

WAYS = available_snapshots()
PAGE = [(tweet, account) for tweet in TWEETS for account in ACCOUNTS]


class Serving(RuleBasedStateMachine):
    """An engine, compared with a plain list of the answers that its views must give."""

    views = Bundle("views")

    @initialize(rules=rule_sets(), policy=policies)
    def start(self, rules, policy):
        self.policy, self.current = policy, rules
        self.engine = Engine(rules, policy)

    @rule(rules=rule_sets(), how=st.sampled_from([*WAYS]))
    def activate(self, rules, how):
        self.current = rules
        self.engine.activate(WAYS[how](rules))

    @rule(target=views, viewer=viewers(), at=instants)
    def open(self, viewer, at):
        return self.engine.view(viewer, at), reference(self.current, self.policy)

    @rule(opened=views, pair=st.sampled_from(PAGE))
    def ask_one(self, opened, pair):
        view, right = opened
        assert view.check(tweet_id=pair[0], account_id=pair[1]) == right.check(pair, view.viewer, view.at)

    @rule(opened=views)
    def ask_a_page(self, opened):
        view, right = opened
        wanted = [right.check(pair, view.viewer, view.at) for pair in PAGE]
        page = view.filter(PAGE)
        assert [decision for _, decision in page.hidden] == [found for found in wanted if not found.visible]
        assert {decision.revision for _, decision in page.hidden} <= {right.rules.digest[:16]}

    @invariant()
    def the_engine_shows_the_latest(self):
        if hasattr(self, "engine"):
            assert self.engine.snapshot.revision == self.current.digest[:16]


Serving.TestCase.settings = settings(max_examples=25, stateful_step_count=15)
TestServing = Serving.TestCase
