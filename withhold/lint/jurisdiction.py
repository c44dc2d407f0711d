"""Legal jurisdictions: the one that the id of a demand suggests, and the territories where the law of each applies."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache

from withhold.model.rule import Rule, territories_of
from withhold.model.territory_set import TerritorySet
from withhold.territories import ALIASES, GROUPS, WORLD, countries, name_of

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

# The territories above where the law of the EU applies (Article 355 of the Treaty on the Functioning of the EU).
_OVERSEAS_OF_UNION = ("AX", "GF", "GP", "MF", "MQ", "RE", "YT")

# Letters followed only by a number do not name a country: `ID-123` is an identifier, and `NO-17` a number. Neither do
# words: `TO-DO`, `no_demand`. Before a slash or a blank, letters mean something else: `CA/12/2020` is a civil appeal,
# `IN RE` Latin.
_PREFIX = re.compile(r"([A-Z]{2,3})[-_](?!\d+$)(?=.*\d)", re.ASCII | re.IGNORECASE)


def overseas_left_out(
    withheld_in: Collection[str], except_in: Iterable[str], jurisdiction: str | None
) -> Iterator[str]:
    """Yield a message for each country none of whose territories overseas is named.

    With a jurisdiction, only territories where its law applies count.
    """
    named = {*withheld_in, *except_in}
    if WORLD in named:
        return
    for country in withheld_in:
        codes = OVERSEAS.get(country, ())
        if jurisdiction is not None:
            codes = tuple(code for code in codes if code in where_law_applies(jurisdiction))
        if codes and named.isdisjoint(codes):
            listed = ", ".join(f"`{code}`" for code in codes)
            yield f"`{country}` ({name_of(country)}) does not include {listed}"


@cache
def where_law_applies(jurisdiction: str) -> TerritorySet:
    """Return where the law of a country, a subdivision, `EU` or `EEA` applies, with the territories overseas."""
    if jurisdiction in GROUPS:
        return TerritorySet((*GROUPS[jurisdiction], *_OVERSEAS_OF_UNION))
    return TerritorySet((jurisdiction, *OVERSEAS.get(jurisdiction, ())))


def guessed_jurisdiction(rule: Rule) -> str | None:
    """Return the country or group that the id of the rule's demand names (`IN-D1`, `EU_D17`), or None.

    It is a guess, and None unless the rule withholds somewhere in that country: `IT-69A-2021` is a section of India's
    Information Technology Act.
    """
    found = _PREFIX.match(rule.demand or "")
    if found is None:
        return None
    prefix = found[1].upper()
    if any(code.endswith(f"-{prefix}") for code in rule.withheld_in):
        return None  # for a rule on `US-CA`, `CA-…` is a demand from California
    code = ALIASES.get(prefix, prefix)
    if code not in GROUPS and code not in countries():
        return None
    return code if territories_of(rule) & where_law_applies(code) else None
