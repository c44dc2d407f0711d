"""Nobody is timed who gives a wrong answer: all questions that are timed are asked before, and compared."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.questions import Pool, flat
from benchmarks.rivals.rival import Rival
from benchmarks.serving.scenarios import Scenario, asked, pages
from benchmarks.workload import Pair


class WrongAnswerError(Exception):
    """Who is wrong about what."""


def disagreement(
    rival: Rival, found: list[Scenario], plan: dict[str, int], pools: dict[str, Pool], turns: int
) -> str | None:
    """Ask a rival every question of the plan, in the way in which it is timed; return what it gets wrong first."""
    for scenario in found:
        pool = pools[scenario.pool]
        for turn in range(turns):
            pairs = asked(found, scenario, pool.pairs, turn, plan[scenario.name])
            if scenario.pool in ("hot", "hits"):
                pairs = pairs[: len(pool.pairs)]
            right = asked(found, scenario, list(zip(pool.expected, pool.expected, strict=True)), turn, len(pairs))
            said = answers(rival, scenario, pairs)
            if said is None:
                continue
            for pair, answer, (expected, _) in zip(pairs, said, right, strict=True):
                if answer is not bool(expected):
                    about = f"tweet {pair[0]} of account {pair[1]}"
                    return f"{scenario.name}: {about} is {_word(expected)}, and it says {_word(answer)}"
    return None


def answers(rival: Rival, scenario: Scenario, pairs: Sequence[Pair]) -> list[bool] | None:
    """Return what a rival says to each, or None if it cannot be asked in this way."""
    listed = list(pairs)
    if scenario.kind in ("calls", "loop"):
        check = rival.checker()
        return [check(*pair) for pair in listed]
    said: list[bool] = []
    mask = rival.masker()
    for page in pages(listed, scenario.page):
        if scenario.kind == "page":
            withheld = set(rival.page(page))
            said += [index in withheld for index in range(len(page))]
        elif mask is None:
            return None
        else:
            said += map(bool, mask(*flat(page)))
    return said


def _word(withheld: int) -> str:
    return "withheld" if withheld else "not withheld"
