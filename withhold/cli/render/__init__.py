"""The output formats. Each has a module of the same name.

The `render` of a module is a `functools.singledispatch` function: it takes a result (most are in `cli/results.py`) and
yields the parts to print. A command offers the formats that can render all its results. To add a format, write a module
and add its name to `Format`. Every format renders a `Refusal`; text and JSON render every result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, TypeAlias, cast

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    #: A part of the output. A string is printed unchanged, with a line feed. Styled text and tables depend on the terminal.
    Part: TypeAlias = str | Text | Table
else:
    Part = object  # `singledispatch` evaluates annotations, and importing rich takes long


class Format(StrEnum):
    """The output formats. The module of the same name renders each."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    SARIF = "sarif"
    JUNIT = "junit"
    CSV = "csv"


class Renderer(Protocol):
    """A `functools.singledispatch` function."""

    def __call__(self, result: object, /) -> Iterable[Part]: ...
    def dispatch(self, cls: type) -> Callable[..., Iterable[Part]]: ...


def unsupported(result: object) -> Iterable[Part]:
    """Raise `TypeError` for a result that a format cannot render. This is the default of most formats."""
    raise TypeError(f"this format does not render {type(result).__name__}")


@cache
def renderer(form: Format) -> Renderer:
    """Return the `render` of a format."""
    return cast("Renderer", import_module(f"{__name__}.{form}").render)


def formats_of(*kinds: type) -> list[Format]:
    """Return the formats that can render results of all the given types.

    >>> from withhold.cli.results import LintResult
    >>> Format.SARIF in formats_of(LintResult), Format.JUNIT in formats_of(LintResult)
    (True, False)
    """
    return [form for form in Format if all(renderer(form).dispatch(kind) is not unsupported for kind in kinds)]
