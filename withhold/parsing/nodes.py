"""Nodes: the text, lists and mappings of a file, each with its place, before a schema gives them a meaning."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field

from withhold.errors import CONTROL_CHARACTER, Place, Problem, RuleSetError, quoted
from withhold.model.rule import LINES, describe_control_character

#: The maximum nesting depth. Deeper files are refused before they exhaust the stack.
MAX_DEPTH = 20
# Mappings with fewer keys than this, such as rules, are searched without an index, which is faster.
_FEW = 20

#: A carriage return without a newline. A parser ends the line there, but to a reviewer the text after it may look like
#: part of a comment.
BARE_RETURN = re.compile("\r(?=[^\n])")
#: Line breaks that other programs do not show as line breaks, and comments with characters that change the direction of
#: text. With these, a reviewer would not see what this program reads.
UNSEEN = re.compile("[\x85\u2028\u2029]|(?:^|[ \t])#[^\r\n]*?[\u202a-\u202e\u2066-\u2069]", re.MULTILINE)


def bare_return(place: Place) -> Problem:
    """Return the problem for a text that contains a `BARE_RETURN`."""
    hint = "save the file with Unix or Windows line endings"
    return Problem("bare-return", "a carriage return is not followed by a newline", place, hint)


class Quoted(str):
    """Text that was in quotes: its author intended exactly these characters."""

    __slots__ = ()


@dataclass(slots=True)
class Node:
    """A scalar (`text`), a list (`items`) or a mapping (`pairs`), and where it begins."""

    place: Place
    text: str | None = None
    items: list[Node] | None = None
    pairs: list[tuple[Node, Node]] | None = None
    #: For a mapping with many keys, the first key and the last value of each name; built at the first look-up.
    _index: dict[str | None, tuple[Node, Node]] | None = field(default=None, compare=False, repr=False)

    def plain(self) -> object:
        """Return str, `Quoted`, None, list or dict. A repeated key has its last value."""
        if self.items is not None:
            return [item.plain() for item in self.items]
        if self.pairs is not None:
            return {key.text: value.plain() for key, value in self.pairs}
        return self.text

    def get(self, key: str) -> Node | None:
        """Return the last value of a key, as in `plain()`, or None if the key is missing."""
        found = self._pair(key)
        return None if found is None else found[1]

    def all(self, key: str) -> Iterator[Node]:
        """Yield every value of a key that may be repeated."""
        return (value for found, value in self.pairs or () if found.text == key)

    @property
    def as_list(self) -> list[Node]:
        """The items of a list; for any other node, a list of only that node."""
        return self.items if self.items is not None else [self]

    @property
    def absent(self) -> bool:
        """Whether the node has no value, as after `groups:`."""
        return self.text is None and self.items is None and self.pairs is None

    def at(self, path: Sequence[int | str]) -> Node:
        """Return the node at a path of keys and indices, or the last one on the way that exists."""
        node = self
        for step in path:
            if isinstance(step, int) and node.items is not None:
                node = node.items[step]
            elif isinstance(step, str):
                node = node.get(step) or node
        return node

    def key_at(self, path: Sequence[int | str]) -> Node:
        """Return the node of the last key of `path`, not that of its value."""
        around = self.at(path[:-1])
        found = around._pair(str(path[-1]))
        return around if found is None else found[0]

    def _pair(self, name: str) -> tuple[Node, Node] | None:
        """Return the first key and the last value of a name."""
        if self.pairs is None:
            return None
        if self._index is None:
            if len(self.pairs) < _FEW:
                found = [pair for pair in self.pairs if pair[0].text == name]
                return (found[0][0], found[-1][1]) if found else None
            # Without an index, looking up every key would take quadratic time.
            first = {key.text: key for key, _ in reversed(self.pairs)}
            self._index = {key.text: (first[key.text], value) for key, value in self.pairs}
        return self._index.get(name)

    def faults(self, several_lines: Sequence[str] = (), skipped: Container[str | None] = ()) -> Iterator[Problem]:
        """Yield a problem for each text with a control character, and for each repeated key.

        Newlines and tabs are allowed at the ends of a text, and within the values of keys in `several_lines`. The
        values of keys in `skipped` are not searched.
        """
        waiting: list[tuple[Node, str]] = [(self, "")]
        while waiting:
            node, allowed = waiting.pop()
            if node.text is not None:
                if not node.text.isprintable() and (
                    found := describe_control_character("the text", node.text.strip(f" {LINES}"), allowed)
                ):
                    yield Problem(CONTROL_CHARACTER, found[0], node.place, found[1])
            elif node.items is not None:
                waiting += [(item, allowed) for item in node.items]
            elif node.pairs:
                if len({key.text for key, _ in node.pairs}) < len(node.pairs):
                    yield from node.repeated_keys()
                for key, value in node.pairs:
                    waiting.append((key, ""))
                    if node is not self or key.text not in skipped:
                        waiting.append((value, LINES if key.text in several_lines else allowed))

    def repeated_keys(self) -> Iterator[Problem]:
        """Yield a problem for each repeated key of this mapping: one of the values would be lost."""
        seen: set[str | None] = set()
        for key, _ in self.pairs or ():
            if key.text in seen:
                message = f"key {quoted(key.text)} is given twice"
                yield Problem("repeated-key", message, key.place, "keep one: the other would be lost")
            seen.add(key.text)


class Builder:
    """Build nodes from the events of a parser."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.root: Node | None = None
        self._open: list[Node] = []
        self._key: list[Node | None] = []

    def place(self, line: int, column: int) -> Place:
        return Place(self.file, line, column)

    def scalar(self, line: int, column: int, text: str | None) -> None:
        self._add(Node(self.place(line, column), text=text))

    def start(self, line: int, column: int, *, mapping: bool) -> None:
        place = self.place(line, column)
        if len(self._open) == MAX_DEPTH:
            raise refused("too-deep", f"nested more than {MAX_DEPTH} levels deep", place, "look for extra brackets")
        node = Node(place, pairs=[]) if mapping else Node(place, items=[])
        self._add(node)
        self._open.append(node)
        self._key.append(None)

    def end(self) -> None:
        self._open.pop()
        self._key.pop()

    @property
    def wants_key(self) -> bool:
        return bool(self._open) and self._open[-1].pairs is not None and self._key[-1] is None

    def _add(self, node: Node) -> None:
        if not self._open:
            self.root = node
        elif (items := self._open[-1].items) is not None:
            items.append(node)
        elif (key := self._key[-1]) is None:
            if node.text is None:
                raise refused("bad-key", "a key must be text", node.place, "write `key: value`")
            self._key[-1] = node
        else:
            pairs = self._open[-1].pairs
            assert pairs is not None  # noqa: S101  # an open node is a list or a mapping
            pairs.append((key, node))
            self._key[-1] = None


def has_half_surrogate(text: str) -> bool:
    """Return whether text has an unpaired surrogate, which only an escape can produce and which cannot be printed."""
    return not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text)


def refused(code: str, message: str, place: Place, hint: str | None = None) -> RuleSetError:
    """Return the error for a file that cannot be read further."""
    return RuleSetError([Problem(code, message, place, hint)])
