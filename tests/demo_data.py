"""Write the data of `withhold demo`: `python -m tests.demo_data [DIRECTORY]`.

The events are those of February 2021 in India, at their full size. The ids are invented, from ranges that were never
used. Demand IN-D1 had 257 lines (about 100 accounts, about 150 tweets, one hashtag), and IN-D2 1,178 accounts. The
outcome of each account was not published. The split here is an assumption that adds up to the published figures:
220 and 1,178 acted on, 37 not, more than 500 accounts suspended or otherwise acted on.
"""

from __future__ import annotations

import csv
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

from mmdb_writer import MMDBWriter
from netaddr import IPSet

from withhold.snowflake import first_id_at

SHIPPED = Path(__file__).parents[1] / "withhold" / "cli" / "demo_data"

Line = tuple[str, int, str, str]
"""kind, id, handle, category"""

_PROTECTED = ("news_media", "journalist", "activist", "politician")


def first_demand() -> list[Line]:
    """Return 256 subjects; the 257th line of IN-D1 was a hashtag, which rules cannot name."""
    categories = [_PROTECTED[number % 4] if number < 37 else "" for number in range(100)]
    accounts = [
        ("account", 9_001_000_000_001 + number, f"synthetic_d1_{number + 1:03}", category)
        for number, category in enumerate(categories)
    ]
    posted = datetime(2021, 1, 29, 12, tzinfo=UTC)
    tweets = [
        # All bits below the time are set, which does not occur in real ids.
        (
            "tweet",
            first_id_at(posted + timedelta(minutes=11 * number)) | 0x3FFFFF,
            f"synthetic_post_{number + 1:03}",
            "",
        )
        for number in range(156)
    ]
    return [*accounts, *tweets]


def second_demand() -> list[Line]:
    return [("account", 9_002_000_000_001 + number, f"synthetic_d2_{number + 1:04}", "") for number in range(1178)]


def lists() -> dict[str, list[Line]]:
    """Return the lines of each list of targets, by file name."""
    first, second = first_demand(), second_demand()
    unprotected = [line for line in first if not line[3]]
    suspended = [*[line for line in unprotected if line[0] == "account"][-20:], *second[-490:]]
    return {
        "in-d1.csv": first,
        "in-d1-reimposed.csv": [line for line in unprotected if line not in suspended],
        "in-d2.csv": [line for line in second if line not in suspended],
        "suspended.csv": suspended,
    }


NETWORKS = {
    # The documentation networks of RFC 5737 and RFC 3849, which no viewer uses.
    "192.0.2.0/25": ("IN", "DL"),
    "192.0.2.128/25": ("IN", "KA"),
    "198.51.100.0/25": ("US", "CA"),
    "198.51.100.128/25": ("US", "MS"),
    "203.0.113.0/25": ("PK", "SD"),
    "203.0.113.128/26": ("GB", "ENG"),
    "2001:db8:91::/48": ("IN", "MH"),
    "2001:db8:1::/48": ("US", "NY"),
}


def write(directory: Path) -> None:
    """Write the lists of targets and the location database into `directory`."""
    targets = directory / "rules" / "targets"
    targets.mkdir(parents=True, exist_ok=True)
    for name, lines in lists().items():
        with (targets / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([("kind", "id", "handle", "category"), *lines])
    # A fixed instant, so that the script always writes the same file.
    with mock.patch("time.time", return_value=datetime(2026, 11, 1, tzinfo=UTC).timestamp()):
        writer = MMDBWriter(
            6, "GeoIP2-City", ["en"], "invented locations in documentation networks", ipv4_compatible=True
        )
        for network, (country, subdivision) in NETWORKS.items():
            record = {"country": {"iso_code": country}, "subdivisions": [{"iso_code": subdivision}]}
            writer.insert_network(IPSet([network]), record)
        writer.to_db_file(str(directory / "demo.mmdb"))


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else SHIPPED)
