"""X's lists of countries: two-letter codes, with `XX` for every country and `XY` for every country because of copyright."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache
from typing import NamedTuple

from withhold.errors import TerritoryError, quoted
from withhold.model.rule import Reason
from withhold.territories import WORLD, is_subdivision, resolve
from withhold.wire.event import Kind, Term
from withhold.wire.values import Context, Refused

EVERYWHERE, COPYRIGHT_EVERYWHERE = "XX", "XY"
_HINT = "write a list of ISO 3166-1 codes such as `DE`"


class Terms(NamedTuple):
    """The terms of a list of codes, and the codes that were read as other ones."""

    terms: frozenset[Term]
    aliases: tuple[str, ...]


@cache
def x_term(reason: Reason, code: str) -> Term:
    """Return the term of one code. X withholds in a country under that country's own law."""
    return Term(reason, (code,), jurisdiction=code if reason.local and code != WORLD else None)


def country(code: object) -> tuple[str, str | None]:
    """Return a country in canonical form, and the written code if it differs."""
    if not isinstance(code, str):
        raise Refused("bad-event", f"{quoted(code)} is not a country code", _HINT)
    if len(code) != 2:
        raise Refused("unknown-territory", f"{quoted(code)} is not a country code of two letters", _HINT)
    try:
        found = resolve(code)
    except TerritoryError as error:
        raise Refused(error.code, error.problem.message, error.hint) from None
    return found.code, found.alias


@lru_cache(maxsize=2**17)
def _terms_of(
    codes: tuple[str, ...], is_copyright: bool
) -> Terms:  # a `bool`, because the cache hashes it faster than a `Reason`
    """Return the terms of X's codes. A code has no reason of its own, so all codes but `XY` have the same one."""
    reason = Reason.COPYRIGHT if is_copyright else Reason.LEGAL_DEMAND
    terms, aliases = set(), []
    for code in codes:
        upper = code.upper() if isinstance(code, str) else code
        if upper == COPYRIGHT_EVERYWHERE:
            terms.add(x_term(Reason.COPYRIGHT, WORLD))
        elif upper == EVERYWHERE:
            terms.add(x_term(reason, WORLD))
        else:
            found, alias = country(code)
            terms.add(x_term(reason, found))
            if alias:
                aliases.append(f"`{alias}` was read as `{found}`")
    return Terms(frozenset(terms), tuple(aliases))


def listed_terms(value: object, name: str, context: Context, *, is_copyright: bool = False) -> frozenset[Term]:
    """Return the terms of a JSON list of codes, which have the reason `legal_demand`, or all `copyright`."""
    if type(value) is not list:
        raise Refused("bad-event", f"`{name}` is missing, or is not a list", _HINT)
    try:
        found = _terms_of(tuple(value), is_copyright)
    except TypeError:  # a list or an object in the list
        raise Refused("bad-event", f"`{name}` contains something other than country codes", _HINT) from None
    if found.aliases:
        context.aliases.update(found.aliases)
    return found.terms


def codes_of(terms: Iterable[Term]) -> list[str]:
    """Return X's codes for terms, sorted."""
    return sorted(_code(term) for term in terms)


def _code(term: Term) -> str:
    (code,) = term.withheld_in
    if code == WORLD:
        return COPYRIGHT_EVERYWHERE if term.reason is Reason.COPYRIGHT else EVERYWHERE
    return code


def all_copyright(terms: frozenset[Term]) -> bool:
    """Return whether there are terms, and all have the reason `copyright`."""
    return bool(terms) and all(term.reason is Reason.COPYRIGHT for term in terms)


def plain(_: Kind, term: Term) -> Term | None:
    """Return the nearest term that a list of codes can express, or None. Only worldwide copyright has a code."""
    (code,) = term.withheld_in
    if is_subdivision(code):
        return None
    keeps = term.reason is Reason.COPYRIGHT and code == WORLD
    return x_term(Reason.COPYRIGHT if keeps else Reason.LEGAL_DEMAND, code)


def flagged(kind: Kind, term: Term) -> Term | None:
    """Return the nearest term that a list of codes with a flag for copyright can express, or None."""
    if term.reason is Reason.COPYRIGHT and not is_subdivision(term.withheld_in[0]):
        return x_term(Reason.COPYRIGHT, term.withheld_in[0])
    return plain(kind, term)
