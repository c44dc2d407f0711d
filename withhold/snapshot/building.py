"""The index of rules: which rules name an id, told by one number. Made in C where that is there, and else here."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from itertools import accumulate, chain

from withhold import native
from withhold.errors import Problem, RuleSetError
from withhold.model.ids import MAX_ID, IdSet
from withhold.model.rule import Rule
from withhold.snapshot.buckets import bucket_of, buckets_for, mask_of, mixed
from withhold.snapshot.format import KINDS, MOST, SECTIONS, Bytes

#: Rules that some ids have in common: their numbers, ascending.
Combination = tuple[int, ...]


def indexed_in_c(rules: Sequence[Rule]) -> tuple[dict[str, Bytes], list[Combination]]:
    """Return the sections of both tables that `named_by` and `laid_out` would make. O(ids), 0.1 µs or so each."""
    known: dict[bytes, int] = {}
    sections: dict[str, Bytes] = {}
    postings: list[bytearray] = []
    for kind in KINDS:
        ids, lengths = array("q"), array("I")
        for rule in rules:
            named: IdSet = getattr(rule, kind)
            ids.frombytes(named.tobytes())
            lengths.append(len(named))
        _check_size(len(ids))
        built = native.index.build(ids, lengths, buckets_for(len(ids)), known, len(rules))
        sections |= _parts(kind, built)
        postings.append(built[-1])
    combinations = [tuple(array("I", together)) for together in known]
    order = sorted(combinations)
    if combinations != order:
        new = {together: at for at, together in enumerate(order)}
        numbers = array("I", (new[together] for together in combinations))
        for section in postings:
            native.index.renumber(section, numbers, len(rules))
    return sections, order


def _parts(kind: str, parts: Sequence[Bytes]) -> dict[str, Bytes]:
    names = (name for name in SECTIONS if name.startswith(kind))
    return dict(zip(names, parts, strict=True))


def sections_of(combinations: Sequence[Combination]) -> dict[str, Bytes]:
    """Return the sections of combinations."""
    starts = array("Q", accumulate(map(len, combinations), initial=0))
    return {"combinations.starts": starts, "combinations.rules": array("I", chain.from_iterable(combinations))}


def _check_size(ids: int) -> None:
    if ids >= MOST:
        raise RuleSetError(
            [Problem("too-many-ids", f"a snapshot holds {MOST - 1:,} ids of a kind, and these are {ids:,}")]
        )


def named_by(rules: Sequence[Rule]) -> tuple[dict[str, dict[int, int]], list[Combination]]:
    """Turn rules around, in Python: by kind, each id to its posting; and the combinations. O(ids).

    A posting is the number of the one rule that names an id, or, from the number of all rules on, that of a
    combination of several.
    """
    combinations: dict[tuple[int, int], int] = {}
    #: Each combination as the posting that it grew from, and the rule that it has more: thousands of rules on one account
    #: make as many combinations, which together would take the square of that.
    known: list[tuple[int, int]] = []

    def grown(before: int, number: int) -> int:
        """Return the posting of what another stands for, together with one more rule."""
        together = before, number
        if together not in combinations:
            combinations[together] = len(rules) + len(known)
            known.append(together)
        return combinations[together]

    def together_in(posting: int) -> Combination:
        """Return the rules that a posting stands for."""
        numbers = []
        while posting >= len(rules):
            posting, number = known[posting - len(rules)]
            numbers.append(number)
        return (posting, *reversed(numbers))

    postings: dict[str, dict[int, int]] = {kind: {} for kind in KINDS}
    for kind, named in postings.items():
        for number, rule in enumerate(rules):
            # Most ids of a rule stand in no other, or in the same others: one step for each distinct posting.
            after: dict[int | None, int] = {None: number}
            for id_ in getattr(rule, kind):
                before = named.get(id_)
                if before is not None and before not in after:
                    after[before] = grown(before, number)
                named[id_] = after[before]
    # Combinations that grew into larger ones name nothing any more, and the others are put in order.
    used = {posting for named in postings.values() for posting in named.values() if posting >= len(rules)}
    rules_of = {posting: together_in(posting) for posting in used}
    placed = sorted(used, key=rules_of.__getitem__)
    new = {posting: len(rules) + at for at, posting in enumerate(placed)}
    if any(old != at for old, at in new.items()):
        for named in postings.values():
            named.update({id_: new[posting] for id_, posting in named.items() if posting >= len(rules)})
    return postings, [rules_of[posting] for posting in placed]


def laid_out(named: Mapping[int, int], kind: str, ids: int) -> dict[str, Bytes]:
    """Return a table as sections, with buckets for so many ids. O(ids), some microseconds each."""
    _check_size(ids)
    buckets = buckets_for(ids)
    words, starts = array("Q", bytes(8 * buckets)), array("I", bytes(4 * (buckets + 1)))
    keys = sorted(bucket_of(mixed(id_), buckets) << 63 | id_ for id_ in named)
    placed = array("q", (key & MAX_ID for key in keys))
    for key, id_ in zip(keys, placed, strict=True):
        words[key >> 63] |= mask_of(mixed(id_))
        starts[(key >> 63) + 1] += 1
    return _parts(kind, (words, array("I", accumulate(starts)), placed, array("I", map(named.__getitem__, placed))))
