"""Rule files as a service keeps them, their next revision, and cases: drawn by a seed, with what is true of them."""

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
#: Rules, those of a place in one file. No id is withheld by two of them in one place, so that what is true is plain.
RULES = 25 * len(PLACES)
#: One id in five is an account's, and one in fifty is named by a second rule, elsewhere.
_ACCOUNTS, _TWICE = 5, 50
#: Of this many rules the next revision puts off the end; of each of the others it takes an id, and gives it one.
_PUT_OFF = 3
_DAY = timedelta(days=1)
_FIRST = datetime(2021, 1, 1, tzinfo=UTC)

#: `account` or `tweet`, and the id.
Subject = tuple[str, int]
#: What viewers in a place get: (where, before, now, from, until).
Change = tuple[str, str, str, str | None, str | None]


@dataclass(frozen=True)
class Drawn:
    """One rule: where it withholds, when, and what."""

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
        """Tell whether it is in force."""
        return self.start <= at and (self.end is None or at < self.end)


def drawn(ids: int) -> list[Drawn]:
    """Draw rules that name so many ids in all; half of the rules have an end."""
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
    """Draw an id that does not look rounded: by chance one list in some thousands has too many such, and is refused."""
    while _precision.sign(id_ := random_.randint(FIRST_ID, LAST_ID)) is Sign.PRINTED:
        pass
    return id_


_precision = Precision()


def revised(rules: list[Drawn]) -> tuple[list[Drawn], dict[Subject, set[Change]]]:
    """Return the next revision, and everything that viewers notice of it."""
    random_ = random.Random(8)
    put_off = {rule.number for rule in random_.sample([rule for rule in rules if rule.end], _PUT_OFF)}
    found: list[Drawn] = []
    noticed: dict[Subject, set[Change]] = {}

    def notice(rule: Drawn, kind: str, id_: int, turn: tuple[str, str], *bounds: datetime | None) -> None:
        start, end = (None if bound is None else written(bound) for bound in bounds)
        noticed.setdefault((kind, id_), set()).add((rule.place, *turn, start, end))

    for rule in rules:
        named = {kind: ids[:] for kind, ids in rule.named.items()}
        end = rule.end
        if rule.number in put_off and rule.end:
            end = rule.end + 90 * _DAY
            for kind, ids in named.items():
                for id_ in ids:
                    notice(rule, kind, id_, _IMPOSED, rule.end, end)
        else:
            kind = random_.choice(("account", "tweet"))
            at, new = random_.randrange(len(named[kind])), _id(random_)
            notice(rule, kind, named[kind][at], _LIFTED, rule.start, rule.end)
            notice(rule, kind, new, _IMPOSED, rule.start, rule.end)
            named[kind][at] = new
        found.append(replace(rule, named=named, end=end))
    return found, noticed


_IMPOSED, _LIFTED = ("visible", "withheld"), ("withheld", "visible")


def written(at: datetime) -> str:
    """Return an instant as files and reports have it."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def write_rules(rules: Iterable[Drawn], directory: Path) -> None:
    """Write a file for each place, and the ids of each rule in a CSV file beside it."""
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
    """Write cases on the rules beside `directory`, a file for each place: an instant, four places, in one of fifty all."""
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
            # Around the rule's beginning, or its end, on either side.
            edge = rule.end if rule.end and random_.random() < 0.5 else rule.start
            at = edge + random_.randrange(-60, 60) * _DAY
            there = {one.place: one for one in naming[kind, id_] if one.holds(at)}
            asked = [rule.place, *random_.sample([one for one in PLACES if one != rule.place], 3)]
            asked = list(PLACES) if number % 50 == 0 else asked
            expect = ", ".join(f"{one}: {'withheld' if one in there else 'visible'}" for one in asked)
            speaks = {there[one].id for one in asked if one in there}
            lines += [f"  - it: is case {number} of {place}", f"    {kind}: {id_}", f"    at: {written(at)}"]
            lines += [f"    account: {_id(random_)}"] if kind == "tweet" else []
            lines += [f"    expect: {{{expect}}}"]
            lines += [f"    because: {speaks.pop()}"] if len(speaks) == 1 else []
        (directory / f"{place.lower()}.cases.yaml").write_text("\n".join([*lines, ""]), encoding="ascii")


def main() -> None:
    """Write both revisions, what viewers notice of the second, and cases on rules of a fiftieth of the ids."""
    package.begin()
    directory, ids, cases = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    rules = drawn(ids)
    write_rules(rules, directory / "old")
    following, noticed = revised(rules)
    write_rules(following, directory / "new")
    told = [(kind, id_, sorted(changes)) for (kind, id_), changes in noticed.items()]
    (directory / "noticed.json").write_text(json.dumps(told), encoding="ascii")
    few = drawn(max(ids // 50, 10 * RULES))
    write_rules(few, directory / "rules")
    write_cases(few, directory / "cases", cases)


if __name__ == "__main__":
    main()
