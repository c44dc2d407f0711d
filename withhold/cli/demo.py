"""`withhold demo`: replay the events of February 2021 in India at full size, with invented ids."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from importlib.resources import as_file, files
from typing import Annotated

import typer
from rich.table import Table

from withhold.cli.output import out
from withhold.cli.render.text import outcome_text
from withhold.engine import Engine
from withhold.location import GeoIP
from withhold.model import IdSet, Outcome, RuleSet, Viewer
from withhold.model.instants import parse_instant

#: Documentation addresses (RFC 5737, RFC 3849), located by a database in the package.
_ADDRESSES = ("192.0.2.17", "2001:db8:1::9", "203.0.113.5", "203.0.113.250")

_INSTANTS = (
    ("2021-02-01T14:29:59+05:30", "before anything is withheld"),
    ("2021-02-01T14:30:00+05:30", "all of demand IN-D1 is withheld in India"),
    ("2021-02-01T20:30:00+05:30", "and restored the same evening"),
    ("2021-02-10T10:15:00+05:30", "more than 500 accounts are suspended"),
    ("2021-02-10T10:30:00+05:30", "a portion of both demands is withheld in India"),
)
_FINALLY = parse_instant(_INSTANTS[-1][0])
_IST = timezone(timedelta(hours=5, minutes=30))
_IN_INDIA = Viewer(country="IN", signal="as in the demands")


def demo(
    from_orders: Annotated[
        bool, typer.Option("--from-orders", help="Begin with the orders, and run each command on them.")
    ] = False,
) -> None:
    """Replay the events of February 2021 in India: who saw which accounts and tweets, why, and how long a check takes."""
    if from_orders:
        _demo_from_orders()
        return
    with as_file(files("withhold.cli") / "demo_data") as data:
        began = time.perf_counter()
        rules = RuleSet.load(data / "rules")
        engine = Engine(rules)
        took = (time.perf_counter() - began) * 1000
        geoip = GeoIP(data / "demo.mmdb")
    targets = _targets(rules)
    out().print("February 2021: India orders 257, then 1,178 accounts and tweets blocked.", style="bold")
    out().print(
        "The events were reported in the press. Times of day and the split between outcomes are assumed; ids are invented."
    )
    out().print(f"{len(rules)} rules on {_named(rules):,} accounts and tweets, loaded and compiled in {took:.0f} ms.\n")
    out().print("The viewers, located by their addresses:")
    viewers = [(address, geoip.locate(address).viewer()) for address in _ADDRESSES]
    for address, viewer in viewers:
        out().print(f"  {address:<14} {viewer}")
    out().print()
    out().print("The outcomes of six accounts and tweets at five instants, a row for each viewer:\n")
    for part in _replay(engine, targets, [viewer for _, viewer in viewers]):
        out().print(part)
    out().print("\nOne decision, explained:\n", style="bold")
    out().print(str(engine.explain((None, targets["account"]), viewers[0][1], _FINALLY)))
    out().print("\nThe outcomes of both demands for a viewer in India at that instant:\n", style="bold")
    out().print("(IN-D1 had 257 lines; one is a hashtag, which is neither an account nor a tweet)")
    out().print(_figures(engine, rules))
    out().print("\nThe time of a check, measured now on this machine:\n", style="bold")
    for line in _timed(engine, rules):
        out().print(line)


def _demo_from_orders() -> None:
    from withhold.cli.demo_orders import acted_on, in_orders, rules_of_ledger, run_steps

    out().print("February 2021, from the orders on: 257 lines, then 1,178 accounts.", style="bold")
    out().print("The lists, handles and decisions are invented. The clock of the ledger is set to each day.\n")
    with as_file(files("withhold.cli") / "demo_data") as data:
        targets = _targets(RuleSet.load(data / "rules"))
        geoip = GeoIP(data / "demo.mmdb")
    viewers = [geoip.locate(address).viewer() for address in _ADDRESSES]
    with in_orders():
        for at, event in run_steps():
            out().print(f"\n{at.astimezone(_IST):%Y-%m-%d %H:%M} IST: {event}", style="bold")
        acted, named = acted_on()
        rules = rules_of_ledger()
        known_then = [rules_of_ledger(parse_instant(written)) for written, _ in _INSTANTS]
    engine = Engine(rules)
    out().print(f"\nActed on, the hashtag included: {acted:,} of {named:,} entries.")
    out().print(f"\nThe outcomes by the {len(rules)} rules of the ledger, a row for each viewer:\n", style="bold")
    for part in _replay(engine, targets, viewers):
        out().print(part)
    accounts = [id_ for name, id_ in targets.items() if name != "tweet"]
    same = all(
        Engine(then).view(viewer, at).check(account_id=id_).outcome
        is engine.view(viewer, at).check(account_id=id_).outcome
        for then, (written, _) in zip(known_then, _INSTANTS, strict=True)
        for at in (parse_instant(written),)
        for viewer in viewers
        for id_ in accounts
    )
    out().print(f"By the rules as they were known at each instant, they are {'the same' if same else 'DIFFERENT'}.")


def _targets(rules: RuleSet) -> dict[str, int]:
    """Return a target for each sequence of outcomes. Tests check that the names are right."""
    first, again = rules["in-d1-2021-02-01"], rules["in-d1-2021-02-10"]
    second, suspended = rules["in-d2-2021-02-10"], rules["terms-2021-02-10"]
    protected = sorted(set(first.accounts) - set(again.accounts) - set(suspended.accounts))
    return {
        "news media": protected[0],
        "activist": protected[2],
        "account": min(again.accounts),
        "tweet": min(again.tweets),
        "account 2": min(second.accounts),
        "account 3": max(suspended.accounts),
    }


def _replay(engine: Engine, targets: dict[str, int], viewers: list[Viewer]) -> Iterator[str | Table]:
    for written, what in _INSTANTS:
        yield f"{written[:10]} {written[11:19]} IST: {what}"
        table = Table(box=None, padding=(0, 1), header_style="dim")
        for name in ("viewer in", *targets):
            table.add_column(name, width=10)
        for viewer in viewers:
            view = engine.view(viewer, datetime.fromisoformat(written))
            cells = [
                view.check(tweet_id=id_) if name == "tweet" else view.check(account_id=id_)
                for name, id_ in targets.items()
            ]
            table.add_row(viewer.country or "unknown", *(outcome_text(cell.outcome) for cell in cells))
        yield table
        yield ""


def _named(rules: RuleSet) -> int:
    return len({id_ for rule in rules for id_ in (*rule.accounts, *rule.tweets)})


def _figures(engine: Engine, rules: RuleSet) -> Table:
    first = rules["in-d1-2021-02-01"]
    taken = {*rules["in-d2-2021-02-10"].accounts, *rules["terms-2021-02-10"].accounts} - set(first.accounts)
    table = Table("demand", "named", *(outcome.value for outcome in Outcome), box=None, padding=(0, 2))
    view = engine.view(_IN_INDIA, _FINALLY)
    demands = (("IN-D1", first.accounts, first.tweets), ("IN-D2", IdSet(taken), IdSet()))
    for name, accounts, tweets in demands:
        decisions = [view.check(account_id=id_) for id_ in accounts] + [view.check(tweet_id=id_) for id_ in tweets]
        counts = [sum(decision.outcome is outcome for decision in decisions) for outcome in Outcome]
        table.add_row(name, f"{len(decisions):,}", *(f"{count:,}" for count in counts))
    return table


def _timed(engine: Engine, rules: RuleSet) -> Iterator[str]:
    """Time a page of 500 tweets that no rule names, and a page with five withheld authors."""
    accounts = list(rules["in-d2-2021-02-10"].accounts)
    free = [(1_360_000_000_000_000_000 + number * 4_194_304, 7_000_000_000_000 + number) for number in range(500)]
    some = [(tweet, accounts[at // 100] if at % 100 == 50 else account) for at, (tweet, account) in enumerate(free)]
    for name, page in (("no rule names any", free), ("five authors are withheld", some)):
        turns = []
        for _ in range(200):
            began = time.perf_counter_ns()
            found = engine.view(_IN_INDIA, _FINALLY).filter(page)
            turns.append(time.perf_counter_ns() - began)
        middle = statistics.median(turns)
        yield (
            f"  a page of 500 tweets, {name}: {middle / 1000:.0f} µs, {middle / 500:.0f} ns a tweet,"
            f" {len(found.hidden)} withheld"
        )
    yield "  (medians of 200 pages; `benchmarks/` compares them with hand-written look-ups)"
