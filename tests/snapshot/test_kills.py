"""A process that is killed while it saves leaves the old file or the new one.

The next save removes its temporary files.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests import forking

# Forks in a separate process without threads. A child saves two rule sets alternately, and is killed after a random
# time.
KILLER = """
import json, os, random, signal, sys, time
from withhold import Rule, RuleSet, Snapshot

path, least, most = sys.argv[1], *map(int, sys.argv[2:])
sets = [
    RuleSet([Rule(id="r", tweets=range(start, start + 20_000), withheld_in=["IN"], reason="terms")]) for start in (1, 9)
]
snapshots = [Snapshot.compile(rules) for rules in sets]
chance, found, unfinished = random.Random(1), {rules.revision: 0 for rules in sets}, set()

def saving(number):
    child = os.fork()
    if child == 0:
        for number in range(number, number + 50):
            snapshots[number % 2].save(path)
        os._exit(0)
    return child

began = time.perf_counter()
os.waitpid(saving(0), 0)
once = (time.perf_counter() - began) / 50
for kill in range(most):
    # On a busy machine, the first kills may all happen before anything is written.
    if kill >= least and min(found.values()) > 5 and len(unfinished) > 5:
        break
    child = saving(chance.randrange(2))
    time.sleep(chance.uniform(0, 10 * once))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    opened = Snapshot.open(path)
    found[opened.revision] += 1
    assert opened.rules in sets
    left = set(os.listdir(os.path.dirname(path))) - {os.path.basename(path)}
    assert all(name.startswith(".withhold-") and name.endswith(".partial") for name in left)
    unfinished |= left
snapshots[0].save(path)
print(json.dumps([list(found.values()), len(unfinished)]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="only where processes fork")
def test_after_100_kills_there_is_always_a_complete_file(tmp_path: Path) -> None:
    path = tmp_path / "rules.wh"
    found, unfinished = json.loads(forking.output(KILLER, path, 100, 2000))
    assert sum(found) >= 100
    assert min(found) > 5, "both files were found, so kills happened before and after the replacement"
    assert unfinished > 5, "kills happened while a file was being written"
    assert list(tmp_path.iterdir()) == [path], "one more save has removed all leftovers"
