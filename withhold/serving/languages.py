"""The text of notices, and the names of places, in the viewer's language. Needs Babel (the extra `serving`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from string import Formatter
from types import MappingProxyType
from typing import Any, Literal, NamedTuple
from unicodedata import bidirectional

from withhold.errors import quoted
from withhold.model import Reason, Scope
from withhold.serving.extras import imported
from withhold.serving.notices import Notice, exceptions_in, is_sendable
from withhold.territories import GROUPS, WORLD, country_of, is_subdivision, name_of

_BECAUSE = {
    Reason.LEGAL_DEMAND: "in response to a legal demand",
    Reason.COPYRIGHT: "in response to a report from the copyright holder",
    Reason.LOCAL_LAW: "based on local law",
    Reason.TERMS: "because it breaks the terms of service",
}
_KINDS = {
    "withheld": "This {scope} has been withheld {{where}} {because}.",
    "suspended": "This {scope} has been suspended {because}.",
    "own": "You see this {scope} because it is yours. It has been withheld {{where}} {because}.",
}

#: The templates of the English text by key. Those of other languages have the same keys and placeholders.
ENGLISH: Mapping[str, str] = MappingProxyType(
    {
        f"{kind}-{scope}-{reason.replace('_', '-')}": template.format(scope=scope, because=because)
        for kind, template in _KINDS.items()
        for scope in Scope
        for reason, because in _BECAUSE.items()
    }
    | {f"unavailable-{scope}": f"This {scope} is unavailable." for scope in Scope}
    | {
        "authority": "The demand came from {authority}.",
        "law": "Its basis is {law}.",
        "persons": "It applies to {persons}.",
        "in": "in {names}",
        "everywhere": "worldwide",
        "everywhere-except": "everywhere except {names}",
        "part": "{name} (except {names})",
    }
)

_DETAILS = ("authority", "law", "persons")
# A language tag in a header, with its parts. Longer ones are ignored.
_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,3}")
_PARTS = re.compile(
    r"([a-z]{2,3})(?:-([a-z]{4}))?(?:-([a-z]{2}|[0-9]{3}))?(?:-([0-9][a-z0-9]{3}|[a-z][a-z0-9]{4,7}))?",
    re.ASCII | re.IGNORECASE,
)
_QUALITY = re.compile(r"\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)\s*", re.IGNORECASE)

# English names of places that need an article in a sentence.
_WITH_ARTICLE = re.compile(
    r"United |British (?:Indian|Virgin)|U\.S\. |French Southern|Isle of|European |Caribbean Netherlands"
    r"|.*(?:Islands|Republic|Territories)$|(?:Bahamas|Comoros|Gambia|Maldives|Netherlands|Philippines)$"
)


class NoticeText(NamedTuple):
    """The text of a notice, its language as a tag, and its direction. It is plain text: escape it in HTML."""

    text: str
    language: str
    direction: Literal["ltr", "rtl"]


class Wordings:
    """The text of notices in English and in the languages of the platform. Immutable, so threads can share it.

    `templates` has, by language tag and then by key, the texts that replace those of `ENGLISH`. A language need not have
    all keys: a notice for which one is missing is in English.

    >>> from withhold import Reason, Scope
    >>> wordings = Wordings({"fr": {"withheld-tweet-local-law": "Tweet retiré selon la loi locale : {where}."}})
    >>> notice = Notice(
    ...     key="withheld-tweet-local-law", kind="withheld", scope=Scope.TWEET, reason=Reason.LOCAL_LAW, withheld_in=("DE", "AT")
    ... )
    >>> wordings.text(notice).text
    'This tweet has been withheld in Austria and Germany based on local law.'
    >>> wordings.text(notice, "fr-CA, en;q=0.5").text
    'Tweet retiré selon la loi locale : Allemagne et Autriche.'

    Raises `ImportError` (`missing-extra`) without Babel, and `ValueError` (`bad-wordings`), which lists all unknown
    languages, keys and placeholders.
    """

    def __init__(self, templates: Mapping[str, Mapping[str, str]] = MappingProxyType({})) -> None:
        problems = [problem for language, own in templates.items() for problem in _problems(language, own)]
        if problems:
            raise ValueError(f"{'; '.join(problems)} [bad-wordings]")
        _locale("en")  # a missing Babel is reported here, not when the first viewer needs a text
        self._templates: dict[str, Mapping[str, str]] = {"en": ENGLISH}
        for tag, own in templates.items():
            self._templates[tag] = {**(ENGLISH if tag == "en" else {"in": "{names}"}), **own}
        #: The tags by their lower case and by their full forms: `zh-TW` is also `zh-hant-tw`.
        self._by_form = {form.lower(): tag for tag in self._templates for form in (_full(tag), tag)}

    @property
    def languages(self) -> tuple[str, ...]:
        """The tags of the languages that have templates; `en` is the first."""
        return tuple(self._templates)

    def negotiate(self, accept_language: str | None) -> str:
        """Return the tag of the best language for an `Accept-Language` header, or `en` if no language matches.

        This is the lookup of RFC 4647, with the scripts and regions of CLDR. O(header), of which 32 languages are read.
        """
        forms = (form.lower() for form in _preferred(accept_language or ""))
        return next((self._by_form[form] for form in forms if form in self._by_form), "en")

    def text(self, notice: Notice, accept_language: str | None = "en") -> NoticeText:
        """Return the text of a notice in the best language for a tag or an `Accept-Language` header.

        Lists of territories are never shortened, because the text may have legal effect.
        """
        tag = self.negotiate(accept_language)
        try:
            text = self._text(notice, tag)
        except KeyError:  # the language has no template for this notice
            text, tag = self._text(notice, "en"), "en"
        return NoticeText(text, tag, _locale(tag).text_direction)

    def _text(self, notice: Notice, tag: str) -> str:
        templates = self._templates[tag]
        template = templates[notice.key]
        where = _where(notice, tag, templates) if "{where}" in template else ""
        said = ((key, value) for key in _DETAILS if (value := getattr(notice, key)))
        direction = _locale(tag).text_direction
        details = (templates[key].format(**{key: _isolated(value, direction)}) for key, value in said)
        return " ".join([template.format(where=where), *details])


def _isolated(text: str, direction: str) -> str:
    """Return a name between isolates if it has letters of the other direction, which would reorder its surroundings."""
    other = {"L"} if direction == "rtl" else {"R", "AL"}
    return f"\u2068{text}\u2069" if any(bidirectional(char) in other for char in text) else text


def place_names(codes: Iterable[str], language: str = "en") -> str:
    """Return the CLDR names of territories as a list in a language, for a client's own texts.

    `language` is a tag or an `Accept-Language` header; English is used if CLDR has none of its languages. The EU's 27
    members together are the European Union. Subdivisions have their ISO 3166-2 names, which CLDR data of Babel lack.

    >>> place_names(["IN", "TR", "US-MS"], "ar")
    'Mississippi (الولايات المتحدة) والهند وتركيا'
    >>> place_names(["US-MS"])
    'Mississippi, United States'
    """
    locale = next(filter(None, map(_locale, _preferred(language))), None) or _locale("en")
    return _joined(_names(list(codes), locale), locale)


def _where(notice: Notice, tag: str, templates: Mapping[str, str]) -> str:
    """Return where something is withheld, as a phrase such as `in India`. Raises `KeyError` for a missing template."""
    locale = _locale(tag)
    if notice.withheld_in == (WORLD,):
        if not notice.except_in:
            return templates["everywhere"]
        return templates["everywhere-except"].format(names=_joined(_names(list(notice.except_in), locale), locale))
    partly = {code: outer for code in notice.withheld_in if (outer := exceptions_in(code, notice.except_in))}
    names = _names([code for code in notice.withheld_in if code not in partly], locale, alone=not partly)
    for code, outer in partly.items():
        (name,) = _names([code], locale)
        inner = [_name(each, locale) for each in outer]
        names.append(templates["part"].format(name=name, names=_joined(sorted(inner, key=str.casefold), locale)))
    return templates["in"].format(names=_joined(names, locale))


def _names(codes: list[str], locale: Any, *, alone: bool = True) -> list[str]:
    """Return the names of territories, sorted. Those of subdivisions contain that of the country."""
    english = locale.language == "en"
    found: dict[str, str] = {}
    for group, name in (("EEA", "the European Economic Area"), ("EU", "")):
        if (group == "EU" or english) and set(GROUPS[group]) <= set(codes):
            codes = [code for code in codes if code not in GROUPS[group]]
            found[group] = name or _name("EU", locale)
    alone = alone and len(codes) + len(found) == 1
    for code in codes:
        name = _name(code, locale)
        if is_subdivision(code):
            country = _name(country_of(code), locale).removeprefix("the ")
            name = f"{name}, {country}" if alone else f"{name} ({country})"
        found[code] = name
    return sorted(found.values(), key=lambda name: name.removeprefix("the ").casefold())


def _name(code: str, locale: Any) -> str:
    if is_subdivision(code):
        return name_of(code)
    name: str = locale.territories.get("001" if code == WORLD else code) or name_of(code)
    return f"the {name}" if locale.language == "en" and _WITH_ARTICLE.match(name) else name


def _joined(names: list[str], locale: Any) -> str:
    listed: str = imported("babel.lists", "serving").format_list(names, locale=locale)
    return listed


def _preferred(header: str) -> Iterator[str]:
    """Yield the languages of an `Accept-Language` header, the preferred first, each followed by its more general forms.

    These are the forms of the full tag, so that `zh-TW` is `zh-Hant` before it is `zh`.
    """
    found: list[tuple[float, str]] = []
    for part in header.split(",")[:32]:
        tag, _, parameter = part.partition(";")
        quality = _QUALITY.fullmatch(parameter) if parameter else None
        weight = min(float(quality[1]), 1.0) if quality else 0.0 if parameter else 1.0
        if weight and _TAG.fullmatch(tag.strip()):
            found.append((weight, tag.strip()))
    for _, tag in sorted(found, key=lambda each: -each[0]):
        yield tag
        parts = _full(tag).split("-")
        yield from ("-".join(parts[:length]) for length in range(len(parts), 0, -1))


def _full(tag: str) -> str:
    """Return a language tag with its script or region, if CLDR needs these, or the tag itself if CLDR lacks it."""
    locale = _locale(tag)
    return tag if locale is None else str(locale).replace("_", "-")


def _locale(tag: str) -> Any:
    """Return the data of CLDR for a language, or None if there are none.

    Viewers choose the tag. Babel searches all languages for each unknown tag and keeps the result for ever, so only known tags are
    passed to it.
    """
    core = imported("babel.core", "serving")
    found = _PARTS.fullmatch(tag)
    known = _known_languages()
    name = (
        next((name for name in _candidates(core.get_global, *found.groups()) if name in known), None) if found else None
    )
    return None if name is None else core.Locale.parse(name)


def _candidates(
    table: Callable[[str], Any], language: str, script: str | None, territory: str | None, variant: str | None
) -> Iterator[str]:
    """Yield the names that the data for a language may have: its own, and those with the script and the region of CLDR."""
    language, script = language.lower(), script and script.title()
    territory, variant = territory and territory.upper(), variant and variant.upper()
    yield _identifier(language, script, territory, variant)
    language = table("language_aliases").get(language, language)
    territory = table("territory_aliases").get(territory, (territory,))[0]
    script, territory = None if script == "Zzzz" else script, None if territory == "ZZ" else territory
    likely = table("likely_subtags")
    for name, is_whole in ((_identifier(language, script, territory, variant), True), (language, False)):
        if name in likely:
            own, own_script, own_territory = likely[name].split("_")
            place = own_territory if is_whole else territory
            yield _identifier(own, own_script, place)
            yield _identifier(own, place)


def _identifier(*parts: str | None) -> str:
    return "_".join(filter(None, parts))


@cache
def _known_languages() -> frozenset[str]:
    return frozenset(imported("babel.localedata", "serving").locale_identifiers())


def _problems(language: str, templates: Mapping[str, str]) -> Iterator[str]:
    """Yield what is wrong with the templates of a language."""
    if not _TAG.fullmatch(language) or _locale(language) is None:
        yield f"unknown language {quoted(language)}: use a tag such as `hi` or `pt-BR`"
    for key, template in templates.items():
        if (english := ENGLISH.get(key)) is None:
            yield f"unknown key {quoted(key)} of {quoted(language)}"
            continue
        if not is_sendable(template):
            yield f"template {quoted(template)} for {quoted(key)} of {quoted(language)} is not text without control characters"
            continue
        try:
            allowed, used = _placeholders(english), _placeholders(template)
        except ValueError:
            yield f"template {quoted(template)} for {quoted(key)} of {quoted(language)} has unbalanced braces"
            continue
        if used != allowed:
            expected = ", ".join(f"`{{{name}}}`" for name in sorted(allowed)) or "no placeholders"
            yield f"template {quoted(template)} for {quoted(key)} of {quoted(language)} must have {expected}"


def _placeholders(template: str) -> set[str]:
    """Return the placeholders of a template, each with its conversion and format, so that these are refused."""
    parsed = Formatter().parse(template)
    return {
        name + (f"!{convert}" if convert else "") + (spec or "")
        for _, name, spec, convert in parsed
        if name is not None
    }
