"""Parse JSON into nodes. Numbers remain text.

The parser in the `json` module is not used, because it rounds numbers with an exponent and reports no places.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from json import JSONDecodeError
from json.decoder import scanstring  # type: ignore[attr-defined]

from withhold.errors import Place, RuleSetError
from withhold.parsing.nodes import BARE_RETURN, Builder, Node, Quoted, bare_return, has_half_surrogate, refused

_SPACE = re.compile(r"[ \t\n\r]*")
_LITERAL = re.compile(r"null|true|false|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?", re.ASCII)

_WRONG_TEXT = {
    "Unterminated": "a string is not closed",
    "control": "a control character in a string",
    "": "an invalid escape",
}


def read_json(text: str, file: str) -> Node | None:
    """Return the value of a JSON text, or None if the text is blank. Raises `RuleSetError`."""
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    build = Builder(file)
    closers: list[str] = []
    at = _skip(text, 0)

    def where(offset: int) -> tuple[int, int]:
        line = bisect_right(starts, offset)
        return line, offset - starts[line - 1] + 1

    if found := BARE_RETURN.search(text):
        raise RuleSetError([bare_return(Place(file, *where(found.start())))])

    def wrong(message: str, offset: int) -> Exception:
        hint = "check brackets, quotes and commas up to here; JSON has no comments"
        return refused("bad-json", f"this is not JSON: {message}", Place(file, *where(offset)), hint)

    if at == len(text):
        return None
    while True:
        # A value (or a key) begins here.
        opener = text[at : at + 1]
        if opener == '"':
            try:
                value, end = scanstring(text, at + 1, True)
            except JSONDecodeError as error:
                what = next(message for part, message in _WRONG_TEXT.items() if part in error.msg)
                raise wrong(what, error.pos) from None
            if has_half_surrogate(value):
                raise wrong("an unpaired surrogate", at)
            was_key = build.wants_key
            build.scalar(*where(at), Quoted(value))
            at = _skip(text, end)
            if was_key:
                if text[at : at + 1] != ":":
                    raise wrong("expected `:` after a key", at)
                at = _skip(text, at + 1)
                continue
        elif build.wants_key:
            raise wrong("expected a key in double quotes", at)
        elif opener in ("{", "["):
            build.start(*where(at), mapping=opener == "{")
            closers.append("}" if opener == "{" else "]")
            at = _skip(text, at + 1)
            if text[at : at + 1] != closers[-1]:
                continue
        elif found := _LITERAL.match(text, at):
            build.scalar(*where(at), None if found[0] == "null" else found[0])
            at = _skip(text, found.end())
        else:
            raise wrong("expected a value", at)
        # A value has ended. The lists and mappings around it may end here too.
        while closers and text[at : at + 1] == closers[-1]:
            closers.pop()
            build.end()
            at = _skip(text, at + 1)
        if not closers:
            break
        if text[at : at + 1] != ",":
            raise wrong(f"expected `,` or `{closers[-1]}`", at)
        at = _skip(text, at + 1)
    if at != len(text):
        raise wrong("text follows the value", at)
    return build.root


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
