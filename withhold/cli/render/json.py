"""JSON: one document with everything that a result has."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import singledispatch
from typing import Protocol

from withhold.errors import COMMAND


class _HasDict(Protocol):
    def to_dict(self) -> dict[str, object]: ...


@singledispatch
def render(result: _HasDict) -> Iterator[str]:
    yield json_text(result.to_dict(), indent=2)


def json_text(value: object, indent: int | None = None) -> str:
    """Return a JSON document in printable ASCII, in which CI systems find no command.

    >>> print(json_text("\\x1b \\x7f ##[error]"))
    "\\u001b \\u007f \\u0023#[error]"
    """
    text = json.dumps(value, indent=indent).replace("\x7f", "\\u007f")
    return COMMAND.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
