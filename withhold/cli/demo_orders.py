"""`withhold demo --from-orders`: the events of February 2021 from the orders on, as commands on legal demands.

The commands run in this process, with the clock of the ledger set to the day, because without `--history` a ledger
accepts no command that takes effect in the past.
"""

from __future__ import annotations

import contextlib
import csv
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import TemporaryDirectory

import typer

from withhold.cli.output import out
from withhold.model import RuleSet
from withhold.model.instants import parse_instant

URL = "sqlite:///orders.db"
_LETTER = """\
id: {id}
authority: {{name: Ministry of Electronics and Information Technology, type: executive}}
jurisdiction: IN
legal_basis: {{statute: Information Technology Act, provision: section 69A}}
grounds: [public_order]
kind: {kind}
received: {received}
confidentiality: {{notify_user: allow, name_authority_publicly: allow, publish_text: deny, count_in_report: allow}}
"""
_NOTICE = """\
id: IN-N1
authority: {name: Ministry of Electronics and Information Technology, type: executive}
jurisdiction: IN
kind: noncompliance_notice
received: 2021-02-03T12:00:00+05:30
links: [{is: reiterates, demand: IN-D1}]
note: up to seven years of imprisonment and a fine (section 69A(3))
"""

#: The instant, the event and the commands of each step. Hours are assumed where the press gave only the day.
STEPS = (
    (
        "2021-01-31T18:00:00+05:30",
        "an order with 257 lines arrives",
        "demands receive in-d1.yaml in-d1.csv --create --actor asha",
        "demands resolve IN-D1 --handles handles.csv --actor asha",
    ),
    (
        "2021-02-01T14:30:00+05:30",
        "all entries are withheld in India; a second person approves the decisions on protected accounts",
        "demands decide IN-D1 withhold --override 'protected-account=an emergency order, under review' --actor asha",
        "demands approve IN-D1 --actor ravi",
    ),
    (
        "2021-02-01T20:30:00+05:30",
        "it is restored the same evening",
        "demands lift IN-D1 --reason 'the review found protected speech' --actor asha",
    ),
    (
        "2021-02-03T12:00:00+05:30",
        "a notice of non-compliance arrives",
        "demands receive in-n1.yaml --actor asha",
    ),
    (
        "2021-02-04T12:00:00+05:30",
        "a second order names 1,178 accounts",
        "demands receive in-d2.yaml in-d2.csv --actor asha",
        "demands resolve IN-D2 --handles handles.csv --actor asha",
    ),
    (
        "2021-02-10T10:00:00+05:30",
        "more than 500 accounts are suspended, and the hashtag leaves the trends",
        "demands decide IN-D1 --from suspended-in-d1.csv --actor asha",
        "demands decide IN-D2 --from suspended-in-d2.csv --actor asha",
        "demands effected IN-D1 --at 2021-02-10T10:00:00+05:30 --actor asha",
    ),
    (
        "2021-02-10T10:30:00+05:30",
        "a portion is withheld again; news media, journalists, activists and politicians are refused",
        "demands decide IN-D1 --from decisions-in-d1.csv --actor asha",
        "demands decide IN-D2 withhold --actor asha",
    ),
    (
        "2021-02-10T10:45:00+05:30",
        "the ministry is informed",
        "demands log IN-D1 authority_informed 'to the ministry: what was done, and why the rest was not' --actor asha",
    ),
)


#: An account that was withheld, restored and refused.
_LIFTED = 9_001_000_000_001


def write_orders(folder: Path) -> None:
    """Write the orders of the demo in a realistic form, the accounts of the handles, and the decisions of lawyers."""
    with as_file(files("withhold.cli") / "demo_data") as data:
        targets = data / "rules" / "targets"
        first, second, again, suspended = (
            _Target.read(targets / f"{name}.csv") for name in ("in-d1", "in-d2", "in-d1-reimposed", "suspended")
        )
    named = {each.key for each in first}
    second = [*second, *(each for each in suspended if each.key not in named)]
    kept = {each.key for each in (*again, *suspended)}
    (folder / "in-d1.yaml").write_text(
        _LETTER.format(id="IN-D1", kind="emergency_interim", received="2021-01-31T18:00:00+05:30")
    )
    (folder / "in-d2.yaml").write_text(_LETTER.format(id="IN-D2", kind="final", received="2021-02-04T12:00:00+05:30"))
    (folder / "in-n1.yaml").write_text(_NOTICE)
    _table(folder / "in-d1.csv", ["URL"], [*((each.url,) for each in first), ("#synthetic_tag",)])
    _table(folder / "in-d2.csv", ["URL"], [(each.url,) for each in second])
    _table(folder / "handles.csv", ["handle", "tweet", "account", "author"], [each.found for each in (*first, *second)])
    protected = [each for each in first if each.category]
    lines = [f"  - {{account: {each.id}, category: {each.category}}}" for each in protected if each.kind == "account"]
    (folder / "protected.yaml").write_text("\n".join(["protected:", *lines, ""]))
    for name, demand in (("in-d1", first), ("in-d2", second)):
        gone = {each.key for each in suspended}
        rows = [(each.key, "suspend") for each in demand if each.key in gone]
        rows += [("hashtag:synthetic_tag", "deamplify")] * (name == "in-d1")
        _table(folder / f"suspended-{name}.csv", ["target", "decision"], rows)
    decided = [(each.key, "withhold", "", "") for each in again]
    decided += [(each.key, "refuse", "protected_speech", each.category) for each in first if each.key not in kept]
    _table(folder / "decisions-in-d1.csv", ["target", "decision", "ground", "category"], decided)


@dataclass(frozen=True, slots=True)
class _Target:
    """An account or a tweet of the demo's lists."""

    kind: str
    id: int
    category: str

    @classmethod
    def read(cls, path: Path) -> list[_Target]:
        with path.open(newline="", encoding="utf-8") as lines:
            return [cls(row["kind"], int(row["id"]), row["category"]) for row in csv.DictReader(lines)]

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.id}"

    @property
    def handle(self) -> str:
        return f"user_{self.id // 1_000_000_000 % 10}_{self.id % 10_000:04}"

    @property
    def url(self) -> str:
        if self.kind == "tweet":
            return f"https://twitter.com/{self.handle}/status/{self.id}"
        return f"https://twitter.com/{self.handle}"

    @property
    def found(self) -> tuple[str, str, str, str]:
        """The platform's data: the account behind a handle, or the author of a tweet."""
        if self.kind == "tweet":
            return "", str(self.id), "", str(9_003_000_000_000 + self.id % 1_000_000)
        return self.handle, "", str(self.id), ""


def _table(path: Path, header: list[str], rows: Iterable[tuple[str, ...]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as to:
        csv.writer(to).writerows([header, *rows])


def run_steps() -> Iterator[tuple[datetime, str]]:
    """Run the commands in the current directory, and yield the instant and the event of each step before its commands."""
    from withhold.cli.app import app
    from withhold.cli.opening import CLOCK

    for at, event, *commands in STEPS:
        instant = parse_instant(at)

        def clock(instant: datetime = instant) -> datetime:
            return instant

        yield instant, event
        kept = CLOCK.set(clock)
        try:
            for command in commands:
                out().print(f"$ withhold {command}", style="bold", markup=False)
                code = app(shlex.split(command), standalone_mode=False)
                if code:
                    raise typer.Exit(code)
        finally:
            CLOCK.reset(kept)
    for command in ("demands list", f"demands proof account:{_LIFTED}"):
        out().print(f"\n$ withhold {command}", style="bold", markup=False)
        app(shlex.split(command), standalone_mode=False)


@contextlib.contextmanager
def in_orders() -> Iterator[Path]:
    """Make a temporary directory with the orders, and work in it with its own ledger."""
    import os

    before = os.environ.get("WITHHOLD_LEDGER")
    with TemporaryDirectory() as name, contextlib.chdir(name):
        os.environ["WITHHOLD_LEDGER"] = URL
        try:
            write_orders(Path(name))
            yield Path(name)
        finally:
            os.environ.pop("WITHHOLD_LEDGER")
            if before is not None:
                os.environ["WITHHOLD_LEDGER"] = before


def acted_on() -> tuple[int, int]:
    """Return on how many entries of all demands the platform acted, and how many entries name something."""
    from withhold.demands.register import Register, open_ledger

    with open_ledger(URL) as ledger:
        register = Register(ledger)
        acted = sum(data["tally"].get(state, 0) for _, data in register.demands() for state in ("in_force", "outside"))
        return acted, sum(len(register.targets(key)) for key, _ in register.demands())


def rules_of_ledger(known_at: datetime | None = None) -> RuleSet:
    """Return the rules of the ledger in the current directory, as they are known now or were known at an instant."""
    from withhold.demands.register import Register, open_ledger

    with open_ledger(URL) as ledger:
        return Register(ledger).rule_set(known_at=known_at)
