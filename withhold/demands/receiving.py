"""Receive a demand with its lists, settle its count, and bind its entries to accounts and tweets."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from withhold.demands.fields import Demand, overseas_notes
from withhold.demands.fold import Data, is_bound
from withhold.demands.intake.entries import Bucket, Entry, Kind, Note, note
from withhold.demands.recording import Clerk, Command, Done, record
from withhold.demands.transitions import (
    TargetState,
    Verb,
    check_demand,
    check_target,
    is_expressible,
    place_of,
    unknown_demand,
)
from withhold.demands.vocabulary import DemandKind, Relation
from withhold.errors import Problem, quoted
from withhold.ledger import Ledger
from withhold.model.ids import MAX_ID

#: The targets to which an entry can be bound. An id has exactly one form, because safeguards compare it as text.
_TARGET = re.compile(
    r"(?:account|tweet):[1-9][0-9]{0,18}|(?:hashtag|search|list|space|community):.+", re.ASCII | re.DOTALL
)
_AUTHOR = re.compile(r"account:[1-9][0-9]{0,18}", re.ASCII)
_NAMING = (Bucket.UNIQUE, Bucket.DUPLICATE, Bucket.ERROR)


class Resolved(StrEnum):
    """The result of resolving an entry."""

    RESOLVED = "resolved"
    NOT_FOUND = "not_found"
    DELETED = "deleted"
    ALREADY_SUSPENDED = "already_suspended"
    HANDLE_MISMATCH = "handle_mismatch"
    AMBIGUOUS = "ambiguous"
    #: A person read an entry in quarantine.
    CORRECTED = "corrected"


class Resolution(NamedTuple):
    """The account or tweet to which the entry `number` is bound, such as `account:1101` or `tweet:1355667106821046272`,
    and the author of a tweet.

    >>> Resolution(7, bound="account:1101").found
    <Resolved.RESOLVED: 'resolved'>
    """

    number: int
    found: Resolved = Resolved.RESOLVED
    bound: str | None = None
    author: str | None = None


def receive(
    ledger: Ledger,
    clerk: Clerk,
    demand: Demand,
    entries: Iterable[Entry] = (),
    lists: Sequence[Data] = (),
    waiting: Iterable[Note] = (),
) -> Done:
    """Record a demand and the entries of its lists. `lists` describes the files, as JSON values.

    If the letter states another count than the number of entries that name something (unique ones, duplicates and errors), or
    if `waiting` has notes (those of `Intake.waiting`), the demand waits for `settle`. A notice of non-compliance is not recorded as a demand, but in the logs of
    the demands that it reiterates.
    """
    fields, entries, waiting = demand.data(), list(entries), list(waiting)
    counts = Counter(entry.bucket for entry in entries)
    naming = sum(counts[bucket] for bucket in _NAMING)
    stated = demand.requested.count
    if stated is not None and stated != naming:
        message = f"the letter states {stated:,} entries, and its lists have {naming:,}"
        waiting.append(note("count-mismatch", message, "compare them, and settle the difference"))

    def build(command: Command) -> None:
        if command.states.get("demand", demand.id) is not None:
            hint = "if the authority changed it, use `amend`; a new demand needs a new id"
            command.refuse(Problem("demand-exists", f"demand `{demand.id}` was received before", hint=hint))
            return
        known = [key for key, _ in command.states.scan("demand")]
        for link in demand.links:
            if link.demand not in known:
                command.done.notes.append(f"it {link.is_} {quoted(link.demand)}, which this ledger does not have")
            elif link.is_ in (Relation.REVOKES, Relation.SUPERSEDES, Relation.AMENDS):
                command.done.notes.append(f"it {link.is_} {quoted(link.demand)}, which nothing has changed yet")
        command.add(
            "demand.received",
            "demand",
            fields=fields,
            lists=list(lists),
            counts={
                "entries": len(entries),
                **{str(bucket): counts[bucket] for bucket in (Bucket.BLANK, Bucket.IGNORED)},
            },
            settled=not waiting,
        )
        for entry in entries:
            if entry.bucket in _NAMING:
                command.add("target.received", str(entry.bucket), **_entry(entry))
        command.done.notes += [f"{each}: use `settle`" for each in waiting]
        command.done.notes += overseas_notes(fields)

    if demand.kind is DemandKind.NONCOMPLIANCE_NOTICE:
        return _reiterate(ledger, clerk, demand, fields, entries)
    return record(ledger, clerk, demand.id, build, ["receive", fields, [_entry(entry) for entry in entries]])


def _reiterate(ledger: Ledger, clerk: Clerk, demand: Demand, fields: Data, entries: Sequence[Entry]) -> Done:
    def build(command: Command) -> None:
        if entries:
            hint = "receive new targets as a demand of their own, with the link `reiterates`"
            command.refuse(Problem("notice-with-targets", "a non-compliance notice adds no targets", hint=hint))
        for link in demand.links:
            if link.is_ is Relation.REITERATES:
                command.id = link.demand
                if command.states.get("demand", link.demand) is None:
                    known = [key for key, _ in command.states.scan("demand")]
                    command.refuse(unknown_demand(link.demand, known))
                    continue
                text = demand.note or demand.reference or f"notice {demand.id}"
                occurred = fields["received"]
                command.add(
                    "demand.logged",
                    "log entry",
                    entry="noncompliance_notice",
                    text=text,
                    occurred=occurred,
                    notice=fields,
                )

    return record(ledger, clerk, demand.id, build, ["receive", fields])


def _entry(entry: Entry) -> Data:
    """Return an entry as the data of its event."""
    where = {name: value for name, value in entry.provenance._asdict().items() if value is not None}
    return {
        "number": entry.number,
        "raw": entry.raw,
        "provenance": where,
        "bucket": str(entry.bucket),
        "kind": None if entry.kind is None else str(entry.kind),
        "key": entry.key,
        "handle": entry.handle,
        "notes": [[note.code, note.text] for note in entry.notes],
        "duplicate_of": entry.duplicate_of,
    }


def settle(ledger: Ledger, clerk: Clerk, demand_id: str, reason: str) -> Done:
    """Record that a person has settled why the count in the letter differs, and the notes in `waiting`. Decisions are possible afterwards."""

    def build(command: Command) -> None:
        demand = command.demand()
        if demand["settled"]:
            command.done.unchanged += 1
        elif not command.refuse(check_demand(demand_id, demand, "settle")):
            command.add("demand.settled", "settled count", set={"settled": True}, reason=reason)

    return record(ledger, clerk, demand_id, build, ["settle", demand_id, reason])


def resolve(ledger: Ledger, clerk: Clerk, demand_id: str, resolutions: Iterable[Resolution]) -> Done:
    """Bind entries to accounts and tweets, and tweets to their authors.

    An entry that turns out to name the same target as another entry becomes a duplicate of it. If the other entry is
    bound to another target later, it is an entry of its own again. A target with an effect is never bound to another
    account or tweet. An entry whose target the order names by its id is bound to another one only as `corrected`. The
    handle as received is kept.
    """
    wanted = list(resolutions)

    def build(command: Command) -> None:
        if command.refuse(check_demand(demand_id, command.demand(), "resolve")):
            return
        targets = command.targets()
        holders = {
            data["bound"]: number
            for number, data in reversed(targets.items())
            if data["bound"] is not None and data["state"] != TargetState.DUPLICATE
        }
        for each in wanted:
            target = targets.get(each.number)
            if target is None:
                command.refuse(unknown_target(demand_id, each.number, len(targets)))
            elif not command.refuse(
                check_target(demand_id, each.number, target, Verb.RESOLVE), *_mistakes(command, each, target)
            ):
                _bind(command, each, targets, holders)
        _note_new_authors(command, targets)

    return record(ledger, clerk, demand_id, build, ["resolve", demand_id, [list(each) for each in wanted]])


def unknown_target(demand_id: str, number: int, count: int) -> Problem:
    """Return the problem for an entry that the demand does not have."""
    hint = f"`withhold demands show {demand_id}` lists its {count:,} entries"
    return Problem("unknown-target", f"demand `{demand_id}` has no entry {number}", place_of(demand_id, number), hint)


def _mistakes(command: Command, each: Resolution, target: Data) -> Iterator[Problem]:
    """Yield the problems of a resolution: an id that rules would read differently, or a target not in the order."""
    place = place_of(command.id, each.number)
    for text, known in ((each.bound, _TARGET), (each.author, _AUTHOR)):
        if text is not None and not (known.fullmatch(text) and (not is_expressible(text) or _is_id(text))):
            yield Problem("bad-target", f"{quoted(text)} is not a target", place, "write `account:ID` or `tweet:ID`")
            return
    if each.bound is None or each.bound == target["bound"] or each.found is Resolved.CORRECTED:
        return
    other_id = is_bound(target["key"]) and target["key"] != each.bound
    other_kind = target["kind"] in (Kind.ACCOUNT, Kind.TWEET) and not each.bound.startswith(f"{target['kind']}:")
    if other_id or other_kind:
        message = f"the order names {quoted(target['key'] or target['raw'])}, not {quoted(each.bound)}"
        hint = "if a person has read the entry again, record it as `corrected`"
        yield Problem("other-target", message, place, hint)


def _is_id(text: str) -> bool:
    return int(text.partition(":")[2]) <= MAX_ID


def _note_new_authors(command: Command, targets: Mapping[int, Data]) -> None:
    """Note the targets that had a decision before their author was known: safeguards apply to authors, too."""
    changed = (targets[event.data["number"]] for event in command.events if "author" in event.data["set"])
    if count := sum(target["state"] in (TargetState.IN_FORCE, TargetState.OUTSIDE) for target in changed):
        hint = "decide on them again, with the list of protected accounts"
        command.done.notes.append(f"authors of targets in force that were unknown or others: {count:,}; {hint}")


def _release(command: Command, number: int, bound: str | None, targets: Mapping[int, Data]) -> int | None:
    """Make the duplicates of an entry that is bound to another target entries of their own, and return the first one.

    Duplicates with the same handle stay duplicates, because they name the same account as the entry.
    """
    first: int | None = None
    for other, data in targets.items():
        named = data["bound"] or (data["key"] if is_bound(data["key"]) else None)
        if data["duplicate_of"] != number or named in (None, bound):
            continue
        if first is None:
            first, author = other, targets[number]["author"]
            freed = {"bound": named, "author": author, "bucket": "unique", "duplicate_of": None}
            changes = {**freed, "state": str(TargetState.UNDECIDED)}
        else:
            changes = {"duplicate_of": first}
        resolution = data["resolution"] or str(Resolved.RESOLVED)
        command.add("target.resolved", "no longer a duplicate", number=other, set=changes, resolution=resolution)
    return first


def _bind(command: Command, each: Resolution, targets: Mapping[int, Data], holders: dict[str, int]) -> None:
    target = targets[each.number]
    state, changes = TargetState(target["state"]), dict[str, Any]()
    if each.author is not None and each.author != target["author"]:
        changes["author"] = each.author
    if each.bound is not None and each.bound != target["bound"]:
        if state in (TargetState.IN_FORCE, TargetState.OUTSIDE, TargetState.LIFTED):
            message = f"the target is bound to {quoted(target['bound'])}, and a decision on it was effective"
            hint = "lift it, and receive the other target as an entry of a new demand"
            command.refuse(Problem("already-bound", message, place_of(command.id, each.number), hint))
            return
        if holders.get(target["bound"]) == each.number:
            del holders[target["bound"]]
            if (heir := _release(command, each.number, each.bound, targets)) is not None:
                holders[target["bound"]] = heir
        changes |= {"bound": each.bound, "author": each.author}  # the author of another tweet is another person
        holder = holders.setdefault(each.bound, each.number)
        changes["kind"] = each.bound.partition(":")[0] if is_expressible(each.bound) else target["kind"]
        if holder != each.number:
            changes |= {"state": str(TargetState.DUPLICATE), "bucket": "duplicate", "duplicate_of": holder}
        else:
            changes["bucket"] = "unique"
            if state in (TargetState.QUARANTINED, TargetState.UNRESOLVED):
                changes["state"] = str(TargetState.UNDECIDED)
    changes = {name: value for name, value in changes.items() if value != target[name]}
    if not changes and target["resolution"] == each.found:
        command.done.unchanged += 1
        return
    word = "duplicate" if changes.get("state") == TargetState.DUPLICATE else each.found.replace("_", " ")
    command.add("target.resolved", word, number=each.number, set=changes, resolution=str(each.found))
