"""One size of rule set, measured in a process of its own: answers first, then times, turn by turn."""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import pyperf

from benchmarks import workload
from benchmarks.workload import NOW, Pair
from withhold import Engine, Reference, RuleSet, Snapshot, Tweet, View, Viewer
from withhold.model import MAX_ID

VIEWER = Viewer(country="IN")


class ByHand:
    """The rival: what an engineer writes who needs no reason, no date, no doubt and no check of ids."""

    def __init__(self, tweets: Iterable[int], accounts: Iterable[int]) -> None:
        self.tweets = frozenset(tweets)
        self.accounts = frozenset(accounts)

    def withholds(self, tweet_id: int, account_id: int) -> bool:
        return tweet_id in self.tweets or account_id in self.accounts

    def checked(self, tweet_id: int, account_id: int) -> bool:
        """The same, for one who must not call what is no id visible: it takes this much, whoever writes it."""
        if (0 <= tweet_id | account_id <= MAX_ID) is True:
            return tweet_id in self.tweets or account_id in self.accounts
        raise ValueError

    def filter(self, page: list[Pair]) -> list[Pair]:
        """What a page takes."""
        tweets, accounts = self.tweets, self.accounts
        return [(tweet, account) for tweet, account in page if tweet not in tweets and account not in accounts]

    def pick(self, page: list[Pair]) -> list[Pair]:
        """The same a little faster: it hands the pairs on, and does not make them again."""
        tweets, accounts = self.tweets, self.accounts
        return [pair for pair in page if pair[0] not in tweets and pair[1] not in accounts]

    def filter_checked(self, page: list[Pair]) -> list[Pair]:
        """The same, with the check of ids that `checked` makes."""
        tweets, accounts = self.tweets, self.accounts
        return [
            (tweet, account)
            for tweet, account in page
            if (0 <= tweet | account <= MAX_ID) is True and tweet not in tweets and account not in accounts
        ]

    def split(self, page: list[Pair]) -> tuple[list[Pair], list[int]]:
        """What `filter` of a view returns besides: where the withheld ones stood."""
        tweets, accounts = self.tweets, self.accounts
        hits = [at for at, (tweet, account) in enumerate(page) if tweet in tweets or account in accounts]
        visible = list(page)
        for at in reversed(hits):
            del visible[at]
        return visible, hits


class Empty:
    """The floor: a method of the same signature that looks nothing up."""

    def withholds(self, tweet_id: int, account_id: int) -> bool:  # noqa: ARG002
        return False


@dataclass(frozen=True)
class Contender:
    """Something to time: `run` answers `items` questions."""

    name: str
    run: Callable[[], object]
    items: int


def main() -> None:
    """Time one size and write a pyperf suite to the file named."""
    parser = argparse.ArgumentParser()
    parser.add_argument("rules", type=int)
    parser.add_argument("output")
    parser.add_argument("--turns", type=int, default=25)
    parser.add_argument("--questions", type=int, default=50_000)
    options = parser.parse_args()

    rule_set = workload.rules(options.rules)
    view = Engine(rule_set).view(VIEWER, NOW)
    missing = workload.misses(options.questions)
    mixed = workload.traffic(rule_set, options.questions)
    all_ids = ByHand((t for rule in rule_set for t in rule.tweets), (a for rule in rule_set for a in rule.accounts))
    here = [rule for rule in rule_set if rule.withheld_in[0] in ("IN", "WORLD")]
    in_india = ByHand((t for rule in here for t in rule.tweets), (a for rule in here for a in rule.accounts))
    agree(rule_set, view, all_ids, in_india, missing, mixed)

    contenders = [
        *one_by_one("miss", missing, view, all_ids),
        *one_by_one("hot miss", missing[:500] * 20, view, all_ids),
        *by_page("page, nothing named", missing, view, all_ids),
        *by_page("hot page, nothing named", missing[:500] * 20, view, all_ids),
        *by_page("page, 1 % named", mixed, view, in_india),
        *by_tweet(missing, view),
        *first_asked(rule_set, mixed),
    ]
    suite = timed(contenders, options.turns, options.rules)
    suite.dump(options.output, replace=True)


def agree(
    rules: RuleSet, view: View, all_ids: ByHand, in_india: ByHand, missing: list[Pair], mixed: list[Pair]
) -> None:
    """Stop unless everybody gives the right answers, on all of the traffic that is timed."""
    # The reference reads every rule for every question: of a large set, it gets those that the questions name.
    asked = {id_ for pair in mixed for id_ in pair}
    named = RuleSet(rule for rule in rules if not asked.isdisjoint((*rule.tweets, *rule.accounts)))
    reference = Reference(named)
    hits = [pair for pair in mixed if not asked_by_none(pair, named)]
    for pair in random.Random(4).sample(hits, min(len(hits), 50)) + random.Random(4).sample(mixed, 50):
        if view.withholds(*pair) != (not reference.check(pair, VIEWER, NOW).visible):
            sys.exit(f"the engine is wrong about {pair}")
    if any(view.withholds(*pair) or all_ids.withholds(*pair) for pair in missing):
        sys.exit("a miss is no miss")
    if [view.withholds(*pair) for pair in mixed] != [in_india.withholds(*pair) for pair in mixed]:
        sys.exit("the engine and the rival disagree")
    for page in workload.pages(mixed):
        if view.filter(page).visible != in_india.filter(page):
            sys.exit("the engine and the rival disagree on a page")
        if [at for at, _ in view.filter(page).withheld] != in_india.split(page)[1]:
            sys.exit("the engine and the rival disagree on what is withheld")


def asked_by_none(pair: Pair, rules: RuleSet) -> bool:
    """Tell whether no rule names a pair."""
    return not any(pair[0] in rule.tweets or pair[1] in rule.accounts for rule in rules)


def one_by_one(what: str, pairs: list[Pair], view: View, hand: ByHand) -> list[Contender]:
    """Ask for each pair from a loop, whose own cost is in every figure."""

    def asking(withholds: Callable[[int, int], bool]) -> Callable[[], None]:
        def run() -> None:
            for tweet, account in pairs:
                withholds(tweet, account)

        return run

    rivals = {
        "view": view.withholds,
        "hand": hand.withholds,
        "hand, checked": hand.checked,
        "floor": Empty().withholds,
    }
    return [Contender(f"{what}: {name}", asking(method), len(pairs)) for name, method in rivals.items()]


def by_page(what: str, pairs: list[Pair], view: View, hand: ByHand) -> list[Contender]:
    """`filter`, called for each page."""
    cut = list(workload.pages(pairs))

    def asking(answer: Callable[[list[Pair]], object]) -> Callable[[], None]:
        def run() -> None:
            for page in cut:
                answer(page)

        return run

    rivals: dict[str, Callable[[list[Pair]], object]] = {
        "view": view.filter,
        "hand": hand.filter,
        "hand, checked": hand.filter_checked,
        "hand, no copies": hand.pick,
        "hand, told apart": hand.split,
    }
    return [Contender(f"{what}: {name}", asking(method), len(pairs)) for name, method in rivals.items()]


def by_tweet(pairs: list[Pair], view: View) -> list[Contender]:
    """Pages of `Tweet`s that are made already: plain ones, and such of which 30 % retweet another."""
    plain = [Tweet(*pair) for pair in pairs[:10_000]]
    mixed = [tweet if at % 10 > 2 else replace(tweet, retweet_of=plain[at - 1]) for at, tweet in enumerate(plain)]
    kinds = {"page of `Tweet`s": plain, "page of `Tweet`s, 30 % retweets": mixed}

    def asking(tweets: list[Tweet]) -> Callable[[], None]:
        cut = [tweets[at : at + workload.PAGE] for at in range(0, len(tweets), workload.PAGE)]

        def run() -> None:
            for page in cut:
                view.filter(page)

        return run

    return [Contender(f"{what}: view", asking(tweets), len(tweets)) for what, tweets in kinds.items()]


def first_asked(rules: RuleSet, mixed: list[Pair]) -> list[Contender]:
    """What rules name, asked for the first time after a change, and again: decisions are made, then kept."""
    snapshot = Snapshot.compile(rules)
    engine = Engine(snapshot)
    view = engine.view(VIEWER, NOW)
    hits = [pair for pair in mixed if view.check(*pair).territories][:400]

    def first() -> None:
        engine.activate(snapshot)
        new = engine.view(VIEWER, NOW)
        for pair in hits:
            new.check(*pair)

    def again() -> None:
        for pair in hits:
            view.check(*pair)

    return [
        Contender("what is named, asked first: view", first, len(hits)),
        Contender("what is named, asked again: view", again, len(hits)),
    ]


def timed(contenders: list[Contender], turns: int, rules: int) -> pyperf.BenchmarkSuite:
    """Let all of them run in every turn, in an order that changes, so that a slow moment strikes all alike."""
    values: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    order = list(contenders)
    for turn in range(turns + 1):
        random.Random(turn).shuffle(order)
        for contender in order:
            began = pyperf.perf_counter()
            contender.run()
            took = (pyperf.perf_counter() - began) / contender.items
            if turn:  # the first one warms up
                values[contender.name].append(took)
        sys.stderr.write(".")
        sys.stderr.flush()
    sys.stderr.write("\n")
    return pyperf.BenchmarkSuite(
        [
            pyperf.Benchmark([pyperf.Run(found, metadata={"name": name, "rules": rules}, collect_metadata=True)])
            for name, found in values.items()
        ]
    )


if __name__ == "__main__":
    main()
