"""Parse TOML into nodes. `tomllib` reads the values, and this module finds their places, which `tomllib` does not report."""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator

from withhold.errors import Place
from withhold.parsing.nodes import MAX_DEPTH, UNSEEN, Node, Quoted, refused

# The tokens of valid TOML: strings, comments, line ends, punctuation, and the other words, which have no blanks in them.
_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|\#[^\n]*|\n|[\[\]{},=.]|[^\s\[\]{},=."\'#]+',
    re.DOTALL,
)
_AT = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)$")
_Path = tuple[int | str, ...]


def read_toml(text: str, file: str, table: tuple[str, ...] = ()) -> Node | None:
    """Return a table of a TOML text as a node, by default the whole text. Return None if the text has no such table.

    Numbers, dates and booleans become text, as `true`. Raises `RuleSetError`.
    """
    try:
        found: object = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = _AT.search(str(error))
        where = (int(at[1]), int(at[2])) if at and at[1] else _end_of(text) if at else (1, 1)
        message = _AT.sub("", str(error))
        hint = "check brackets, quotes and commas up to here"
        raise refused(
            "bad-toml", f"this is not TOML: {message[:1].lower()}{message[1:]}", Place(file, *where), hint
        ) from None
    except RecursionError:
        raise refused("too-deep", "brackets are nested too deep", Place(file), "look for extra brackets") from None
    for key in table:
        if not isinstance(found, dict) or key not in found:
            return None
        found = found[key]
    places = _Places(text, file)
    if unseen := UNSEEN.search(text):
        hint = "remove it, and save the file as plain text"
        place = places.place_of(unseen.end() - 1)
        raise refused("bad-toml", "this is not TOML: it has a control character", place, hint)
    return places.node(found, table)


class _Places:
    """The places of the keys and items of a valid TOML text."""

    def __init__(self, text: str, file: str) -> None:
        self._file = file
        self._starts = [0, *(found.end() for found in re.finditer("\n", text))]
        #: The offsets of keys and of tables, and those of the values of keys and of items.
        self._offsets: dict[_Path, int] = {(): 0}
        self._values: dict[_Path, int] = {}
        self._tokens = [(found[0], found.start()) for found in _TOKEN.finditer(text) if not found[0].startswith("#")]
        self._at = 0
        #: The numbers of tables in arrays of tables, and the path of the last one of each.
        self._counts: defaultdict[_Path, int] = defaultdict(int)
        self._last: dict[_Path, _Path] = {}
        self._find()

    def node(self, value: object, path: _Path) -> Node:
        """Return a value as a node. A table with a header is at its name, and any other value where it begins."""
        place = self.place_of(self._values[path]) if path in self._values else self._place(path)
        if isinstance(value, dict | list) and len(path) > MAX_DEPTH:
            raise refused("too-deep", f"nested more than {MAX_DEPTH} levels deep", place, "look for extra brackets")
        if isinstance(value, dict):
            return Node(
                place,
                pairs=[(Node(self._place((*path, key)), key), self.node(value[key], (*path, key))) for key in value],
            )
        if isinstance(value, list):
            return Node(place, items=[self.node(item, (*path, number)) for number, item in enumerate(value)])
        if isinstance(value, str):
            return Node(place, Quoted(value))
        return Node(place, str(value).lower())

    def _place(self, path: _Path) -> Place:
        while path not in self._offsets:
            path = path[:-1]
        return self.place_of(self._offsets[path])

    def place_of(self, offset: int) -> Place:
        """Return the place of an offset in the text."""
        line = bisect_right(self._starts, offset)
        return Place(self._file, line, offset - self._starts[line - 1] + 1)

    def _find(self) -> None:
        """Find the places of all statements: headers of tables, and keys with their values."""
        table: _Path = ()
        while (word := self._next()) is not None:
            if word == "[" and self._peek() == "[":
                self._at += 1
                array = self._key(())
                table = self._last[array] = (*array, self._counts[array])
                self._counts[array] += 1
            elif word == "[":
                table = self._key(())
            elif word not in ("]", "\n"):
                self._at -= 1
                self._value(self._key(table))

    def _key(self, around: _Path) -> _Path:
        """Read a dotted key and the `=` or `]` after it."""
        path = around
        while (word := self._next()) not in (None, "=", "]"):
            if word != ".":
                path = (*self._last.get(path, path), _plain_key(str(word)))
                self._offsets.setdefault(path, self._tokens[self._at - 1][1])
        return path

    def _value(self, path: _Path) -> None:
        """Read a value, and find the places inside it."""
        if self._at < len(self._tokens):
            self._values.setdefault(path, self._tokens[self._at][1])
        word = self._next()
        if word == "[":
            for number in self._inside("]"):
                self._value((*path, number))
        elif word == "{":
            for _ in self._inside("}"):
                self._value(self._key(path))
        else:
            while self._peek() not in (None, "\n", ",", "]", "}"):
                self._at += 1

    def _inside(self, closer: str) -> Iterator[int]:
        """Yield the number of each value up to `closer`, with its first word as the next one."""
        number = 0
        while (word := self._next()) not in (None, closer):
            if word not in (",", "\n"):
                self._at -= 1
                yield number
                number += 1

    def _peek(self) -> str | None:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else None

    def _next(self) -> str | None:
        word = self._peek()
        self._at += 1
        return word


def _end_of(text: str) -> tuple[int, int]:
    return text.count("\n") + 1, len(text) - text.rfind("\n")


def _plain_key(word: str) -> str:
    """Return a key without its quotes."""
    return next(iter(tomllib.loads(f"{word} = 0"))) if word[0] in "\"'" else word
