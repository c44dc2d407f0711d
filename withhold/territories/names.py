"""Names that people use for countries and subdivisions, including names that ISO 3166 does not have."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from unicodedata import combining, normalize

from withhold.territories.iso import countries, country_of, is_in_use, subdivisions
from withhold.territories.table import TABLE


def _words(text: str) -> frozenset[str]:
    return frozenset(" ".join(text.split()).split(", "))


#: Names for the whole world.
WORLDWIDE = _words("""
    001, all, all countries, any, anywhere, earth, every country, everywhere, global, globally, international,
    internationally, the whole world, the world, world wide, worldwide, ww
""")

#: Names for all countries except some.
REMAINDER = _words("everywhere else, other countries, rest of the world, rest of world, row, the rest of the world")

#: Names and UN codes of regions that are not territories. A rule must list their countries instead.
CONTINENTS = _words("""
    002, 003, 005, 009, 013, 019, 021, 029, 142, 150, 419, africa, americas, apac, arab league, asean, asia, asia pacific,
    balkans, baltics, benelux, brics, caribbean, central america, central asia, cis, commonwealth, dach, efta, emea, europe,
    eurozone, five eyes, g20, g7, gcc, gulf, gulf states, latam, latin america, maghreb, mena, mercosur, middle east, nato,
    nordics, north africa, north america, oc, oceania, scandinavia, south america, south asia, southeast asia, visegrad
""")

# Names of countries that ISO 3166 does not have, and abbreviations that newspapers and sports use.
_COUNTRIES = """
AE emirates, the emirates, uae
BF burkina, upper volta
BN brunei
BW bechuanaland
BY byelorussia
CD congo kinshasa, dr congo, drc, zaire
CF car
CG congo brazzaville
AT osterreich
BE belgie, belgique
BR brasil
CH schweiz, sui, suisse, svizzera
DK danmark
ES espana
FI suomi
HR hrvatska
IT italia
NO norge
PL polska
SE sverige
CI ivory coast
CN mainland china, prc
CV cape verde
CZ czech republic
DE deutschland, ger, west germany
DO dominican
EH western sahara
ET abyssinia
FK falklands, malvinas
FO faeroe islands, faeroes, faroes
GB britain, great britain, u k
IE eire, republic of ireland
IR persia
KH kampuchea
KP dprk
KR rok
LK ceylon
MD moldavia
MK fyrom, macedonia
MM burma
MO macau
NL holland, ned, nederland
PS gaza, west bank
RE la reunion
RU russia
SA ksa, saudi, saudia
SZ swaziland
TH siam
TL east timor, timor
TR turkey
TV ellice islands
TW formosa, republic of china, roc
US america, the states, u s, u s a, united states of america
VA vatican, vatican city
WS western samoa
ZA rsa
ZW rhodesia
XK kosova
AX aland
IQ irak
LY lybia
CL chili
SH saint helena
"""

# English names of subdivisions that ISO 3166-2 lists in another language only.
_SUBDIVISIONS = """
AT-9 vienna
BE-BRU brussels
BE-VLG flanders
BE-WAL wallonia
CH-GE geneva
CN-NM inner mongolia
CN-XJ xinjiang
CN-XZ tibet
DE-BY bavaria
DE-HE hesse
DE-NI lower saxony
DE-NW north rhine westphalia
DE-RP rhineland palatinate
DE-SN saxony
DE-TH thuringia
ES-AN andalusia
ES-CN canary islands, canaries, canary
ES-CT catalonia
ES-IB balearic islands
ES-PV basque country
FR-20R corsica
FR-BRE brittany
FR-NOR normandy
IN-JK kashmir
IT-25 lombardy
IT-52 tuscany
IT-82 sicily
IT-88 sardinia
KR-11 seoul
PK-JK kashmir
PT-20 azores
RU-CE chechnya
RU-MOW moscow
RU-SPE saint petersburg
UA-09 luhansk
UA-14 donetsk
UA-30 kiev, kyiv
UA-43 crimea
US-DC washington dc
IN-OD orissa
IN-DL new delhi
IN-PY pondicherry
IN-UK uttaranchal
GB-NIR ni
"""


def plain(name: str) -> str:
    """Return a name in a form for comparison: lower case, without accents and punctuation.

    >>> plain("Côte d'Ivoire"), plain("St. Kitts & Nevis")
    ('cote d ivoire', 'saint kitts and nevis')
    """
    letters = "".join(letter for letter in normalize("NFKD", name) if not combining(letter)).casefold()
    words = re.sub(r"[\W_]+", " ", letters.replace("&", " and ")).split()
    return " ".join("saint" if word == "st" else word for word in words)


#: Names of countries that were divided or became part of another, each with the country's code in the table.
FORMER: Mapping[str, str] = {
    **{
        plain(row.name).removeprefix("the "): row.code
        for row in TABLE.values()
        if row.how in ("split", "merged") and "-" not in row.code
    },
    "channel islands": "GB-CHA",
    "czechoslovakia": "CS",
    "german democratic republic": "DD",
    "serbia and montenegro": "CS",
    "u s s r": "SU",
    "ussr": "SU",
}

# Words before a country's name in its official form, and words after a subdivision's name, that are not part of it.
_STYLE = re.compile(
    r"^(?:the )?(?:\w+ )*?(?:commonwealth|federation|kingdom|principality|republic|state|states|union) of (?:the )?"
)
_SHORTEST = 6
_KINDS = re.compile(
    r" (?:county|district|governorate|oblast|oblysy|prefecture|province|region|sheng|shi|state|zizhiqu)$"
)


def codes_named(name: str) -> tuple[str, ...]:
    """Return the codes of all places with a name, countries first.

    >>> codes_named("Turkey"), codes_named("mississippi"), codes_named("Congo")
    (('TR',), ('US-MS',), ('CD', 'CG'))
    >>> codes_named("Georgia")
    ('GE', 'US-GA')
    """
    written = plain(name)
    bare = written.removeprefix("the ")
    for form in dict.fromkeys((written, bare, f"the {bare}", _STYLE.sub("", written))):
        found = _country_names().get(form, ())
        # Prefer a country to its subdivision of the same name: Mexico, Luxembourg.
        parts = [code for code in _subdivision_names().get(form, ()) if country_of(code) not in found]
        if parts and not found:  # Saint Kitts is a parish, and more likely half of the country's name
            found = tuple(code for code in _halves().get(form, ()) if any(country_of(part) == code for part in parts))
            parts = [code for code in parts if country_of(code) not in found]
        if found or parts:
            return (*found, *parts)
    return _halves().get(written, ())


def nearest_country_names(name: str) -> tuple[str, ...]:
    """Return the codes of the countries whose names have a similar spelling."""
    import difflib

    written = plain(name)
    swapped = {written[:at] + written[at + 1 : at + 2] + written[at] + written[at + 2 :] for at in range(len(written))}
    found = {code for known in swapped for code in _country_names().get(known, ())} if len(written) > 4 else set()
    if len(found) == 1 or len(written) < _SHORTEST:  # a short word is similar to too many names: `Roman` to Oman
        return tuple(found) if len(found) == 1 else ()
    close = range(len(written) - 2, len(written) + 3)
    names = [known for known in _country_names() if known[:1] == written[:1] and len(known) in close]
    near = difflib.get_close_matches(written, names, n=3, cutoff=0.85)
    return tuple(sorted({code for known in near for code in _country_names()[known]}))


@cache
def _country_names() -> Mapping[str, tuple[str, ...]]:
    import pycountry

    found = [(country.alpha_2, form) for country in pycountry.countries for form in _forms(country)]
    found += [(code, plain(name)) for code, name in countries().items()]
    return _by_name([*found, *_curated(_COUNTRIES)])


def _forms(country: object) -> Iterator[str]:
    """Yield the names of a country. `Congo, The Democratic Republic of the` is also a Congo."""
    for key in ("name", "common_name", "official_name", "alpha_3", "numeric"):
        for name in _inverted(getattr(country, key, "").partition(" (")[0]):
            yield name
            yield _STYLE.sub("", name)


@cache
def _halves() -> Mapping[str, tuple[str, ...]]:
    """Return the countries by the first half of a name that contains `and`: Bosnia, Trinidad."""
    pairs = ((code, name.partition(" and ")[0]) for name, codes in _country_names().items() for code in codes)
    return _by_name(pairs)


@cache
def _subdivision_names() -> Mapping[str, tuple[str, ...]]:
    import pycountry

    names = {s.code: s.name for s in pycountry.subdivisions}
    found = [
        (code, form)
        for country in countries()
        for code in subdivisions(country)
        for written in re.split(r"[\[\]()/;]", names.get(code) or TABLE[code].name)
        for form in _inverted(written)
    ]
    found += [(code, _KINDS.sub("", form)) for code, form in found]
    return _by_name([*found, *_curated(_SUBDIVISIONS)])


def _inverted(name: str) -> Iterator[str]:
    first, comma, rest = name.partition(", ")
    yield plain(name)
    if comma:
        yield plain(f"{rest} {first}")
        if " and " not in rest:  # `Bonaire, Sint Eustatius and Saba` is not only Bonaire
            yield plain(first)


def _curated(text: str) -> Iterator[tuple[str, str]]:
    for line in text.strip().splitlines():
        code, names = line.split(" ", 1)
        yield from ((code, name) for name in names.split(", ") if is_in_use(code))


def _by_name(pairs: Iterable[tuple[str, str]]) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {}
    for code, name in pairs:
        if name and name not in ("eh partial", "london"):  # `GB-LND` is the City of London alone
            found.setdefault(name, set()).add(code)
    return {name: tuple(sorted(codes)) for name, codes in found.items()}
