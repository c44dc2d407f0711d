"""The layout of YAML files: ruamel.yaml indents the blocks, and this module checks that nothing but spaces has changed.

ruamel.yaml joins values that span several lines, rewrites escapes, and moves or drops comments. So it gets a text with
a placeholder for each key and each value, and without comments. Between each two tokens of its result, the comments and
blank lines of the original are put back, and the values at their placeholders.
"""

from __future__ import annotations

import re
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from io import StringIO
from typing import Any, NamedTuple

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from withhold.errors import Place
from withhold.parsing.nodes import refused
from withhold.parsing.yaml_file import read_yaml

_Loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_OPEN = (yaml.FlowSequenceStartToken, yaml.FlowMappingStartToken)
_CLOSE = (yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken)
_BLOCK = (yaml.BlockMappingStartToken, yaml.BlockSequenceStartToken)
_MARKERS = (yaml.DirectiveToken, yaml.DocumentStartToken, yaml.DocumentEndToken)
_INDICATORS = (yaml.BlockEntryToken, yaml.KeyToken, yaml.ValueToken)
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
    if not old.endswith("\n") and _first_difference(old, old + "\n") is None:
        old += "\n"
    try:
        new = _laid_out(old)
        line = _first_difference(old, new)
    except _ChangedError as error:
        line = _line(old, error.offset)
    if line is not None:
        message = "this cannot be formatted without changing more than spaces"
        hint = "write it in a simpler way, or leave this file out"
        raise refused("cannot-format", message, Place(file, line), hint)
    return new.replace("\n", "\r\n") if "\r\n" in text else new


class _ChangedError(Exception):
    """ruamel.yaml would write something else. `offset` is its place in the original text."""

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

    def comments(self) -> Iterator[tuple[int, str]]:
        """Yield the comments between tokens, each with its offset."""
        end = 0
        for _, start, token_end in self.tokens():
            for found in re.finditer(r"#[^\n]*", self.text[end:start]):
                yield end + found.start(), found[0].rstrip()
            end = max(end, token_end)


class _Piece(NamedTuple):
    """A key, a value, a dash, a colon or a marker such as `---`. The tag before it on its line belongs to it."""

    #: `-`, `?` or `:`, `value` for keys and values, or `marker`.
    kind: str
    start: int
    end: int
    lines: list[str]
    #: The depth of each line of a flow collection. The lines of other values have none.
    depths: Sequence[int] = ()
    #: The columns by which a block scalar states to be indented, or 0.
    stated: int = 0


def _pieces(text: str) -> Iterator[_Piece]:
    """Yield the pieces of a text. Only spaces, comments, and tags on lines of their own are between them."""
    blocks = [0]
    inside: list[tuple[Any, int, int]] = []  # the tokens of the current flow collection
    depth, tag = 0, -1
    for token, own_start, end in _Text(text).tokens():
        if isinstance(token, _OPEN):
            depth += 1
        if depth:
            inside.append((token, own_start, end))
            depth -= isinstance(token, _CLOSE)
            if depth:
                continue
        start = inside[0][1] if inside else own_start
        begin = tag if tag >= 0 and "\n" not in text[tag:start] else start
        tag = start if isinstance(token, yaml.TagToken) else -1 if start < end else tag
        if isinstance(token, _BLOCK):
            blocks.append(_column(text, begin))
        elif isinstance(token, yaml.BlockEndToken):
            blocks.pop()
        elif isinstance(token, _MARKERS):
            yield _Piece("marker", start, end, [text[start:end].rstrip()])
        elif isinstance(token, _INDICATORS) and start < end:
            yield _Piece(text[start:end], start, end, [text[start:end]])
        elif inside:
            lines, depths = _flow(text, inside)
            lines[0] = text[begin:start] + lines[0]
            yield _Piece("value", begin, end, lines, depths=depths)
            inside = []
        elif isinstance(token, yaml.ScalarToken):
            lines, stated = _scalar(text[start:end], token.style, blocks[-1])
            written = len("\n".join(text[start:end].split("\n")[: len(lines)]))  # without blank lines at its end
            lines[0] = text[begin:start] + lines[0]
            yield _Piece("value", begin, start + written, lines, stated=stated)


def _column(text: str, offset: int) -> int:
    return offset - text.rfind("\n", 0, offset) - 1


def _stripped(line: str) -> str:
    """Return a line without spaces around it. A backslash at its end keeps the space that it escapes."""
    return re.sub(r"(\\[ \t])?[ \t]*\Z", r"\1", line.lstrip(" \t"), count=1)


def _flow(text: str, tokens: Sequence[tuple[Any, int, int]]) -> tuple[list[str], list[int]]:
    """Return the lines of a flow collection, and their depths. On a single line, the spaces between tokens are usual."""
    begin, end = tokens[0][1], tokens[-1][2]
    if "\n" in text[begin:end]:
        opened = [start for token, start, _ in tokens if isinstance(token, _OPEN)]
        closed = [start for token, start, _ in tokens if isinstance(token, _CLOSE)]
        found: list[tuple[str, int]] = []
        for line in text[begin:end].split("\n"):
            start = begin + len(line) - len(line.lstrip())
            found.append((_stripped(line), bisect_left(opened, start) - bisect_right(closed, start)))
            begin += len(line) + 1
        return [line for line, _ in found], [depth for _, depth in found]
    line, before = "", None
    for token, start, stop in tokens:
        closes = isinstance(token, (*_CLOSE, yaml.FlowEntryToken, yaml.ValueToken))
        if start < stop:
            colon = isinstance(before, yaml.ValueToken)
            line += " " if colon or not (closes or before is None or isinstance(before, _OPEN)) else ""
            line += text[start:stop]
            before = token
    return [line], [0]


def _scalar(written: str, style: str | None, parent: int) -> tuple[list[str], int]:
    """Return the lines of a scalar, and the columns by which a block scalar states to be indented, or 0."""
    if style not in ("|", ">"):
        return [_stripped(line) for line in written.split("\n")], 0
    first, *others = written.split("\n")
    digit = re.match(r"[|>][-+]?([1-9])", first)
    first_indentation = next((len(line) - len(line.lstrip(" ")) for line in others if line.strip(" ")), 0)
    indentation = parent + int(digit[1]) if digit else first_indentation
    others = [line[indentation:] for line in others]
    while others and not others[-1]:
        others.pop()
    return [first.rstrip(), *others], int(digit[1]) if digit else 0


def _gaps(text: str, pieces: Sequence[_Piece]) -> list[str]:
    """Return the spaces and line ends that ruamel.yaml writes before each piece. Raises `_ChangedError`."""
    name = "VALUE"
    while name in text:
        name += "S"
    parts: list[str] = []
    done: int | None = None
    names = [f"{name}{number}END" if piece.kind == "value" else piece.kind for number, piece in enumerate(pieces)]
    for piece, token in zip(pieces, names, strict=True):
        if piece.kind != "marker":
            apart = done is None or "\n" in text[done : piece.start]
            space = " " * (_column(text, piece.start) if apart else piece.start - (done or 0))
            parts += ["\n" * apart, space, token]
            done = piece.end
    try:
        found = re.findall(rf"(\s*)({name}\d+END|\S)", _round_trip("".join(parts)))
    except MarkedYAMLError:
        raise _ChangedError(pieces[0].start) from None
    gaps: list[str] = []
    laid = iter(found)
    for piece, token in zip(pieces, names, strict=True):
        gap, written = ("", token) if piece.kind == "marker" else next(laid, ("", ""))
        if written != token:
            raise _ChangedError(piece.start)
        gaps.append(gap)
    return gaps


def _round_trip(text: str) -> str:
    rt = YAML()
    rt.width = sys.maxsize
    rt.indent(mapping=_STEP, sequence=2 * _STEP, offset=_STEP)
    with StringIO() as written:
        rt.dump(rt.load(text), written)
        return written.getvalue()


class _Block(NamedTuple):
    """The column of a key or of a dash, in the original and in the layout. A dash may have the column of its key."""

    old: int
    is_dash: bool
    new: int


class _Layout:
    """The layout of a text, up to the last piece that was written."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines: list[str] = []
        self._line = ""
        self._end = 0  # of the last piece, in the original
        self._before = "start"
        self._blocks: list[_Block] = []

    def write(self, piece: _Piece, gap: str, *, is_key: bool) -> None:
        """Write the comments before a piece, and the piece. `gap` is what ruamel.yaml writes before it."""
        between = self._text[self._end : piece.start]
        old, is_dash = _column(self._text, piece.start), piece.kind == "-"
        around = self._blocks
        if is_key or is_dash:
            around = [block for block in around if (block.old, block.is_dash) < (old, is_dash)]
        below = self._blocks[-1].new if self._blocks else 0
        apart = self._before == "start" or piece.kind == "marker" or "\n" in gap or bool(between.strip())
        if apart := apart or (self._before == "marker" and "\n" in between):
            is_inside = len(around) == len(self._blocks) and piece.kind != "marker"
            column = len(gap.rpartition("\n")[2])
            if is_inside and "\n" not in gap and self._before in "-:":
                column = below + (1 + len(gap) if self._before == "-" else _STEP)
            self._begin_line(between, column, old, is_inside=is_inside)
        else:
            self._line += gap or " " * (self._before == "marker")
        start = len(self._line)
        base = start if apart or self._before == "-" else below if self._before == ":" else 0
        self._line += piece.lines[0]
        for number, line in enumerate(piece.lines[1:], 1):
            if piece.depths:
                indentation = base + _STEP * piece.depths[number]
            elif piece.stated:
                indentation = below + piece.stated
            else:
                indentation = base if apart else base + _STEP
            self._add_line(indentation, line)
        if is_key or is_dash:
            self._blocks = [*around, _Block(old, is_dash, start)]
        elif piece.kind == "marker":
            self._blocks = []
        self._before, self._end = piece.kind, piece.end

    def finish(self) -> str:
        """Return the layout, with the comments at the end."""
        if rest := self._text[self._end :]:  # without one, a block scalar ends with the file, and has no newline
            self._begin_line(rest, 0, 0)
        return "\n".join((*self._lines, self._line))[1:]  # without the empty line before the first one

    def _begin_line(self, between: str, column: int, old: int, *, is_inside: bool = False) -> None:
        """Begin the line of the next piece at a column, after the comments and blank lines before the piece.

        `old` is the column of the piece in the original, and `is_inside` whether it is below the last key or dash.
        """
        first, *others = between.split("\n")
        if self._before == "start":
            first, others = "", [first, *others]
        if comment := first.strip():
            before = self._text[self._text.rfind("\n", 0, self._end) + 1 : self._end]
            moved = _indentation(self._line) - _indentation(before)
            space = len(before) + _indentation(first) + moved - len(self._line)
            self._line += " " * (max(1, space) if comment[0] == "#" else 1) + comment
        last = self._blocks[-1] if self._blocks else _Block(-1, is_dash=False, new=0)
        for line in others[:-1]:
            at = _indentation(line)
            if at == old or (is_inside and at > last.old) or line[at : at + 1] != "#":
                indentation = column
            elif self._before in "-:" and at > last.old:  # there is no value
                indentation = last.new + _STEP
            else:
                indentation = max((block.new for block in self._blocks if block.old <= at), default=0)
            self._add_line(indentation, line.strip())
        self._add_line(column, "")
        self._line = " " * column

    def _add_line(self, indentation: int, line: str) -> None:
        self._lines.append(self._line)
        self._line = " " * indentation + line if line else ""


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


def _laid_out(text: str) -> str:
    pieces = list(_pieces(text))
    layout = _Layout(text)
    following = (*(piece.kind for piece in pieces[1:]), "end")
    for piece, gap, after in zip(pieces, _gaps(text, pieces), following, strict=True):
        layout.write(piece, gap, is_key=piece.kind == "value" and after == ":")
    return layout.finish()


def _line(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


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
    return None if at is None else _line(old, at)


def _meaning(event: Any) -> tuple[object, ...]:
    written = (getattr(event, name, None) for name in ("value", "implicit", "tag", "style"))
    return (type(event), *written, bool(getattr(event, "flow_style", False)))  # None is a list that is not indented
