"""The layout of YAML files. ruamel.yaml writes them, and this module checks that nothing but spaces has changed.

ruamel.yaml joins values that span several lines, rewrites escapes, moves comments between a key and its value, and
leaves other comments at their old columns. So such values, with the comments before them, are replaced by placeholders
before it reads a text, and the other comments are indented afterwards.
"""

from __future__ import annotations

import re
import sys
from bisect import bisect_right
from collections.abc import Iterator
from io import StringIO
from itertools import zip_longest
from typing import Any, NamedTuple

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.resolver import VersionedResolver

from withhold.errors import Place
from withhold.parsing.nodes import refused
from withhold.parsing.yaml_file import read_yaml

_Loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_OPEN = (yaml.FlowSequenceStartToken, yaml.FlowMappingStartToken)
_CLOSE = (yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken)
_BEFORE_VALUES = (yaml.ValueToken, yaml.BlockEntryToken)
_ENDS = (yaml.MappingEndEvent, yaml.SequenceEndEvent, yaml.DocumentEndEvent, yaml.StreamEndEvent)
#: The columns by which mappings and the items of lists are indented.
_STEP = 2


def formatted(text: str, file: str) -> str:
    """Return a YAML text with the usual indentation and spacing. Only spaces and the ends of lines differ. O(n).

    Raises `RuleSetError` if the text is not YAML that rule files may contain, or cannot be written without another
    difference.
    """
    if read_yaml(text, file) is None:
        return text
    old = text.replace("\r\n", "\n")
    if not old.endswith("\n"):
        old += "\n"
    hidden, values = _without_long_values(_without_tabs(old))
    try:
        new = _with_values(_with_comments_indented(hidden, _round_trip(hidden)), values)
        line = _first_difference(old, new)
    except MarkedYAMLError as error:
        line = _line(hidden, error.problem_mark.index if error.problem_mark else 0, values)
    except _MovedError as error:
        line = _line(hidden, error.offset, values)
    if line is not None:
        message = "this cannot be formatted without changing more than spaces"
        hint = "write it in a simpler way, or leave this file out"
        raise refused("cannot-format", message, Place(file, line), hint)
    return new.replace("\n", "\r\n") if "\r\n" in text else new


class _MovedError(Exception):
    """A comment moved to another place. `offset` is its old place in the text without long values."""

    def __init__(self, offset: int) -> None:
        super().__init__(offset)
        self.offset = offset


class _Text:
    """The tokens and events of a YAML text, and the offsets of their marks."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._starts = [0, *(found.end() for found in re.finditer("\n", text))]

    def tokens(self) -> Iterator[tuple[Any, int, int]]:
        """Yield the tokens, each with the offsets where it begins and ends."""
        for token in yaml.scan(self.text, Loader=_Loader):
            yield token, self._offset(token.start_mark), self._offset(token.end_mark)

    def events(self) -> Iterator[tuple[Any, int]]:
        """Yield the events, each with the offset where it begins."""
        for event in yaml.parse(self.text, Loader=_Loader):
            yield event, self._offset(event.start_mark)

    def _offset(self, mark: Any) -> int:
        line, column = int(mark.line), int(mark.column)
        return min(self._starts[min(line, len(self._starts) - 1)] + column, len(self.text))

    def indentation(self, offset: int) -> int | None:
        """Return the column of an offset if only spaces are before it on its line, otherwise None."""
        before = self.text[self.text.rfind("\n", 0, offset) + 1 : offset]
        return None if before.strip(" ") else len(before)

    def comments(self) -> Iterator[tuple[int, str]]:
        """Yield the comments between tokens, each with its offset."""
        end = 0
        for _, start, token_end in self.tokens():
            for found in re.finditer(r"#[^\n]*", self.text[end:start]):
                yield end + found.start(), found[0].rstrip()
            end = max(end, token_end)


def _round_trip(text: str) -> str:
    rt = YAML()
    rt.Resolver = _NoImplicitTypes
    rt.preserve_quotes = True
    rt.width = sys.maxsize
    rt.explicit_start = text.lstrip().startswith("---")
    rt.indent(mapping=_STEP, sequence=2 * _STEP, offset=_STEP)
    with StringIO() as written:
        rt.dump(rt.load(text), written)
        return written.getvalue()


class _NoImplicitTypes(VersionedResolver):
    """Keeps every non-empty scalar as text, so that it is written unchanged."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        return self.DEFAULT_SCALAR_TAG if isinstance(value, str) and value else super().resolve(kind, value, implicit)


def _without_tabs(text: str) -> str:
    """Return a text without tabs between tokens, and without spaces at the ends of lines."""
    parts: list[str] = []
    done = 0
    for _, start, end in _Text(text).tokens():
        if start > done:
            gap = re.sub(r"(#[^\n]*)|\t", lambda found: found[1] or " ", text[done:start])
            parts.append(re.sub(r"[ \t]+(?=\n)", "", gap))
        parts.append(text[max(start, done) : end])
        done = max(done, end)
    return "".join((*parts, text[done:]))


class _Value(NamedTuple):
    """A value that was hidden: its first line, and its other lines, each with the columns by which it is indented.

    If it has `comments` before it, the first line is the rest of the line of its key or dash.
    """

    first: str
    others: list[tuple[int, str]]
    comments: bool = False

    def after(self, gap: str, columns: int, *, is_flow: bool) -> _Value:
        """Return this value with the comments in the gap before it."""
        first, *lines = gap.split("\n")
        others = [(columns, line.strip()) for line in lines[:-1]]
        moved = columns if is_flow else columns - _STEP
        rest = [(max(0, moved + column), line) for column, line in self.others]
        return _Value(first.rstrip(), [*others, (columns, self.first), *rest], comments=True)


def _without_long_values(text: str) -> tuple[str, dict[str, _Value]]:
    """Return a text with placeholders for the values that ruamel.yaml would change, and these values.

    Comments between a dash and a mapping are replaced by a first entry of the mapping.
    """
    name = "HIDDEN"
    while name in text:
        name += "N"
    values: dict[str, _Value] = {}
    parts: list[str] = []
    done = begins = depth = 0
    depths: dict[int, int] = {}  # of the tokens in the current value, by their offsets
    comma = False
    before: Any = None
    ended = columns = 0
    lead = ""  # the comments between a key or a dash and the current value
    for token, start, end in _Text(text).tokens():
        value = None
        if depth == 0 and not isinstance(token, _CLOSE):
            gap = text[ended:start] if isinstance(before, _BEFORE_VALUES) else ""
            lead, columns = gap if "#" in gap else "", _STEP if isinstance(before, yaml.ValueToken) else 0
        if lead and isinstance(before, yaml.BlockEntryToken) and isinstance(token, yaml.BlockMappingStartToken):
            placeholder = f"{name}{len(values)}END: x"
            first, *others, indentation = lead.split("\n")
            values[placeholder] = _Value(first.rstrip(), [(0, line.strip()) for line in others], comments=True)
            dashed = ended - text.rfind("\n", 0, ended) - 1
            spaces = " " * (len(indentation) - dashed)
            parts += [text[done:ended], spaces, placeholder, "\n", indentation]
            done = start
        if isinstance(token, _OPEN):
            begins = begins if depth else start
            depth += 1
        elif isinstance(token, _CLOSE):
            depth -= 1
        depths[start] = depth
        written = text[begins if isinstance(token, _CLOSE) else start : end]
        if depth == 0 and isinstance(token, _CLOSE):
            if comma or "\n" in written or "\\" in written:
                value = _Value(*_flow_lines(written, begins, depths))
        elif depth == 0 and isinstance(token, yaml.ScalarToken):
            begins, written = start, re.sub(r"\n\s*\Z", "", written)
            if token.style in ("|", ">"):
                value = _block(written)
            elif "\n" in written or "\\" in written:
                first, *others = written.split("\n")
                value = _Value(first.rstrip(), [(_STEP, line.strip()) for line in others])
        comma = isinstance(token, yaml.FlowEntryToken)
        if lead and depth == 0 and isinstance(token, (*_CLOSE, yaml.ScalarToken)):
            is_flow = isinstance(token, _CLOSE)
            value = (value or _Value(written, [])).after(lead, columns, is_flow=is_flow)
        if value is not None:
            placeholder = f"{name}{len(values)}END"
            values[placeholder] = value
            parts += [text[done : begins - len(lead)], " " if lead else "", placeholder]
            done = begins + len(written)
        if depth == 0:
            depths.clear()
        before, ended = token, end
    return "".join((*parts, text[done:])), values


def _block(written: str) -> _Value | None:
    """Return a block scalar, or None if it states its own indentation."""
    first, *others = written.split("\n")
    base = next((len(line) - len(line.lstrip(" ")) for line in others if line.strip(" ")), 0)
    if re.match(r"[|>][-+]?[0-9]", first):
        return None
    return _Value(first.rstrip(), [(_STEP, line[base:]) for line in others])


def _flow_lines(written: str, begins: int, depths: dict[int, int]) -> tuple[str, list[tuple[int, str]]]:
    """Return the first line of a flow collection, and the others.

    The depth of a line is the depth of its first token, or of the token before it.
    """
    first, *others = written.split("\n")
    offsets = sorted(depths)
    found: list[tuple[int, str]] = []
    at = begins + len(first) + 1
    for line in others:
        start = at + len(line) - len(line.lstrip())
        before = depths[offsets[bisect_right(offsets, start) - 1]]
        found.append((_STEP * before, line.strip()))
        at += len(line) + 1
    return first.rstrip(), found


def _with_values(text: str, values: dict[str, _Value]) -> str:
    """Return a text with the hidden values at their placeholders, indented as the blocks that these are in."""
    if not values:
        return text
    pattern = re.compile(f" ?({'|'.join(map(re.escape, values))})")
    lines: list[str] = []
    for line in text.split("\n"):
        around = re.match(" *(?:- +)*", line)
        indent = around.end() if around else 0

        def shown(found: re.Match[str], indent: int = indent) -> str:
            value = values[found[1]]
            space = "" if value.comments else found[0].removesuffix(found[1])
            others = (" " * (indent + columns) + text if text else "" for columns, text in value.others)
            return "\n".join((space + value.first, *others))

        lines.append(pattern.sub(shown, line))
    return "\n".join(lines)


def _with_comments_indented(old: str, new: str) -> str:
    """Return the new text, in which each comment on a line of its own is indented as the block that it belonged to."""
    before, after = _Text(old), _Text(new)
    parts: list[str] = []
    done = 0
    for written, laid, around, now_around in zip_longest(
        before.comments(), after.comments(), _around(before), _around(after)
    ):
        if written is None or laid is None:
            raise _MovedError(written[0] if written else len(old))
        (at, comment), (now_at, now) = written, laid
        column, now_column = before.indentation(at), after.indentation(now_at)
        same = around.next_level == now_around.next_level and len(around.columns) == len(now_around.columns)
        if comment != now or (column is None) != (now_column is None) or not same:
            raise _MovedError(at)
        if column is not None and now_column is not None:
            parts += [new[done : now_at - now_column], " " * now_around.columns[around.level(column)]]
            done = now_at
    return "".join((*parts, new[done:]))


class _Around(NamedTuple):
    """The columns of the blocks around a comment, the outermost first, and the block in which the text after it is."""

    columns: tuple[int, ...]
    next_level: int

    def level(self, column: int) -> int:
        """Return the block to which a comment at a column belongs: the next one, or else the innermost that is possible."""
        if self.columns[self.next_level] == column:
            return self.next_level
        return max(0, bisect_right(self.columns, column) - 1)


def _around(text: _Text) -> Iterator[_Around]:
    """Yield the surroundings of each comment. Blocks that end before it count, because it may be their last line."""
    offsets: list[int] = []
    blocks: list[tuple[int, ...]] = []
    levels: list[int] = []
    stack: list[tuple[int, bool]] = []  # the columns of open blocks, and whether they are lists
    for event, start in text.events():
        if isinstance(event, yaml.CollectionEndEvent):
            stack.pop()
        if not isinstance(event, yaml.NodeEvent):
            continue
        is_item = bool(stack) and stack[-1][1]
        if isinstance(event, yaml.CollectionStartEvent):
            # A flow collection on the line of its key has the column of the block around it.
            own = text.indentation(start) if event.flow_style else event.start_mark.column if event.start_mark else None
            column = (stack[-1][0] if stack else 0) if own is None else own
            stack.append((column, isinstance(event, yaml.SequenceStartEvent)))
        offsets.append(start)
        blocks.append(tuple(column for column, _ in stack))
        levels.append(len(stack) - 1 - (is_item and isinstance(event, yaml.CollectionStartEvent)))
    for at, _ in text.comments():
        number = bisect_right(offsets, at)
        last = blocks[number - 1] if number else ()
        following, level = (blocks[number], levels[number]) if number < len(blocks) else ((), 0)
        yield _Around(last + following[len(last) :], level)


def _line(hidden: str, offset: int, values: dict[str, _Value]) -> int:
    """Return the line in a file of an offset in its text without long values."""
    before = hidden[:offset]
    return before.count("\n") + 1 + sum(len(value.others) for name, value in values.items() if name in before)


def _first_difference(old: str, new: str) -> int | None:
    """Return the first line of a text where another differs in more than spaces and the ends of lines, or None."""
    at = None
    if "".join(old.split()) != "".join(new.split()):
        rest = iter("".join(new.split()))
        letters = ((at, letter) for at, letter in enumerate(old) if not letter.isspace())
        at = next((at for at, letter in letters if next(rest, "") != letter), len(old))
    else:
        before, after = _Text(old), _Text(new)
        for (event, start), (now, _) in zip(before.events(), after.events(), strict=False):
            if _meaning(event) != _meaning(now):
                at = start
                break
        for (start, comment), (_, now) in zip(before.comments(), after.comments(), strict=False):
            if comment != now:
                at = start
                break
    return None if at is None else old.count("\n", 0, at) + 1


def _meaning(event: Any) -> tuple[object, ...]:
    written = (getattr(event, name, None) for name in ("value", "implicit", "tag", "style"))
    return (type(event), *written, bool(getattr(event, "flow_style", False)))  # None is a list that is not indented
