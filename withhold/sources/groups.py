"""Groups of countries: those that rule files define, and the predefined ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from withhold.errors import Place, Problem, TerritoryError, quoted
from withhold.parsing.nodes import Node
from withhold.sources.entry import Groups
from withhold.territories import (
    ALIASES,
    GROUPS,
    WORLD,
    Resolved,
    countries,
    expand,
    is_newer,
    is_subdivision,
    iso_version,
    name_of,
)

_TAKEN = (WORLD, *ALIASES, "XX", "XY")


def read_groups(documents: Iterable[Node], problems: list[Problem], warnings: list[Problem]) -> Groups:
    """Return the groups of all files and the predefined ones, by their names in upper case.

    Add what is wrong with them to `problems`, and codes that were read as others to `warnings`.
    """
    found = {name: _resolved(members) for name, members in GROUPS.items()}
    for node in (value for document in documents for value in document.all("groups") if not value.absent):
        if node.pairs is None:
            hint = "write `groups:` and below it names with their countries: `gulf: [AE, BH]`"
            problems.append(Problem("bad-groups", "`groups` must be a mapping", node.place, hint))
        problems += node.faults()
        for key, value in node.pairs or ():
            name = str(key.text).strip().upper()
            if not name:
                hint = "write it before the countries: `gulf: [AE, BH]`"
                problems.append(Problem("bad-group", "a group needs a name", key.place, hint))
            elif name in found or name in _TAKEN or name in countries() or "-" in name:
                hint = "use a name that no other group and no territory has"
                problems.append(Problem("taken-group", f"the name {quoted(key.text)} is taken", key.place, hint))
            else:
                found[name] = _resolved(_members(value, problems, warnings))
    return found


def _members(node: Node, problems: list[Problem], warnings: list[Problem]) -> tuple[str, ...]:
    members: list[str] = []
    for item in node.as_list:
        try:
            found = expand(item.text) if item.text is not None else ()
        except TerritoryError as error:
            problems.append(Problem(error.code, error.problem.message, item.place, error.hint))
            continue
        if not found or any(code == WORLD or is_subdivision(code) for code, _ in found):
            hint = "write only codes of countries, such as `[AE, BH]`"
            problems.append(Problem("bad-group", "a group lists countries", item.place, hint))
        warnings += read_otherwise(found, item.place)
        members += (resolved.code for resolved in found)
    if not node.as_list:
        hint = "list its countries, such as `[AE, BH]`, or remove it"
        problems.append(Problem("bad-group", "the group is empty", node.place, hint))
    return tuple(dict.fromkeys(members))


def _resolved(codes: Iterable[str]) -> tuple[Resolved, ...]:
    return tuple(Resolved(code, None) for code in codes)


def read_otherwise(found: Iterable[Resolved], place: Place) -> Iterator[Problem]:
    """Yield a warning for each code that was read as another one, or that location data may not contain yet."""
    for code, alias in found:
        if alias:
            yield Problem("territory-alias", f"`{alias}` was read as `{code}`", place, severity="warning")
        elif is_newer(code):
            message = f"`{code}` ({name_of(code)}) is newer than the ISO 3166-2 list of pycountry {iso_version()}"
            hint = "the rule reaches viewers once location data contain the code"
            yield Problem("newer-territory", message, place, hint, severity="warning")
