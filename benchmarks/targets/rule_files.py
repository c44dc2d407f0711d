"""Random rule files of a service, their next revision, and case files, from seeds, with the right results."""

from __future__ import annotations

import json
import random
import sys
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path

from benchmarks import package
from benchmarks.workload import COUNTRIES, FIRST_ID, LAST_ID
from withhold.model.precision import Precision, Sign

PLACES = (
    *COUNTRIES,
    *("AR", "BD", "BE", "CA", "CH", "CL", "CO", "EG", "GR", "IE"),
    *("IL", "KE", "LK", "MY", "NG", "NL", "PH", "PL", "SE", "UA"),
)
#: The number of rules. The rules of a place share a file. No two rules withhold an id in the same place, so that the
#: right results are simple.
RULES = 25 * len(PLACES)
#: One in 5 ids is an account, and one in 50 is also named by a second rule, in another place.
_ACCOUNTS, _TWICE = 5, 50
#: The number of rules whose end the next revision postpones. It replaces one id in each of the others.
_POSTPONED = 3
_DAY = timedelta(days=1)
_FIRST = datetime(2021, 1, 1, tzinfo=UTC)

#: `account` or `tweet`, and the id.
Subject = tuple[str, int]
#: A changed outcome: place, outcome before, outcome now, from, until.
Change = tuple[str, str, str, str | None, str | None]


@dataclass(frozen=True)
class Drawn:
    """A random rule: its number (which gives its place), its period, and its ids."""

    number: int
    start: datetime
    end: datetime | None
    named: dict[str, array[int]]

    @property
    def place(self) -> str:
        return PLACES[self.number % len(PLACES)]

    @property
    def id(self) -> str:
        return f"{self.place.lower()}-{self.number}"

    def holds(self, at: datetime) -> bool:
        """Return whether the rule is in force."""
        return self.start <= at and (self.end is None or at < self.end)


def drawn(ids: int) -> list[Drawn]:
    """Return random rules with `ids` ids in total. Half of the rules have an end."""
    random_ = random.Random(7)
    rules: list[Drawn] = []
    for number in range(RULES):
        start = _FIRST + random_.randrange(1_500) * _DAY
        end = start + random_.randrange(30, 1_000) * _DAY if random_.random() < 0.5 else None
        named = {"account": array("q"), "tweet": array("q")}
        for at in range(ids // RULES):
            named["tweet" if at % _ACCOUNTS else "account"].append(_id(random_))
        rules.append(Drawn(number, start, end, named))
    each = [(rule.number, kind, id_) for rule in rules for kind, named in rule.named.items() for id_ in named]
    for number, kind, id_ in random_.sample(each, len(each) // _TWICE):
        elsewhere = (number + random_.randrange(1, len(PLACES))) % RULES
        rules[elsewhere].named[kind].append(id_)
    return rules


def _id(random_: random.Random) -> int:
    """Return a random id that does not look rounded, because a list with too many such ids is refused."""
    while _precision.sign(id_ := random_.randint(FIRST_ID, LAST_ID)) is Sign.PRINTED:
        pass
    return id_


_precision = Precision()


def revised(rules: list[Drawn]) -> tuple[list[Drawn], dict[Subject, set[Change]]]:
    """Return the next revision, and all changed outcomes."""
    random_ = random.Random(8)
    postponed = {rule.number for rule in random_.sample([rule for rule in rules if rule.end], _POSTPONED)}
    found: list[Drawn] = []
    changed: dict[Subject, set[Change]] = {}

    def change(rule: Drawn, kind: str, id_: int, turn: tuple[str, str], *bounds: datetime | None) -> None:
        start, end = (None if bound is None else written(bound) for bound in bounds)
        changed.setdefault((kind, id_), set()).add((rule.place, *turn, start, end))

    for rule in rules:
        named = {kind: ids[:] for kind, ids in rule.named.items()}
        end = rule.end
        if rule.number in postponed and rule.end:
            end = rule.end + 90 * _DAY
            for kind, ids in named.items():
                for id_ in ids:
                    change(rule, kind, id_, _IMPOSED, rule.end, end)
        else:
            kind = random_.choice(("account", "tweet"))
            at, new = random_.randrange(len(named[kind])), _id(random_)
            change(rule, kind, named[kind][at], _LIFTED, rule.start, rule.end)
            change(rule, kind, new, _IMPOSED, rule.start, rule.end)
            named[kind][at] = new
        found.append(replace(rule, named=named, end=end))
    return found, changed


_IMPOSED, _LIFTED = ("visible", "withheld"), ("withheld", "visible")


def written(at: datetime) -> str:
    """Return an instant as text, as in rule files and reports."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def write_rules(rules: Iterable[Drawn], directory: Path) -> None:
    """Write a rule file for each place, and a CSV file with the ids of each rule."""
    lists = directory / "ids"
    lists.mkdir(parents=True)
    for place, those in groupby(sorted(rules, key=lambda rule: (rule.place, rule.number)), lambda rule: rule.place):
        lines = ["rules:"]
        for rule in those:
            lines += [f"  - id: {rule.id}", f"    ids_file: ids/{rule.id}.csv", f"    withheld_in: [{rule.place}]"]
            lines += [f"    from: {written(rule.start)}"]
            lines += [f"    until: {written(rule.end)}"] if rule.end else []
            lines += ["    reason: legal_demand", f"    demand: {rule.place}-D{rule.number % 7}"]
            rows = (f"{kind},{id_}\n" for kind, ids in rule.named.items() for id_ in ids)
            (lists / f"{rule.id}.csv").write_text("kind,id\n" + "".join(rows), encoding="ascii")
        (directory / f"{place.lower()}.yaml").write_text("\n".join([*lines, ""]), encoding="ascii")


def write_cases(rules: list[Drawn], directory: Path, count: int) -> None:
    """Write a case file for each place. A case has an instant and four places; one in 50 has all places."""
    random_ = random.Random(9)
    directory.mkdir()
    naming: dict[Subject, list[Drawn]] = {}
    for rule in rules:
        for kind, ids in rule.named.items():
            for id_ in ids:
                naming.setdefault((kind, id_), []).append(rule)
    subjects = list(naming)
    for place in PLACES:
        lines = ["rules: ../rules", "cases:"]
        for number in range(count // len(PLACES)):
            kind, id_ = random_.choice(subjects)
            rule = naming[kind, id_][0]
            # Before or after the rule's beginning or end.
            edge = rule.end if rule.end and random_.random() < 0.5 else rule.start
            at = edge + random_.randrange(-60, 60) * _DAY
            there = {one.place: one for one in naming[kind, id_] if one.holds(at)}
            places = [rule.place, *random_.sample([one for one in PLACES if one != rule.place], 3)]
            places = list(PLACES) if number % 50 == 0 else places
            expect = ", ".join(f"{one}: {'withheld' if one in there else 'visible'}" for one in places)
            speaks = {there[one].id for one in places if one in there}
            lines += [f"  - it: is case {number} of {place}", f"    {kind}: {id_}", f"    at: {written(at)}"]
            lines += [f"    account: {_id(random_)}"] if kind == "tweet" else []
            lines += [f"    expect: {{{expect}}}"]
            lines += [f"    because: {speaks.pop()}"] if len(speaks) == 1 else []
        (directory / f"{place.lower()}.cases.yaml").write_text("\n".join([*lines, ""]), encoding="ascii")


def main() -> None:
    """Write both revisions, the changed outcomes, and cases about rules with a fiftieth of the ids."""
    package.begin()
    directory, ids, cases = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    rules = drawn(ids)
    write_rules(rules, directory / "old")
    following, changed = revised(rules)
    write_rules(following, directory / "new")
    expected = [(kind, id_, sorted(changes)) for (kind, id_), changes in changed.items()]
    (directory / "expected.json").write_text(json.dumps(expected), encoding="ascii")
    few = drawn(max(ids // 50, 10 * RULES))
    write_rules(few, directory / "rules")
    write_cases(few, directory / "cases", cases)


if __name__ == "__main__":
    main()
