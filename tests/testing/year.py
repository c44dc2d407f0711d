"""Write a year of rules, as a policy team might have: `python -m tests.testing.year DIRECTORY`.

54 rules in 43 files, on 18 countries and the European Union, with a list of 20,000 accounts. All ids, demands and dates
are invented. The same rules are written each time.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from withhold.model.instants import in_iso
from withhold.snowflake import first_id_at

#: The number of rules in each file of a country.
FILES = {
    "IN": (1, 3, 1, 2, 1, 1),
    "TR": (2, 1, 1, 1, 2, 1),
    "BR": (1, 2, 1, 1),
    "RU": (1, 2, 1),
    "DE": (1, 1, 1),
    "FR": (1, 1),
    "PK": (1, 1),
    "ID": (1, 1),
    "GB": (1, 1),
    "TH": (2, 1),
    "VN": (1, 1),
    "IT": (1, 1),
    "US": (2, 2),
    "SG": (1,),
    "AU": (1,),
    "KR": (1,),
    "JP": (1,),
    "SA": (2,),
}
LISTED = 20_000

_BEGINS = datetime(2025, 1, 7, 9, 30, tzinfo=UTC)

#: What distinguishes some rules, by their ids; a key with None is left out.
_SPECIAL: dict[str, dict[str, str | None]] = {
    "tr-04a": {"accounts": None, "tweets": None, "ids_file": "lists/tr-04.csv"},
    "fr-02a": {"withheld_in": "[EU]", "jurisdiction": "EU", "note": "removal order under Regulation (EU) 2021/784"},
    "us-01a": {"withheld_in": "[US-MS]", "jurisdiction": "US-MS", "reason": "local_law", "if_unknown": "show"},
    "us-01b": {"withheld_in": "[US-TX]", "jurisdiction": "US-TX", "reason": "local_law", "if_unknown": "withhold"},
    "us-02a": {
        "withheld_in": "[WORLD]",
        "except_in": "[US, CA]",
        "reason": "copyright",
        "demand": None,
        "jurisdiction": None,
    },
    "us-02b": {"withheld_in": None, "effect": "suspend", "reason": "terms", "demand": None, "jurisdiction": None},
    "sa-01a": {"withheld_in": "[gulf]", "reason": "terms", "demand": None, "jurisdiction": None},
}


def write(folder: Path) -> None:
    """Write the rules and the list below `folder`, with a directory for each country."""
    serial = 0
    for country, counts in FILES.items():
        for number, count in enumerate(counts, 1):
            lines = ["groups:", "  gulf: [AE, BH, KW, OM, QA, SA]"] if country == "SA" else []
            lines.append("rules:")
            for letter in "abc"[:count]:
                serial += 1
                lines += _rule(country, number, f"{country.lower()}-{number:02}{letter}", serial)
            path = folder / country.lower() / f"{country.lower()}-{number:02}.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    listed = folder / "tr" / "lists" / "tr-04.csv"
    listed.parent.mkdir()
    with listed.open("w", encoding="utf-8", newline="") as file:
        rows = (("account", 2_100_000_003 + 7 * number) for number in range(LISTED))
        csv.writer(file, lineterminator="\n").writerows([("kind", "id"), *rows])


def _rule(country: str, number: int, rule_id: str, serial: int) -> Iterator[str]:
    begins = _BEGINS + timedelta(days=6 * serial, minutes=17 * serial)
    accounts = [1_500_000_003 + 1000 * serial + 37 * each for each in range(5 * serial % 8)]
    tweets = [
        first_id_at(begins - timedelta(hours=9 + 5 * each)) + 4_097 * serial + 1
        for each in range(serial % 3 or not accounts)
    ]
    values: dict[str, str | None] = {
        "accounts": str(accounts) if accounts else None,
        "tweets": str(tweets) if tweets else None,
        "ids_file": None,
        "withheld_in": f"[{country}]",
        "except_in": None,
        "from": in_iso(begins),
        "until": in_iso(begins + timedelta(days=90)) if serial % 6 == 2 else None,
        "effect": None,
        "reason": "legal_demand",
        "if_unknown": None,
        "demand": f"{country}-2025-{number}",
        "jurisdiction": country,
        "note": "decided by the policy team" if serial % 8 == 1 else None,
        "override": None,
    }
    if serial % 18 == 4:
        stay = begins + timedelta(days=20)
        values["stays"] = f"[{{from: {in_iso(stay)}, until: {in_iso(stay + timedelta(days=9))}}}]"
    if values["until"] is None and serial % 2:
        values["override"] = "{no-end: in force until it is lifted}"
    values |= _SPECIAL.get(rule_id, {})
    yield f"  - id: {rule_id}"
    yield from (f"    {key}: {value}" for key, value in values.items() if value is not None)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
