"""Build the index, which maps each id to its posting: a number that denotes the rules that name the id.

`index_in_c` uses `withhold.native`. The other functions do the same in Python.
"""

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

#: The numbers of several rules that name the same id, ascending.
Combination = tuple[int, ...]


def index_in_c(rules: Sequence[Rule]) -> tuple[dict[str, Bytes], list[Combination]]:
    """Return the sections of both tables, and the combinations. O(ids); about 0.1 µs for each id.

    The result equals that of `postings_by_id` and `table_sections`. Raises `RuleSetError` for too many ids.
    """
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
    """Return the sections that store combinations."""
    starts = array("Q", accumulate(map(len, combinations), initial=0))
    return {"combinations.starts": starts, "combinations.rules": array("I", chain.from_iterable(combinations))}


def _check_size(ids: int) -> None:
    if ids >= MOST:
        message = f"the rules name {ids:,} ids of one kind, and a snapshot holds at most {MOST - 1:,}"
        raise RuleSetError([Problem("too-many-ids", message, hint="split the rule set")])


def postings_by_id(rules: Sequence[Rule]) -> tuple[dict[str, dict[int, int]], list[Combination]]:
    """Return, for each kind, the posting of each id; and the combinations. O(ids).

    A posting below `len(rules)` is the number of the only rule that names the id. Any other posting is `len(rules)`
    plus the number of a combination.
    """
    combinations: dict[tuple[int, int], int] = {}
    # Each combination is stored as the posting of a shorter one and one more rule. Thousands of rules on one account
    # create as many combinations, which would take quadratic memory if they were stored in full.
    known: list[tuple[int, int]] = []

    def extended(before: int, number: int) -> int:
        """Return the posting for the rules of another posting and one more rule."""
        together = before, number
        if together not in combinations:
            combinations[together] = len(rules) + len(known)
            known.append(together)
        return combinations[together]

    def rules_in(posting: int) -> Combination:
        """Return the numbers of the rules that a posting denotes."""
        numbers = []
        while posting >= len(rules):
            posting, number = known[posting - len(rules)]
            numbers.append(number)
        return (posting, *reversed(numbers))

    postings: dict[str, dict[int, int]] = {kind: {} for kind in KINDS}
    for kind, named in postings.items():
        for number, rule in enumerate(rules):
            # Most ids of a rule are in no other rule, or in the same other rules: extend each distinct posting once.
            after: dict[int | None, int] = {None: number}
            for id_ in getattr(rule, kind):
                before = named.get(id_)
                if before is not None and before not in after:
                    after[before] = extended(before, number)
                named[id_] = after[before]
    # Drop combinations that no id has any longer because they were extended, and sort the others.
    used = {posting for named in postings.values() for posting in named.values() if posting >= len(rules)}
    rules_of = {posting: rules_in(posting) for posting in used}
    placed = sorted(used, key=rules_of.__getitem__)
    new = {posting: len(rules) + at for at, posting in enumerate(placed)}
    if any(old != at for old, at in new.items()):
        for named in postings.values():
            named.update({id_: new[posting] for id_, posting in named.items() if posting >= len(rules)})
    return postings, [rules_of[posting] for posting in placed]


def table_sections(named: Mapping[int, int], kind: str, ids: int) -> dict[str, Bytes]:
    """Return the sections of a table of postings, with buckets for `ids` ids. O(ids); a few microseconds for each id.

    Raises `RuleSetError` for too many ids.
    """
    _check_size(ids)
    buckets = buckets_for(ids)
    words, starts = array("Q", bytes(8 * buckets)), array("I", bytes(4 * (buckets + 1)))
    keys = sorted(bucket_of(mixed(id_), buckets) << 63 | id_ for id_ in named)
    placed = array("q", (key & MAX_ID for key in keys))
    for key, id_ in zip(keys, placed, strict=True):
        words[key >> 63] |= mask_of(mixed(id_))
        starts[(key >> 63) + 1] += 1
    return _parts(kind, (words, array("I", accumulate(starts)), placed, array("I", map(named.__getitem__, placed))))
