"""Countries as the law sees them: which demand comes from where, and what belongs to a country beyond its own code."""

from __future__ import annotations

import re
from collections.abc import Mapping

from withhold.model.rule import Reason, Rule
from withhold.territories import ALIASES, GROUPS, countries

#: The reasons that hold in one jurisdiction.
LOCAL = (Reason.LEGAL_DEMAND, Reason.LOCAL_LAW)

#: What belongs to a country and has an ISO 3166-1 code of its own, so that the country's code leaves it out (T5).
#: Spain, Portugal and others have none. Taiwan is not among China's: no order of the one has force in the other.
OVERSEAS: Mapping[str, tuple[str, ...]] = {
    country: tuple(codes.split())
    for country, codes in {
        "AU": "CC CX HM NF",
        "CN": "HK MO",
        "DK": "FO GL",
        "FI": "AX",
        "FR": "BL GF GP MF MQ NC PF PM RE TF WF YT",
        "GB": "AI BM FK GG GI GS IM IO JE KY MS PN SH TC VG",
        "NL": "AW BQ CW SX",
        "NO": "BV SJ",
        "NZ": "CK NU TK",
        "US": "AS GU MP PR UM VI",
    }.items()
}

# A plain number behind the letters is no demand's: `ID-123` is an identifier, and `NO-17` a number. Nor are mere words:
# `TO-DO`, `no_demand`. Behind a slash or a blank letters mean other things: `CA/12/2020` is a civil appeal, and `IN RE` Latin.
_PREFIX = re.compile(r"([A-Z]{2,3})[-_](?!\d+$)(?=.*\d)", re.ASCII | re.IGNORECASE)


def jurisdiction_of(rule: Rule) -> tuple[str, tuple[str, ...]] | None:
    """Return the country or group whose authority a demand's id names (`IN-D1`, `EU_D17`), and all that belongs to it."""
    found = _PREFIX.match(rule.demand or "")
    if found is None:
        return None
    prefix = found[1].upper()
    if any(code.endswith(f"-{prefix}") for code in rule.withheld_in):
        return None  # `CA-…` on `US-CA` is California's
    code = ALIASES.get(prefix, prefix)
    members = GROUPS.get(code, (code,))
    own = [country for country in members if country in countries()]
    return (code, (*own, *(part for country in own for part in OVERSEAS.get(country, ())))) if own else None


def words(reason: Reason) -> str:
    return reason.replace("_", " ")
