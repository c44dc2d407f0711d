"""Guarantees of the serving calls besides the right answer: checked ids, shared objects, one clock, one snapshot."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.engine.material import INDIA, NOON, rule
from tests.engine.material import engine as engine
from tests.engine.material import view as view
from withhold import Engine, Outcome, Policy, RuleSet, Snapshot, Tweet, Viewer
from withhold.engine import decider

NOT_INTS = ["20", 20.0, 17.5, None, True, False, b"20", Decimal(20), [20], (20,), {}, float("nan"), 1 + 0j]

OUT_OF_RANGE = [0, -1, -17, 2**63, 2**64, -(2**63), 10**5000]


class TestIds:
    """A4: anything but an int in range is an error, and never a silent "visible"."""

    @pytest.mark.parametrize("bad", NOT_INTS, ids=repr)
    @pytest.mark.parametrize("good", [17, 99])
    def test_anything_but_an_int_is_a_type_error(self, view, bad, good):
        for call in (
            lambda: view.withholds(bad, good),
            lambda: view.withholds(good, bad),
            lambda: view.filter([(99, 98), (bad, good)]),
            lambda: view.filter([(99, 98), (good, bad)]),
            lambda: view.filter([Tweet(99, 98), (bad, good)]),
            lambda: view.mask([99, bad], [98, good]),
            lambda: view.mask([99, good], [98, bad]),
            lambda: Tweet(bad, good),
            lambda: Tweet(good, bad),
        ):
            with pytest.raises(TypeError, match="is not an int"):
                call()

    @pytest.mark.parametrize("bad", OUT_OF_RANGE, ids=lambda value: f"{value.bit_length()}-bits")
    @pytest.mark.parametrize("good", [17, 99])
    def test_an_int_out_of_range_is_a_value_error(self, view, bad, good):
        for call in (
            lambda: view.withholds(bad, good),
            lambda: view.withholds(good, bad),
            lambda: view.check(tweet_id=bad, account_id=good),
            lambda: view.check(tweet_id=good, account_id=bad),
            lambda: view.filter([(99, 98), (bad, good)]),
            lambda: view.filter([(99, 98), (good, bad)]),
            lambda: view.mask([99, bad], [98, good]),
            lambda: view.mask([99, good], [98, bad]),
            lambda: Tweet(bad, good),
        ):
            with pytest.raises(ValueError, match="is not between 1 and"):
                call()

    @pytest.mark.parametrize("bad", [value for value in NOT_INTS if value is not None], ids=repr)
    def test_check_needs_ints_too(self, view, bad):
        for call in (lambda: view.check(tweet_id=bad), lambda: view.check(account_id=bad)):
            with pytest.raises(TypeError, match="is not an int"):
                call()

    def test_the_limits_themselves_are_ids(self, view):
        assert not view.withholds(1, 2**63 - 1)
        assert not view.withholds(2**63 - 1, 1)
        assert view.filter([(1, 2**63 - 1)]).visible == [(1, 2**63 - 1)]

    def test_a_subject_needs_an_id(self, engine, view):
        for call in (
            view.check,
            lambda: engine.check((None, None), INDIA),
            lambda: engine.explain((None, None), INDIA),
        ):
            with pytest.raises(ValueError, match="no-subject"):
                call()

    @pytest.mark.parametrize("bad", [5, (1,), (1, 2, 3), "x", None])
    def test_a_subject_is_a_tweet_or_a_pair(self, engine, view, bad):
        for call in (lambda: engine.check(bad, INDIA), lambda: view.filter([bad])):
            with pytest.raises((ValueError, TypeError)):
                call()

    @pytest.mark.parametrize("pairs", [[(1, 2, 3), (4, 5, 6)], [(1, 2), (3,)], [(1, 2), (3, 4, 5)]])
    def test_a_page_of_invalid_pairs_is_refused(self, view, pairs):
        with pytest.raises(ValueError, match="not-a-subject"):
            view.filter(pairs)

    def test_integers_of_other_libraries_are_ids(self, view):
        class Int64:
            """Behaves like the scalars of numpy."""

            def __init__(self, value):
                self.value = value

            def __index__(self):
                return self.value

            def __hash__(self):
                return hash(self.value)

            def __eq__(self, other):
                return self.value == other

        assert view.check(account_id=Int64(17)).withheld
        assert [index for index, _ in view.filter([(99, Int64(17))]).hidden] == [0]


class TestViewersAndTweets:
    """Anything but a viewer or a tweet is an error, and never a viewer to whom everything is visible."""

    @pytest.mark.parametrize("bad", ["IN", None, ("IN", ()), 17])
    def test_anything_but_a_viewer(self, engine, bad):
        for call in (engine.view, lambda who: engine.check((1, 17), who), lambda who: engine.explain((1, 17), who)):
            with pytest.raises(TypeError, match="is not a viewer"):
                call(bad)

    @pytest.mark.parametrize("bad", [(10, 1), 10, "x"])
    def test_anything_but_a_tweet(self, bad):
        for call in (lambda: Tweet(20, 2, retweet_of=bad), lambda: Tweet(20, 2, quoted=bad)):
            with pytest.raises(TypeError, match="is not a tweet"):
                call()


class Tensor:
    """Behaves like a scalar of a tensor library: it converts to an int, but hashes by identity."""

    def __init__(self, value):
        self.value = value

    def __index__(self):
        return self.value

    def __or__(self, other):
        return Tensor(self.value | int(getattr(other, "value", other)))

    __ror__ = __or__

    def __le__(self, other):
        return Tensor(self.value <= other)

    def __ge__(self, other):
        return Tensor(self.value >= other)

    def __bool__(self):
        return bool(self.value)

    __hash__ = object.__hash__


def test_a_number_with_its_own_hash_is_not_visible_because_of_it(view):
    tweet, account = Tensor(20), Tensor(17)
    for pair in ((tweet, account), (tweet, 5), (5, account)):
        assert view.withholds(*pair)
        assert not view.check(tweet_id=pair[0], account_id=pair[1]).visible
        assert [index for index, _ in view.filter([(1, 2), pair]).hidden] == [1]
        assert view.mask([1, pair[0]], [2, pair[1]]) == bytearray([0, 1])


class TestSharing:
    """A2: no answer is built twice."""

    def test_a_miss_is_one_object(self, view, engine):
        assert (
            view.check(tweet_id=99, account_id=98)
            is view.check(account_id=7)
            is engine.check((5, 6), Viewer(country="US"))
        )
        assert view.check(tweet_id=99, account_id=98) is engine._decider.visible

    def test_a_miss_is_never_cached(self, view, engine):
        view.check(tweet_id=99, account_id=98)
        view.filter([(99, 98)])
        assert len(engine._decider._kept) == 0

    def test_a_hit_is_built_once_for_all_ids_of_the_same_rules(self, view, engine):
        first = view.check(tweet_id=20, account_id=5)
        assert view.check(tweet_id=2**62, account_id=6) is first
        assert engine.view(INDIA, NOON + timedelta(days=1)).check(tweet_id=20) is first
        assert engine.view(Viewer(country="US"), NOON).check(tweet_id=20) is not first

    def test_anywhere_and_an_unknown_location_have_different_answers(self, engine):
        for _ in range(2):
            assert engine.anywhere((99, 17), NOON).withheld
            assert engine.check((99, 17), Viewer.unknown(), NOON).visible

    def test_the_caches_are_bounded(self, monkeypatch):
        monkeypatch.setattr(decider, "_KEPT_DECISIONS", 3)
        engine = Engine(RuleSet([rule(str(n), accounts=[n]) for n in range(2, 12)]))
        for _ in range(2):
            assert all(engine.check((None, n), INDIA, NOON).rule_id == str(n) for n in range(2, 12))
        assert len(engine._decider._kept) == 3

    def test_threads_that_evict_each_others_entries(self, monkeypatch):
        """With space for one entry, every look-up races with an eviction by another thread."""
        monkeypatch.setattr(decider, "_KEPT_DECISIONS", 1)
        monkeypatch.setattr(decider, "_KEPT_GEOGRAPHIES", 1)
        places = ["IN", "TR", "US", "FR", "JP", "BR"]
        engine = Engine(RuleSet([rule(code, accounts=[n], withheld_in=[code]) for n, code in enumerate(places, 2)]))

        def ask(start):
            for turn in range(1500):
                n = 2 + (start + turn) % len(places)
                decision = engine.check((None, n), Viewer(country=places[n - 2]), NOON)
                assert decision.rule_id == places[n - 2]

        with ThreadPoolExecutor(6) as threads:
            assert list(threads.map(ask, range(6))) == [None] * 6
        assert len(engine._decider._geographies) == 1

    def test_a_cached_answer_is_used_only_while_it_is_valid(self):
        until = NOON + timedelta(hours=1)
        engine = Engine(RuleSet([rule(from_=NOON, until=until)]))
        instants = [NOON, until, NOON - timedelta(microseconds=1), until - timedelta(microseconds=1)]
        outcomes = [engine.check((None, 17), INDIA, at).outcome for at in instants]
        assert outcomes == [Outcome.WITHHELD, Outcome.VISIBLE, Outcome.VISIBLE, Outcome.WITHHELD]


class TestTime:
    def test_a_view_reads_the_clock_once(self):
        ticks = iter([NOON, NOON + timedelta(days=1)])
        engine = Engine(RuleSet([rule(until=NOON + timedelta(hours=1))]), clock=lambda: next(ticks))
        view = engine.view(INDIA)
        assert view.at == NOON
        assert [view.check(account_id=17).outcome for _ in range(3)] == [Outcome.WITHHELD] * 3
        assert len(view.filter([(1, 17)] * 5).hidden) == 5
        assert next(ticks) == NOON + timedelta(days=1)

    def test_an_instant_needs_a_time_zone(self, engine):
        naive = datetime(2021, 2, 10)  # noqa: DTZ001
        for call in (
            engine.view,
            lambda _, at: engine.check((1, 2), INDIA, at),
            lambda _, at: engine.anywhere((1, 2), at),
        ):
            with pytest.raises(ValueError, match="naive-instant"):
                call(INDIA, naive)

    def test_a_clock_without_a_time_zone_is_refused(self):
        engine = Engine(RuleSet([]), clock=datetime.now)
        with pytest.raises(ValueError, match="naive-instant"):
            engine.view(INDIA)

    def test_the_clock_of_the_engine_is_now(self, engine):
        before = datetime.now(UTC)
        assert before <= engine.view(INDIA).at <= datetime.now(UTC)


class TestActivate:
    """A3: a view sees the snapshot that it was made from, and the next view sees the new one."""

    def test_a_new_rule_is_seen_at_once(self):
        engine = Engine(RuleSet([]))
        old = engine.view(INDIA, NOON)
        assert old.check(account_id=17).visible
        engine.activate(RuleSet([rule()]))
        assert engine.view(INDIA, NOON).check(account_id=17).withheld
        assert engine.check((None, 17), INDIA, NOON).withheld
        assert old.check(account_id=17).visible
        assert not old.withholds(5, 17)

    def test_a_snapshot_is_taken_as_it_is(self, engine):
        snapshot = Snapshot.compile(RuleSet([rule()]))
        engine.activate(snapshot)
        assert engine.snapshot is snapshot
        assert engine.check((None, 17), INDIA).revision == snapshot.revision

    def test_pages_beside_a_thread_that_activates(self):
        """No page mixes two revisions. Both rules withhold everything on it, each with its own id."""
        ids = list(range(2, 40))
        snapshots = [Snapshot.compile(RuleSet([rule(name, accounts=ids)])) for name in ("old", "new")]
        engine = Engine(snapshots[0])
        done = threading.Event()

        def swap():
            while not done.is_set():
                for snapshot in snapshots:
                    engine.activate(snapshot)

        swapper = threading.Thread(target=swap)
        swapper.start()
        try:
            for _ in range(300):
                view = engine.view(INDIA)
                found = {view.check(account_id=id_).rule_id for id_ in ids}
                found |= {decision.rule_id for _, decision in view.filter([(99, id_) for id_ in ids]).hidden}
                assert len(found) == 1
        finally:
            done.set()
            swapper.join()

    def test_the_last_activation_wins(self, monkeypatch):
        """Even if it compiles faster than an earlier one."""
        compile_ = Snapshot.compile
        started = threading.Event()

        def compiled(rules):
            if rules[next(iter(rules)).id].id == "slow":
                started.set()
                time.sleep(0.2)
            return compile_(rules)

        engine = Engine(RuleSet([]))
        monkeypatch.setattr(Snapshot, "compile", compiled)
        first = threading.Thread(target=engine.activate, args=(RuleSet([rule("slow")]),))
        first.start()
        started.wait()
        engine.activate(RuleSet([rule("quick")]))
        first.join()
        assert [found.id for found in engine.snapshot.rules] == ["quick"]

    def test_the_policy_does_not_change(self):
        engine = Engine(RuleSet([]), Policy(unknown_location="withhold"))
        engine.activate(RuleSet([rule()]))
        assert engine.check((None, 17), Viewer.unknown()).withheld


class TestWhatAnEngineIsGiven:
    def test_anything_but_a_rule_set(self):
        bad: Any
        for bad in ("rules/", [rule()], None):
            with pytest.raises(TypeError, match=r"is not a rule set \[not-a-rule-set\]; use `RuleSet.load"):
                Engine(bad)
        bad = "rules/"
        with pytest.raises(TypeError, match="not-a-rule-set"):
            Engine(RuleSet([])).activate(bad)
        with pytest.raises(ValueError, match=r"not-a-rule\]; use `RuleSet.load` to read files"):
            RuleSet(bad)

    @pytest.mark.parametrize("bad", ["withhold", {}, 0])
    def test_anything_but_a_policy(self, bad):
        with pytest.raises(TypeError, match="is not a policy"):
            Engine(RuleSet([]), bad)

    def test_check_tweet_needs_a_tweet(self, view):
        with pytest.raises(TypeError, match="is not a tweet"):
            view.check_tweet((1, 2))

    def test_mask_needs_an_order(self, view):
        for bad in ({1, 2}, {1: 2}, frozenset({1})):
            with pytest.raises(TypeError, match="is unordered"):
                view.mask(bad, bad)
