"""Many threads ask while rule sets are exchanged: no page is answered from two revisions."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from tests.implementations import MakeSnapshot, each_snapshot
from withhold import Engine, Rule, RuleSet, Viewer

TWEETS = range(1, 401)
PAGE = [(tweet, 9) for tweet in TWEETS]
ROUNDS = 1000


def rules(version: int) -> RuleSet:
    """A version withholds all tweets, with rules of its own name; every one in the same places."""
    ids = range(1, 401)
    return RuleSet(
        Rule(id=f"v{version}-{part}", tweets=ids[part::4], withheld_in=["IN"], reason="terms") for part in range(4)
    )


@each_snapshot
def test_no_page_mixes_revisions(snapshot_of: MakeSnapshot) -> None:
    snapshots = [snapshot_of(rules(version)) for version in range(3)]
    revisions = {snapshot.revision: f"v{version}-" for version, snapshot in enumerate(snapshots)}
    engine = Engine(snapshots[0])
    done = threading.Event()

    def serve() -> set[str]:
        seen = set()
        while not done.is_set():
            page = engine.view(Viewer(country="IN")).filter(PAGE)
            found = {decision.revision for _, decision in page.withheld}
            assert len(page.withheld) == len(PAGE)
            assert len(found) == 1, "one page, one revision"
            assert {str(decision.rule_id)[:3] for _, decision in page.withheld} == {revisions[found.copy().pop()]}
            seen |= found
        return seen

    with ThreadPoolExecutor(8) as threads:
        serving = [threads.submit(serve) for _ in range(8)]
        try:
            for round_ in range(ROUNDS):
                snapshot = snapshots[round_ % 3]
                engine.activate(snapshot)
                assert engine.view(Viewer(country="IN")).check(1, 9).revision == snapshot.revision
        finally:
            done.set()
        assert set().union(*(each.result() for each in serving)) == set(revisions)
