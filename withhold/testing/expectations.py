"""The `expect` of a case: the outcomes at places, in groups of territories, and elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from pydantic import ValidationInfo

from withhold.errors import Problem, TerritoryError, quoted
from withhold.model import Outcome, Viewer
from withhold.parsing.nodes import Node
from withhold.parsing.strict import problem
from withhold.sources.entry import Groups
from withhold.sources.groups import read_groups
from withhold.territories import WORLD, resolve
from withhold.testing.cases import Expectation
from withhold.testing.elsewhere import ELSEWHERE, Elsewhere, places_elsewhere
from withhold.testing.viewers import UNKNOWN, place_of, viewer

# A file has few places, and many cases ask about each.
_viewer = lru_cache(4096)(lambda place, account: viewer(place, account_id=account, signal="given by the case"))


def groups_of(root: Node, problems: list[Problem]) -> Groups:
    """Return the predefined groups and those that a case file defines. Add problems and warnings to `problems`.

    The groups of the rules are not used: cases that used them would silently change with a group.
    """
    found = read_groups([root], problems, problems)
    groups = root.get("groups")
    for key, _ in (groups and groups.pairs) or ():
        if str(key.text).strip().lower() in (UNKNOWN, ELSEWHERE):
            hint = "use a name that no other group and no territory has"
            problems.append(Problem("taken-group", f"the name {quoted(key.text)} is taken", key.place, hint))
    # A group with a problem has `WORLD` as its member, where no viewer can be.
    return {name: tuple(member for member in members if member.code != WORLD) for name, members in found.items()}


def read_place(text: str, info: ValidationInfo) -> str:
    """Return a key of `expect` unchanged, if it is a place, a group or `elsewhere`. Otherwise raise an error."""
    groups: Groups = info.context or {}
    try:
        _viewers(text, groups, None)
    except TerritoryError as error:
        name, hint = text.strip(), error.hint
        if error.code == "not-a-place":
            hint = f"write `{ELSEWHERE}` for all known places that the case does not name, and `{UNKNOWN}`"
        elif error.code == "unknown-territory" and len(name) > 2 and "-" not in name:
            hint = "write a code such as `IN`, or define a group in this file: `groups: {gulf: [AE, BH]}`"
        raise problem(error.code, error.problem.message, hint) from None
    return text


def expectations(
    expected: Mapping[str, Outcome], groups: Groups, account: int | None
) -> tuple[tuple[Expectation, ...], Elsewhere | None]:
    """Return the expectation for each place, including the places of groups, and the expectation for all other places.

    `account` is the account of the viewer. The keys of `expected` must be valid.
    """
    found: list[Expectation] = []
    elsewhere: Outcome | None = None
    for text, outcome in expected.items():
        if _is_elsewhere(text):
            elsewhere = outcome
            continue
        given_as = text.strip() if _is_group(text, groups) else None
        found += (Expectation(who, outcome, given_as) for who in _viewers(text, groups, account))
    if elsewhere is None:
        return tuple(found), None
    named = {each.viewer.location_key: each.outcome for each in found}
    return tuple(found), Elsewhere(places_elsewhere(named, elsewhere), elsewhere, account)


def place_problems(expect: Node | None, groups: Groups) -> Iterator[Problem]:
    """Yield a problem for each key with a repeated place, and a warning for each code that is read as another one."""
    seen: dict[Viewer | str, str] = {}
    for key, _ in (expect and expect.pairs) or ():
        text = str(key.text)
        try:
            viewers: list[Viewer] = _viewers(text, groups, None)
        except TerritoryError:
            continue
        places: list[Viewer | str] = [ELSEWHERE] if _is_elsewhere(text) else [*viewers]
        twice = next((place for place in places if place in seen), None)
        if twice is not None:
            code = twice if isinstance(twice, str) else place_of(twice)
            both = _is_group(text, groups) or _is_group(seen[twice], groups)
            how = f", by {quoted(seen[twice])} and by {quoted(text)}" if both else ""
            message = f"the place {quoted(code if both else text)} is given twice{how}"
            yield Problem("repeated-place", message, key.place, "keep one")
        seen |= dict.fromkeys(places, text)
        if not viewers or _is_group(text, groups) or viewers[0].country is None:
            continue
        if alias := resolve(text).alias:
            message = f"`{alias}` was read as `{place_of(viewers[0])}`"
            yield Problem("territory-alias", message, key.place, severity="warning")


def _viewers(text: str, groups: Groups, account: int | None) -> list[Viewer]:
    """Return the viewers at a place or in a group, none for `elsewhere`. Raise `TerritoryError` for any other text."""
    if _is_elsewhere(text):
        return []
    if _is_group(text, groups):
        return [_viewer(member.code, account) for member in groups[text.strip().upper()]]
    return [_viewer(text, account)]


def _is_elsewhere(text: str) -> bool:
    return text.strip().lower() == ELSEWHERE


def _is_group(text: str, groups: Groups) -> bool:
    return text.strip().upper() in groups
