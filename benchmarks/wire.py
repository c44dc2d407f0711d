"""Measure how many events `withhold.wire` reads in a second, in flat and in nested forms.

`python -m benchmarks.wire` checks every event that was read, and prints the medians of several runs, in time of the processor. The
records are parsed, checked and turned into events; turning the events into rules is timed separately.
"""

from __future__ import annotations

import argparse
import gc
import io
import json
import random
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from statistics import median
from time import process_time

from benchmarks import package
from withhold.snowflake import first_id_at
from withhold.wire import FORMS, Event, read, rules_of

#: The targets of the library, in events a second.
FLAT, NESTED = 200_000, 60_000
AT = datetime(2021, 7, 6, tzinfo=UTC)
CODES = ("DE", "FR", "IN", "TR", "XX", "XY")


def drawn(count: int) -> list[tuple[int, int, list[str], datetime]]:
    """Return for each event a tweet, its author, the countries, and the instant."""
    chance = random.Random(16)
    first = first_id_at(datetime(2021, 1, 1, tzinfo=UTC))
    return [
        (
            first + (chance.randrange(180 * 86_400_000) << 22) + chance.randrange(1, 4096),
            chance.randrange(1, 2**32),
            sorted(chance.sample(CODES, chance.randrange(1, 4))),
            AT + timedelta(milliseconds=chance.randrange(86_400_000)),
        )
        for _ in range(count)
    ]


def iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def v1(tweet: int, _author: int, codes: list[str], _: datetime) -> object:
    return {"id": tweet, "id_str": str(tweet), "withheld_in_countries": codes, "withheld_scope": "status"}


def flat(tweet: int, author: int, codes: list[str], _: datetime) -> object:
    return {"status_withheld": {"id": tweet, "user_id": author, "withheld_in_countries": codes}}


def compliance(tweet: int, author: int, codes: list[str], at: datetime) -> object:
    body = {"tweet": {"id": str(tweet), "author_id": str(author)}, "withheld_in_countries": codes, "event_at": iso(at)}
    return {"data": {"withheld": body}}


def gnip(tweet: int, author: int, codes: list[str], at: datetime) -> object:
    status = {"id": int(float(tweet)), "id_str": str(tweet), "user_id": author, "user_id_str": str(author)}
    milliseconds = str((at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1))
    return {"status_withheld": {"status": status, "withheld_in_countries": codes, "timestamp_ms": milliseconds}}


def whole(tweet: int, author: int, codes: list[str], _: datetime) -> object:
    """Return a status as the API sends it, with its user and with fields that do not concern withholding."""
    user = {
        "id": author,
        "id_str": str(author),
        "screen_name": "a",
        "name": "A",
        "followers_count": 1,
        "verified": False,
    }
    entities = {"hashtags": [], "urls": [{"url": "https://t.co/a", "indices": [0, 14]}], "user_mentions": []}
    status = {"created_at": "Tue Jul 06 18:40:40 +0000 2021", "id": tweet, "id_str": str(tweet), "text": "…" * 40}
    return {**status, "user": user, "entities": entities, "lang": "en", "withheld_in_countries": codes}


#: The form of each measurement, its records, and its target.
MEASURED: dict[str, tuple[str, Callable[[int, int, list[str], datetime], object], int]] = {
    "v1, withheld fields alone": ("v1", v1, FLAT),
    "stream, flat": ("stream", flat, FLAT),
    "compliance": ("compliance", compliance, FLAT),
    "gnip, nested": ("gnip", gnip, NESTED),
    "v1, whole statuses": ("v1", whole, NESTED),
}


def check(form: str, events: list[Event], wanted: list[tuple[int, int, list[str], datetime]]) -> None:
    """Exit unless each event has the id, the countries and the instant of its record."""
    tweets = [event for event in events if event.kind == "tweets"]
    if len(tweets) != len(wanted):
        sys.exit(f"stopped: {len(tweets)} events of {len(wanted)}")
    for event, (tweet, _, codes, at) in zip(tweets, wanted, strict=True):
        found = sorted(
            {"WORLD": "XY" if term.reason == "copyright" else "XX"}.get(term.withheld_in[0], term.withheld_in[0])
            for term in event.terms
        )
        if (event.id, found, event.at) != (tweet, codes, at if FORMS[form].dated else AT):
            sys.exit(f"stopped: {event} for {tweet}, {codes}, {at}")


def measure(name: str, wanted: list[tuple[int, int, list[str], datetime]], runs: int) -> None:
    """Print how many events of a form are read in a second, and how long it takes to turn them into rules."""
    form, record, target = MEASURED[name]
    data = "\n".join(json.dumps(record(*each), separators=(",", ":")) for each in wanted).encode()
    seconds, events = [], list[Event]()
    for _ in range(runs):
        events.clear()
        gc.collect()
        begin = process_time()
        found = read(FORMS[form], io.BytesIO(data), name, at=AT)
        seconds.append(process_time() - begin)
        events = found.events
        check(form, events, wanted)
    begin = process_time()
    rules = rules_of(events, form)
    took = process_time() - begin
    rate = len(wanted) / median(seconds)
    print(f"{name}: {rate:,.0f} events a second (at least {target:,}); {len(rules):,} rules in {took:.2f} s")


def main() -> None:
    package.begin()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.wire", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    wanted = drawn(options.events)
    gc.disable()  # as the command does
    for name in MEASURED:
        measure(name, wanted, options.runs)


if __name__ == "__main__":
    main()
