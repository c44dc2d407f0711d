"""The expected difference: two references, asked at every place and instant where it could differ."""

from __future__ import annotations

from datetime import datetime, timedelta

from withhold import Outcome, Policy, Reference, RuleSet, Snapshot
from withhold.engine.reference import _outcome, _reached
from withhold.model.viewer import LocationKey
from withhold.reports import Difference, differences
from withhold.reports.whereabouts import Whereabouts
from withhold.snapshot.snapshot import Kind

Turn = tuple[Outcome, Outcome]
Found = dict[tuple[Kind, int], Difference]
KINDS: tuple[Kind, ...] = ("accounts", "tweets")


def found_between(old: RuleSet, new: RuleSet, policy: Policy | None = None, **window) -> Found:
    """Return the differences by subject. Assert that each subject is in at most one."""
    found: Found = {}
    for difference in differences(Snapshot.compile(old), Snapshot.compile(new), policy, **window):
        assert list(difference.ids) == sorted(set(difference.ids))
        for where, before, after, (start, end) in difference.changes:
            assert before is not after
            assert where != Whereabouts()
            assert start is None or end is None or start < end
        for id_ in difference.ids:
            assert (difference.kind, id_) not in found
            found[difference.kind, id_] = difference
    return found


def reported_change(found: Found, kind: Kind, id_: int, place: LocationKey, at: datetime) -> Turn | None:
    """Return the reported change for a viewer at an instant. Assert that there is at most one."""
    difference = found.get((kind, id_))
    turns = [
        (change.old, change.new)
        for change in (difference.changes if difference else ())
        if change.period.covers(at) and change.where.has(place)
    ]
    assert len(turns) <= 1
    return turns[0] if turns else None


def wanted(old: Reference, new: Reference, kind: Kind, id_: int, place: LocationKey, at: datetime) -> Turn | None:
    """Return the actual change."""
    link = (None, id_) if kind == "accounts" else (id_, None)
    before, after = (_outcome(side._hiding(_reached(side._in_force([link], at), place)), [link]) for side in (old, new))
    return (before, after) if before is not after else None


def instants_around(*sets: RuleSet) -> list[datetime]:
    """Return every edge of every rule, and the instants a microsecond before and after it."""
    bounds = {
        bound
        for rules in sets
        for rule in rules
        for period in ((rule.from_, rule.until), *rule.stays)
        for bound in period
    }
    edges = {bound for bound in bounds if bound is not None} or {datetime.fromisoformat("2021-01-01T00:00:00Z")}
    return sorted({edge + timedelta(microseconds=by) for edge in edges for by in (-1, 0, 1)})
