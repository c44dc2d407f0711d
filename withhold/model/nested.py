"""Values nested in others of the same kind, even thousands deep: compared, hashed and pickled without recursion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

#: The number of levels that `repr` shows.
_LEVELS = 4


class _Inner(NamedTuple):
    """A reference to an inner value by its number."""

    number: int


class Nested:
    """The base of an immutable class whose attributes, or tuples in them, contain further `Nested` values.

    `__match_args__` names the attributes, in the order of the arguments of the class, as it does in a dataclass.

    All methods take O(n) time for n distinct objects, however often each occurs. `repr` shows the outermost levels.
    """

    __slots__ = ()
    __match_args__: tuple[str, ...]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Nested) or other.__class__ is not self.__class__:
            return NotImplemented
        numbers: dict[object, int] = {}  # equal values get the same number
        mine, theirs = (_folded(whole, lambda *key: numbers.setdefault(key, len(numbers))) for whole in (self, other))
        return bool(mine == theirs)

    def __hash__(self) -> int:
        return int(_folded(self, lambda *key: hash(key)))

    def __repr__(self) -> str:
        return _shown(self, _LEVELS)

    def __reduce__(self) -> tuple[Any, ...]:
        rows: list[tuple[type, tuple[object, ...]]] = []

        def number(kind: type, values: tuple[object, ...]) -> int:
            rows.append((kind, values))
            return len(rows) - 1

        _folded(self, number)
        return _built, (rows,)


def _folded(whole: Nested, fold: Callable[[type, tuple[object, ...]], int]) -> int:
    """Fold a value from its innermost values outwards, and return the result for the whole.

    `fold` gets the class of a value and its fields, in which the result of each inner value replaces that value.
    """
    results: dict[int, int] = {}
    todo: list[Nested] = [whole]
    while todo:
        value = todo[-1]
        values = [getattr(value, name) for name in value.__match_args__]
        missing = [inner for inner in _inner(values) if id(inner) not in results]
        todo += missing
        if not missing:
            todo.pop()
            if id(value) not in results:
                folded = (_replaced(each, lambda inner: _Inner(results[id(inner)])) for each in values)
                results[id(value)] = fold(value.__class__, tuple(folded))
    return results[id(whole)]


def _inner(values: list[object]) -> list[Nested]:
    found = [inner for each in values for inner in (each if isinstance(each, tuple) else (each,))]
    return [inner for inner in found if isinstance(inner, Nested)]


def _replaced(value: object, replace: Callable[[Nested], object]) -> object:
    """Return a value of a field with each inner value replaced."""
    if isinstance(value, Nested):
        return replace(value)
    if value.__class__ is tuple:
        return tuple(_replaced(each, replace) for each in value)
    return value


def _shown(value: Nested, levels: int) -> str:
    name = value.__class__.__qualname__
    if not levels:
        return f"{name}(…)"
    parts = []
    for attribute in value.__match_args__:
        shown = _replaced(getattr(value, attribute), lambda inner: _Text(_shown(inner, levels - 1)))
        parts.append(f"{attribute}={shown!r}")
    return f"{name}({', '.join(parts)})"


class _Text(str):
    """Text that is its own `repr`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _built(rows: list[tuple[type, tuple[object, ...]]]) -> object:
    built: list[object] = []

    def outer(value: object) -> object:
        if isinstance(value, _Inner):
            return built[value.number]
        return tuple(map(outer, value)) if value.__class__ is tuple else value

    for kind, values in rows:
        built.append(kind(*map(outer, values)))
    return built[-1]
