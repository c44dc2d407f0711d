"""Parse YAML into nodes. Every scalar remains text, so `NO` is Norway and an id keeps its digits (T6)."""

from __future__ import annotations

import re

import yaml

from withhold.errors import Place, RuleSetError
from withhold.parsing.nodes import BARE_RETURN, UNSEEN, Builder, Node, Quoted, bare_return, has_half_surrogate, refused

# libyaml's parser is ten times faster, but PyYAML may have been built without it.
_Loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_NOT_YAML = yaml.reader.Reader.NON_PRINTABLE
_TAGS = 100
_LINE = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_NO_ESCAPE = "write the letter itself instead of an escape"
_NULLS = ("", "~", "null", "Null", "NULL")


def read_yaml(text: str, file: str) -> Node | None:
    """Return the document of a YAML text, or None if it has none. Raises `RuleSetError`."""
    build = Builder(file)
    if found := BARE_RETURN.search(text):
        raise RuleSetError([bare_return(_place(file, text, found.start()))])
    if found := _NOT_YAML.search(text) or (None if text.isascii() else UNSEEN.search(text)):
        message = "this is not YAML: it has a control character"
        raise refused(
            "bad-yaml", message, _place(file, text, found.end() - 1), "remove it, and save the file as plain text"
        )
    if text.count("\n%TAG") > _TAGS:  # libyaml compares each one with all earlier ones
        place = _place(file, text, text.index("\n%TAG") + 1)
        raise refused(
            "bad-yaml", f"this has more than {_TAGS} tag directives", place, "remove them: tags are not supported"
        )
    try:
        _build(text, build)
    except RuleSetError:
        raise
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        offset = len(text) if mark is None else _offset(text, mark.line, mark.column)
        message = f"this is not YAML: {error.problem or error.context}"
        tab = text[offset : offset + 1] == "\t"
        hint = "indent with spaces, not with tabs" if tab else "check brackets, quotes and indentation up to here"
        found_first = _refusal_of(text[:offset], file)
        raise found_first or refused("bad-yaml", message, _place(file, text, offset), hint) from None
    except (yaml.YAMLError, OverflowError, ValueError) as error:
        # The parsers report no place for errors in escapes.
        message = f"this is not YAML: {error}".partition("\n")[0]
        raise refused("bad-yaml", message, Place(file), _NO_ESCAPE) from None
    return build.root


def _refusal_of(text: str, file: str) -> RuleSetError | None:
    """Return the error for a text that is valid YAML up to its end but refused for another reason.

    A parser reads up to 1,024 characters ahead of the events that it returns. It may reach its own nesting limit
    there. That must not hide that the text has already exceeded our lower limit.
    """
    try:
        _build(text, Builder(file))
    except RuleSetError as error:
        return error
    except (yaml.YAMLError, OverflowError, ValueError):
        pass
    return None


def _build(text: str, build: Builder) -> None:
    """Build the nodes of a text. Raises `yaml.YAMLError`, and `RuleSetError` for YAML that is not supported."""
    documents = 0
    for event in yaml.parse(text, Loader=_Loader):
        mark = event.start_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents == 2:
                message = "a second document begins here"
                raise refused("second-document", message, build.place(line, column), "write one document per file")
        elif isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            message = "anchors and aliases are not supported"
            raise refused("yaml-alias", message, build.place(line, column), "define a group instead")
        elif isinstance(event, yaml.ScalarEvent):
            if has_half_surrogate(event.value):
                message = "this is not YAML: an unpaired surrogate"
                raise refused("bad-yaml", message, build.place(line, column), _NO_ESCAPE)
            plain = event.implicit[0]
            absent = plain and event.value in _NULLS and not build.wants_key
            build.scalar(line, column, None if absent else event.value if plain else Quoted(event.value))
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            build.start(line, column, mapping=isinstance(event, yaml.MappingStartEvent))
        elif isinstance(event, yaml.CollectionEndEvent):
            build.end()


def _offset(text: str, line: int, column: int) -> int:
    """Return the offset of a mark in the text, or the end of the text for a mark after it."""
    starts = [0, *(found.end() for found in _LINE.finditer(text))]
    return min(starts[line] + column, len(text)) if line < len(starts) else len(text)


def _place(file: str, text: str, offset: int) -> Place:
    """Return the place of an offset."""
    before = text[:offset]
    starts = [0, *(found.end() for found in _LINE.finditer(before))]
    return Place(file, len(starts), len(before) - starts[-1] + 1)
