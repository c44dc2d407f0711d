"""The keys of the configuration: the schema of `withhold.toml`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationInfo

from withhold.cli.codes import explained
from withhold.cli.results import FailOn
from withhold.errors import did_you_mean, quoted
from withhold.lint import CHECKS
from withhold.lint.protected_account import CHECK as PROTECTED
from withhold.model import Settle
from withhold.parsing.strict import Flag, OneOrMore, Sparse, one_of, problem, reads
from withhold.sources.files import unreadable
from withhold.sources.root import Root, check_relative

_CODES = [check.code for check in CHECKS]


def _check(text: str, _: ValidationInfo) -> str:
    if text == PROTECTED.code:
        hint = "add an override to the rule, which states who decided this and why"
        raise problem("not-configurable", f"`{text}` can only be overridden rule by rule", hint)
    if text in explained() and text not in _CODES:
        message = f"`{text}` is the code of a problem that cannot be silenced"
        raise problem("not-configurable", message, "name a check of `withhold lint`")
    if text not in _CODES:
        raise problem("unknown-check", f"there is no check {quoted(text)}", did_you_mean(text, _CODES))
    return text


def _path(text: str, info: ValidationInfo) -> str:
    if not text.strip():
        raise problem("bad-text", "the path is empty", "write `.` for the directory of this file")
    try:
        real_path(text, Path(str(info.context)))
    except (OSError, ValueError) as error:
        found = unreadable(error, "", f" {quoted(text)}")
        hint = "write a path relative to this file, with `/`, to something below its directory"
        raise problem(found.code, found.message, hint) from None
    return text


def real_path(text: str, folder: Path) -> Path:
    """Return the real path of a path below a directory. Raises `OSError` or `ValueError` if there is no such path."""
    check_relative(text)
    return Path(os.path.realpath(Root(folder).real(folder / text), strict=True))


_Check = Annotated[str, reads(_check, str)]
_PathBelow = Annotated[str, reads(_path, str)]
_Severity = Annotated[FailOn, one_of(FailOn, "severity")]


class _Policy(Sparse):
    called, written = "`policy`", 'policy = {unknown-location = "show"}'

    unknown_location: Annotated[Settle, one_of(Settle)] = Field(Settle.SHOW, alias="unknown-location")
    author_sees_own: Flag = Field(False, alias="author-sees-own")


class ConfigurationEntry(Sparse):
    """The configuration of `withhold`."""

    called, written, assigns = "the configuration", "[tool.withhold]", " = "

    fail_on: _Severity | None = Field(
        None, alias="fail-on", description="The lowest severity at which `withhold lint` fails."
    )
    root: _PathBelow | None = Field(None, description="Open no file outside this directory.")
    protected: Annotated[tuple[_PathBelow, ...], OneOrMore] = Field(
        (), description="Further lists of protected accounts, besides those near the rules."
    )
    policy: _Policy | None = Field(None, description="The policy of `check`, `explain`, `diff` and `scan`.")
    severity: dict[_Check, _Severity] = Field({}, description="The severities of checks.")
    ignore: dict[_PathBelow, Annotated[tuple[_Check, ...], OneOrMore]] = Field(
        {}, description="The checks that are ignored in a directory or a file."
    )
