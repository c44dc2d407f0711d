"""Groups of territories: those that rule files define, which may contain other groups, and the predefined ones."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import NamedTuple

from withhold.errors import Place, Problem, TerritoryError, quoted
from withhold.parsing.nodes import Node
from withhold.sources.entry import Groups
from withhold.territories import (
    ALIASES,
    GROUPS,
    WORLD,
    Resolved,
    countries,
    is_newer,
    iso_version,
    name_of,
    resolve,
)

_TAKEN = (WORLD, *ALIASES, "XX", "XY")
#: The maximum number of territories in a group. A few bytes name a group, so without a limit a small file could need
#: gigabytes. There are 250 countries and 5,000 subdivisions.
_MOST = 1_000
#: The number of groups of a cycle that a message names.
_NAMED = 6


class _Group(NamedTuple):
    """A group as a file defines it: its name as written, its place, and its members, codes and groups by name."""

    name: str
    place: Place
    members: list[tuple[Place, Resolved | str]]


def read_groups(documents: Iterable[Node], problems: list[Problem], warnings: list[Problem]) -> Groups:
    """Return the groups of all files and the predefined ones, by their names in upper case.

    Add what is wrong with them to `problems`, and codes that were read as others to `warnings`.
    """
    found = {name: tuple(Resolved(code, None) for code in members) for name, members in GROUPS.items()}
    written: dict[str, tuple[Node, Node]] = {}
    for node in (value for document in documents for value in document.all("groups") if not value.absent):
        if node.pairs is None:
            hint = "write `groups:` and below it names with their territories: `gulf: [AE, BH]`"
            problems.append(Problem("bad-groups", "`groups` must be a mapping", node.place, hint))
        problems += node.faults()
        for key, value in node.pairs or ():
            name = str(key.text).strip().upper()
            if not name:
                hint = "write it before the territories: `gulf: [AE, BH]`"
                problems.append(Problem("bad-group", "a group needs a name", key.place, hint))
            elif name in found or name in written or name in _TAKEN or name in countries() or "-" in name:
                hint = "use a name that no other group and no territory has"
                problems.append(Problem("taken-group", f"the name {quoted(key.text)} is taken", key.place, hint))
            else:
                written[name] = key, value
    names = {*found, *written}
    defined = {
        name: _Group(str(key.text), key.place, list(_members(value, names, problems, warnings)))
        for name, (key, value) in written.items()
    }
    for name in defined:
        _expand(name, defined, found, problems)
    return found


def _members(
    node: Node, groups: Container[str], problems: list[Problem], warnings: list[Problem]
) -> Iterator[tuple[Place, Resolved | str]]:
    """Yield the members of a group: codes of territories, and names of groups in upper case."""
    for item in node.as_list:
        name = "" if item.text is None else item.text.strip().upper()
        if name in groups:
            yield item.place, name
        elif not name or name == WORLD:
            hint = "write only countries, subdivisions and other groups, such as `[AE, US-MS, EU]`"
            problems.append(Problem("bad-group", "a group lists territories", item.place, hint))
        else:
            try:
                code = resolve(str(item.text))
            except TerritoryError as error:
                problems.append(Problem(error.code, error.problem.message, item.place, error.hint))
                continue
            warnings += read_otherwise([code], item.place)
            yield item.place, Resolved(code.code, None)
    if not node.as_list:
        hint = "list its territories, such as `[AE, BH]`, or remove it"
        problems.append(Problem("bad-group", "the group is empty", node.place, hint))


def _expand(
    group: str, defined: Mapping[str, _Group], found: dict[str, tuple[Resolved, ...]], problems: list[Problem]
) -> None:
    """Add the territories of a group, and of all groups in it, to `found`. O(members): each group is expanded once."""
    # A loop, because groups may be nested deeper than Python's recursion limit. `path` are the groups that are being
    # expanded, each contained in the one before it.
    todo, path, depth = [group], list[str](), dict[str, int]()
    while todo:
        name = todo[-1]
        if name in found:
            todo.pop()
            continue
        if name not in depth:
            depth[name] = len(path)
            path.append(name)
            missing = [(place, inner) for place, inner in _groups_in(defined[name]) if inner not in found]
            for place, inner in missing:
                if inner in depth:
                    problems.append(_cycle([defined[each].name for each in path[depth[inner] :][:_NAMED]], place))
                else:
                    todo.append(inner)
            continue
        todo.pop()
        path.pop()
        # A group without territories is reported as a problem, so rules that name it are not reported too.
        found[name] = _territories(defined[name], found, problems) or (Resolved(WORLD, None),)


def _groups_in(group: _Group) -> Iterator[tuple[Place, str]]:
    return ((place, member) for place, member in group.members if isinstance(member, str))


def _territories(
    group: _Group, found: Mapping[str, tuple[Resolved, ...]], problems: list[Problem]
) -> tuple[Resolved, ...]:
    """Return the territories of a group. The groups in it have been expanded, except those that contain it."""
    inside: dict[Resolved, None] = {}
    for _, member in group.members:
        inside.update(dict.fromkeys(found.get(member, ()) if isinstance(member, str) else (member,)))
        if len(inside) > _MOST:
            hint = "name fewer, such as countries instead of their subdivisions"
            message = f"the group {quoted(group.name)} has more than {_MOST:,} territories"
            problems.append(Problem("bad-group", message, group.place, hint))
            return ()
    return tuple(inside)


def _cycle(names: list[str], place: Place) -> Problem:
    """Return the problem with a group that contains itself, by the names of the groups on the way."""
    way = " → ".join(map(quoted, names)) + (" → …" if len(names) == _NAMED else f" → {quoted(names[0])}")
    hint = "remove it here, or remove another of these groups from the one before it"
    return Problem("cyclic-group", f"the group {quoted(names[0])} contains itself: {way}", place, hint)


def read_otherwise(found: Iterable[Resolved], place: Place) -> Iterator[Problem]:
    """Yield a warning for each code that was read as another one, or that location data may not contain yet."""
    for code, alias in found:
        if alias:
            yield Problem("territory-alias", f"`{alias}` was read as `{code}`", place, severity="warning")
        elif is_newer(code):
            message = f"`{code}` ({name_of(code)}) is newer than the ISO 3166-2 list of pycountry {iso_version()}"
            hint = "the rule reaches viewers once location data contain the code"
            yield Problem("newer-territory", message, place, hint, severity="warning")
