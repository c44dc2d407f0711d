"""Legal jurisdictions: where a demand comes from, and which territories outside its own code belong to a country."""

from __future__ import annotations

import re
from collections.abc import Mapping

from withhold.model.rule import Rule
from withhold.territories import ALIASES, GROUPS, countries

#: Territories that belong to a country and have an ISO 3166-1 code of their own, so the country's code does not include
#: them (T5). Spain, Portugal and others have none. Taiwan is not listed under China: orders of one have no force in the other.
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

# Letters followed only by a number do not name a country: `ID-123` is an identifier, and `NO-17` a number. Neither do
# words: `TO-DO`, `no_demand`. Before a slash or a blank, letters mean something else: `CA/12/2020` is a civil appeal,
# `IN RE` Latin.
_PREFIX = re.compile(r"([A-Z]{2,3})[-_](?!\d+$)(?=.*\d)", re.ASCII | re.IGNORECASE)


def jurisdiction_of(rule: Rule) -> tuple[str, tuple[str, ...]] | None:
    """Return the country or group that issued the rule's demand, and the countries that belong to it.

    The demand's id names the issuer (`IN-D1`, `EU_D17`). Return None if it names none.
    """
    found = _PREFIX.match(rule.demand or "")
    if found is None:
        return None
    prefix = found[1].upper()
    if any(code.endswith(f"-{prefix}") for code in rule.withheld_in):
        return None  # for a rule on `US-CA`, `CA-…` is a demand from California
    code = ALIASES.get(prefix, prefix)
    members = GROUPS.get(code, (code,))
    own = [country for country in members if country in countries()]
    return (code, (*own, *(part for country in own for part in OVERSEAS.get(country, ())))) if own else None
