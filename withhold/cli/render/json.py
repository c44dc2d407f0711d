"""JSON: one document with the whole result."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import singledispatch
from typing import Protocol

from withhold.errors import COMMAND

_HALF = re.compile("[\ud800-\udfff]")


class _HasDict(Protocol):
    def to_dict(self) -> dict[str, object]: ...


@singledispatch
def render(result: _HasDict) -> Iterator[str]:
    yield json_text(result.to_dict(), indent=2)


def json_text(value: object, indent: int | None = None) -> str:
    """Return a JSON document in printable ASCII that contains no CI commands.

    A byte of a file name that is not UTF-8 is written as a visible escape, since JSON cannot represent an unpaired surrogate.

    >>> print(json_text("\\x1b \\x7f ##[error]"), json_text("a\\udcff.yaml"), json_text("\\U0001f600 \\\\udcff"))
    "\\u001b \\u007f \\u0023#[error]" "a\\\\udcff.yaml" "\\ud83d\\ude00 \\\\udcff"
    """
    text = json.dumps(value, indent=indent)
    if "\\ud" in text:  # a whole pair is one character here, so that only halves are replaced
        whole = json.dumps(value, ensure_ascii=False)
        text = json.dumps(json.loads(_HALF.sub(lambda found: f"\\\\u{ord(found[0]):04x}", whole)), indent=indent)
    text = text.replace("\x7f", "\\u007f")
    return COMMAND.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
