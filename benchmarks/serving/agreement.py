"""Compare the answers of a rival with the right answers. A rival with a wrong answer is never timed."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.questions import Pool, flat
from benchmarks.rivals.rival import Rival
from benchmarks.serving.scenarios import Scenario, pages, questions_of
from benchmarks.workload import Pair


class WrongAnswerError(Exception):
    """An implementation or a rival gives a wrong answer. The message contains the question."""


def disagreement(
    rival: Rival, found: list[Scenario], plan: dict[str, int], pools: dict[str, Pool], turns: int
) -> str | None:
    """Ask a rival every question of the plan in the same way as when it is timed. Return its first mistake, or None."""
    for scenario in found:
        pool = pools[scenario.pool]
        for turn in range(turns):
            pairs = questions_of(found, scenario, pool.pairs, turn, plan[scenario.name])
            if scenario.pool in ("hot", "hits"):
                pairs = pairs[: len(pool.pairs)]
            right = questions_of(
                found, scenario, list(zip(pool.expected, pool.expected, strict=True)), turn, len(pairs)
            )
            given = answers(rival, scenario, pairs)
            if given is None:
                continue
            for pair, answer, (expected, _) in zip(pairs, given, right, strict=True):
                if answer is not bool(expected):
                    subject = f"tweet {pair[0]} of account {pair[1]}"
                    return f"{scenario.name}: {subject} is {_word(expected)}, and it answers {_word(answer)}"
    return None


def answers(rival: Rival, scenario: Scenario, pairs: Sequence[Pair]) -> list[bool] | None:
    """Return a rival's answers, or None if it does not support the kind of question."""
    listed = list(pairs)
    if scenario.kind in ("calls", "loop"):
        check = rival.checker()
        return [check(*pair) for pair in listed]
    given: list[bool] = []
    mask = rival.masker()
    for page in pages(listed, scenario.page):
        if scenario.kind == "page":
            withheld = set(rival.page(page))
            given += [index in withheld for index in range(len(page))]
        elif mask is None:
            return None
        else:
            given += map(bool, mask(*flat(page)))
    return given


def _word(withheld: int) -> str:
    return "withheld" if withheld else "not withheld"
