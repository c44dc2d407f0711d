"""Every exception and warning of the library, on one page.

::

    WithholdError
    ├── TerritoryError       (ValueError)  a code that is no territory
    ├── InstantError         (ValueError)  an instant without a time zone, or that is no instant
    ├── SubjectIdError       (ValueError)  an id outside 1 … 2**63-1
    ├── SubjectIdTypeError   (TypeError)   an id that is no int
    ├── ViewerError          (ValueError)  a viewer who cannot be where it is said
    ├── SubjectTypeError     (TypeError)   what is no tweet, viewer or rule set, where one is meant
    ├── RuleError            (ValueError)  one rule that contradicts itself
    ├── RuleSetError         (ValueError)  all the problems of all the files of a rule set
    ├── CaseError            (ValueError)  all the problems of files of cases to test rules by
    ├── SnapshotError        (ValueError)  a file that is no snapshot, or a damaged one
    ├── TrafficError         (ValueError)  all the problems of a file of impressions
    ├── GeoIPError           (ValueError)  a location database that cannot be used
    └── ProxyError           (ValueError)  trusted proxies or CDN headers by which a location could be forged

    RuleSetWarning           (UserWarning) read, but not as it was written

A message is lower case, without a full stop, with values in backticks; a `Problem` carries it with a
stable code, the place and a hint, so that tools need not parse text.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

_NUMBER = re.compile(r"[-+]?[0-9]+(?:\.[0-9]+)?")
_LETTERS = re.compile(r"[^\W_]{1,20}")

#: How much a problem matters: it must be mended, it is likely a mistake, or it is worth knowing.
Severity: TypeAlias = Literal["error", "warning", "note"]

#: The code of text with a character that `control_character` finds.
CONTROL_CHARACTER = "control-character"

# Controls (Cc), surrogates (Cs), line and paragraph separators, and what embeds, overrides or isolates a direction: with
# these, text ends its line, moves the cursor or changes the order of the text around it.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
#: The first character of what CI systems read as a command anywhere in a line: `##[error]`, `##vso[…]`, `##teamcity[…]`.
COMMAND = re.compile(r"#(?=#\w*\[)")
# And of `::error::`, which GitHub reads at the beginning of a line, behind blanks too.
_COMMANDS = re.compile(rf"(^\s*):(?=:)|{COMMAND.pattern}")


def control_character(text: str, allowed: str = "") -> str | None:
    """Return the first control character of a text that is not `allowed`, or None.

    >>> control_character("a\\x1b[31m"), control_character("a\\nb", allowed="\\n\\t"), control_character("नमस्ते")
    ('\\x1b', None, None)
    """
    if text.isprintable():
        return None
    return next((letter for letter in _CONTROLS.findall(text) if letter not in allowed), None)


def escaped(text: str, keep: str = "") -> str:
    """Return text on one line, with escapes for all that a terminal does not print as it is or a CI system obeys.

    Every character that is invisible is escaped, unless it is one to `keep`.

    >>> print(escaped("a\\x1b[31m\\nb"), escaped("::error::"), escaped("##[error]"), escaped("a\\u200bb"))
    a\\x1b[31m\\nb \\x3a:error:: \\x23#[error] a\\u200bb
    """
    if not text.isprintable():
        text = "".join(letter if letter.isprintable() or letter in keep else ascii(letter)[1:-1] for letter in text)
    return _COMMANDS.sub(lambda found: f"{found[1] or ''}\\x{ord(found[0][-1]):02x}", text)


def escaped_path(path: str | os.PathLike[str]) -> str:
    """Return the path of a file as `escaped` does; `./` in front keeps its first letters from being a command or an option.

    >>> print(escaped_path("rules/in.yaml"), escaped_path("a\\n.yaml"), escaped_path("::error::.yaml"))
    rules/in.yaml a\\n.yaml ./::error::.yaml
    """
    text = os.fspath(path)
    return escaped(text if not text or text[0].isalnum() or text[0] in "._/\\<(" else f"./{text}")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A position in a file; line and column count from 1, and a column is one character.

    >>> str(Place("rules/in.yaml", 7, 18))
    'rules/in.yaml:7:18'
    """

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{escaped_path(self.file)}:{self.line}:{self.column}"


def quoted(value: object) -> str:
    """Return a value in backticks, on one line and cut after 60 characters, whatever somebody has put there.

    >>> quoted("a\\nb"), quoted(5.0)
    ('`a\\\\nb`', '`5.0`')
    """
    try:
        text = value if isinstance(value, str) else repr(value)
    except Exception:  # noqa: BLE001  # whatever its class does; and Python prints no huge int, and nothing very deep
        text = f"{type(value).__name__} that cannot be printed"
    return in_backticks(f"{text[:60]}…" if len(text) > 60 else text)


def in_backticks(text: str) -> str:
    """Return text in backticks, on one line, however long it is."""
    return f"`{escaped(text.replace('`', chr(39)))}`"


def excerpt(text: str) -> str:
    """Return the first letters and digits of a text in backticks, 20 at most: it may be a line of anybody's file.

    >>> excerpt("SECRET_TOKEN=t0p"), excerpt("1" * 30), excerpt("@jack"), excerpt("--"), excerpt("-1.5")
    ('`SECRET…`', '`11111111111111111111…`', '`…jack`', '`…`', '`-1.5`')
    """
    if len(text) <= 20 and _NUMBER.fullmatch(text):
        return f"`{text}`"
    found = _LETTERS.search(text)
    if found is None:
        return "`…`" if text else "``"
    return f"`{'…' if found.start() else ''}{found[0]}{'…' if found.end() < len(text) else ''}`"


def how_to_install(extra: str) -> str:
    """Return how to install an extra of this package: never by name from an index, where the name may be anybody's.

    >>> how_to_install("cli")
    "install the extra `cli` of withhold: `pip install '.[cli]'` in its checkout, or `'FILE.whl[cli]'` from its wheel"
    """
    return (
        f"install the extra `{extra}` of withhold: `pip install '.[{extra}]'` in its checkout, "
        f"or `'FILE.whl[{extra}]'` from its wheel"
    )


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """Return the hint for a name that is not known: the nearest that is, or which there are, of many the first twenty.

    >>> did_you_mean("Roles", ["rules", "cases"]), did_you_mean("x", ["rules", "cases"])
    ('did you mean `rules`?', 'known are `rules`, `cases`')
    """
    import difflib  # what serves never needs it

    names = list(known)
    lower = {name.lower(): name for name in names}
    near = difflib.get_close_matches(given, names, n=1)
    if not near and (given, names) != (given.lower(), list(lower)):
        near = difflib.get_close_matches(given.lower(), lower, n=1)
    if near:
        return f"did you mean {in_backticks(lower[near[0].lower()])}?"
    told = ", ".join(map(quoted, names[:20])) or "none"
    return f"known are {told}{f' and {len(names) - 20:,} more' if len(names) > 20 else ''}"


def not_sent(what: str, hint: str) -> TypeError:
    """Return the error for pickling what belongs to one process."""
    return TypeError(f"{what} cannot be copied or sent to another process [not-picklable]; {hint}")


def place_text(place: Place | str) -> str:
    """Return a place as it is printed: a position, or the name of a file or of something else."""
    return str(place) if isinstance(place, Place) else escaped(place)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, where, and what to do about it.

    >>> print(Problem("unknown-territory", "unknown country `DR`", hint="did you mean `DE`?"))
    unknown country `DR` [unknown-territory]; did you mean `DE`?
    """

    code: str
    message: str
    place: Place | str | None = None
    hint: str | None = None
    severity: Severity = "error"

    def __str__(self) -> str:
        where = "" if self.place is None else f"{place_text(self.place)}: "
        kind = f"{self.severity}: " if self.severity != "error" else ""
        hint = f"; {self.hint}" if self.hint else ""
        return where + escaped(f"{kind}{self.message} [{self.code}]{hint}")


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Return problems once each, by their places; those without a file come last, and behind them how many more there are."""
    return sorted(dict.fromkeys(problems), key=_by_place)


def _by_place(problem: Problem) -> tuple[bool, Place, str, str]:
    place = problem.place if isinstance(problem.place, Place) else Place("\U0010ffff")
    return problem.code == "more-problems", place, str(problem.place), problem.code


class WithholdError(Exception):
    """Base of all errors of this library; `code` and `hint` are those of its problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem

    @property
    def code(self) -> str:
        return self.problem.code

    @property
    def hint(self) -> str | None:
        return self.problem.hint


class TerritoryError(WithholdError, ValueError):
    """A code that is no country, subdivision or group."""


class InstantError(WithholdError, ValueError):
    """An instant that is naive, or text that is no instant."""


class SubjectIdError(WithholdError, ValueError):
    """An account or tweet id outside 1 … 2**63-1, or a subject without any id."""


class SubjectIdTypeError(WithholdError, TypeError):
    """An account or tweet id that is not an int (`bool` and `float` are not)."""


class ViewerError(WithholdError, ValueError):
    """A viewer whose country and subdivisions contradict each other."""


class SubjectTypeError(WithholdError, TypeError):
    """Something that is no `Tweet`, `Viewer`, `Policy` or `RuleSet`, where one is meant."""


class RuleError(WithholdError, ValueError):
    """A rule that contradicts itself. `found` are its problems, each with the key of the rule file to blame."""

    def __init__(self, *found: tuple[Problem, str]) -> None:
        super().__init__(found[0][0])
        self.args = found
        self.found = found

    @property
    def field(self) -> str:
        """The key to blame for the first problem."""
        return self.found[0][1]

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem, _ in self.found)


class RuleSetError(WithholdError, ValueError):
    """A rule set that was refused: all problems of all files, in the order of their places.

    `read` counts the rules that were fine, `refused` those that were not. A file that is not even YAML
    or JSON has a problem of its own, and its rules cannot be counted.
    """

    def __init__(self, problems: Sequence[Problem], read: int = 0, refused: int = 0) -> None:
        super().__init__(problems[0])
        self.args = (problems, read, refused)
        self.problems = tuple(problems)
        self.read = read
        self.refused = refused

    def __str__(self) -> str:
        count = len(self.problems)
        head = f"the rule set has {count} problem{'s' if count > 1 else ''}"
        return "\n".join([f"{head}:", *(f"  {problem}" for problem in self.problems)])


class CaseError(WithholdError, ValueError):
    """Case files that were refused: all problems, in the order of their places, those of the rules they name too."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(problems[0])
        self.args = (problems,)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class SnapshotError(WithholdError, ValueError):
    """A file that is no snapshot, or is damaged."""


class TrafficError(WithholdError, ValueError):
    """A file of impressions that was refused: all its problems, of many the first hundred."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(problems[0])
        self.args = problems
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


class GeoIPError(WithholdError, ValueError):
    """A location database that is missing, broken or of an unknown schema."""


class ProxyError(WithholdError, ValueError):
    """Trusted proxies, or CDN headers, set up in a way by which a viewer could choose where they are."""


class RuleSetWarning(UserWarning):
    """Something was read, but not as it was written (`UK` for `GB`)."""
