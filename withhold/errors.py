"""Every exception and warning of the library.

::

    WithholdError
    ├── TerritoryError       (ValueError)  a code that is not a territory
    ├── InstantError         (ValueError)  an instant without a time zone, or text that is not an instant
    ├── SubjectIdError       (ValueError)  an id outside 1 … 2**63-1
    ├── SubjectIdTypeError   (TypeError)   an id that is not an int
    ├── ViewerError          (ValueError)  a viewer whose location contradicts itself
    ├── SubjectTypeError     (TypeError)   an object that is not the expected tweet, viewer, policy or rule set
    ├── RuleError            (ValueError)  a rule that contradicts itself
    ├── RuleSetError         (ValueError)  a rule set with problems: all of them, in all its files
    ├── CaseError            (ValueError)  case files with problems: all of them
    ├── DemandError          (ValueError)  a legal demand, or a command on one, with problems: all of them
    ├── SnapshotError        (ValueError)  a file that is damaged or not a snapshot
    ├── TrafficError         (ValueError)  files or columns of impressions with problems: at most 100 of them
    ├── GeoIPError           (ValueError)  a location database that cannot be used
    ├── ProxyError           (ValueError)  trusted proxies or CDN headers that let a viewer forge a location
    ├── PreviewError         (ValueError)  a request for a preview that is malformed
    ├── WireError            (ValueError)  a file in another system's form that cannot be read at all
    ├── LiveError            (ValueError)  signed rules, a key or a store of them that is refused or out of reach
    └── LedgerError          (ValueError)  a ledger that is damaged or out of reach, or events that it refuses
        └── HeadMoved        (LedgerError) somebody else has written to the ledger

    RuleSetWarning           (UserWarning) text that was read as something other than written
    ProxyWarning             (RuntimeWarning) a server that replaces the address of the peer

Messages are lower case, have no full stop and put values in backticks. A `Problem` holds a message together with a
stable code, a place and a hint, so that tools need not parse text.
"""

from __future__ import annotations

import os
import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

_NUMBER = re.compile(r"[-+]?[0-9]+(?:\.[0-9]+)?")
_LETTERS = re.compile(r"[^\W_]{1,20}")

#: How much a problem matters. An error must be fixed, a warning is probably a mistake, a note is information.
Severity: TypeAlias = Literal["error", "warning", "note"]

#: The code of the problem that text contains a control character (see `control_character`).
CONTROL_CHARACTER = "control-character"

# Controls (Cc), surrogates (Cs), line and paragraph separators, and characters that embed, override or isolate a text
# direction. They can end the line, move the cursor or reorder the text around them.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
#: The first character of a command that CI systems obey anywhere in a line: `##[error]`, `##vso[…]`, `##teamcity[…]`.
COMMAND = re.compile(r"#(?=#\w*\[)")
# Characters that Python counts as printable, but fonts do not show: fillers, joiners, variation selectors, blank
# Braille.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_RUNS = re.compile("  +")
_NAME = re.compile(r"[\w.:/-]+")
# Like `COMMAND`, but also the first character of `::error::`, which GitHub obeys at the start of a line, even after
# spaces.
_COMMANDS = re.compile(rf"(^\s*):(?=:)|{COMMAND.pattern}")


def control_character(text: str, allowed: str = "") -> str | None:
    """Return the first control character in `text` that is not in `allowed`, or None.

    >>> control_character("a\\x1b[31m"), control_character("a\\nb", allowed="\\n\\t"), control_character("नमस्ते")
    ('\\x1b', None, None)
    """
    if text.isprintable():
        return None
    return next((letter for letter in _CONTROLS.findall(text) if letter not in allowed), None)


def escaped(text: str, keep: str = "") -> str:
    """Return `text` on one line, so that no terminal or CI system takes any part of it for a command.

    Every unprintable or invisible character except those in `keep` is escaped, and so is the start of each CI command.

    >>> print(escaped("a\\x1b[31m\\nb"), escaped("::error::"), escaped("##[error]"), escaped("a\\u200bb"))
    a\\x1b[31m\\nb \\x3a:error:: \\x23#[error] a\\u200bb
    """
    if not text.isprintable():
        text = "".join(letter if letter.isprintable() or letter in keep else ascii(letter)[1:-1] for letter in text)
    if not text.isascii():
        text = _INVISIBLE.sub(lambda found: ascii(found[0])[1:-1], text)
    return _COMMANDS.sub(lambda found: f"{found[1] or ''}\\x{ord(found[0][-1]):02x}", text)


def escaped_path(path: str | os.PathLike[str]) -> str:
    """Return a path escaped as by `escaped`. A leading `./` keeps it from looking like a command or an option.

    >>> print(escaped_path("rules/in.yaml"), escaped_path("a\\n.yaml"), escaped_path("::error::.yaml"))
    rules/in.yaml a\\n.yaml ./::error::.yaml
    """
    text = os.fspath(path)
    return escaped(text if not text or text[0].isalnum() or text[0] in "._/\\<(" else f"./{text}")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A position in a file. Lines and columns count from 1; a column is one character.

    >>> str(Place("rules/in.yaml", 7, 18))
    'rules/in.yaml:7:18'
    """

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{escaped_path(self.file)}:{self.line}:{self.column}"


def quoted(value: object) -> str:
    """Return any value as text in backticks, on one line and truncated to 60 characters. Never raises.

    >>> quoted("a\\nb"), quoted(5.0)
    ('`a\\\\nb`', '`5.0`')
    """
    try:
        text = value if isinstance(value, str) else repr(value)
    except Exception:  # noqa: BLE001  # `__repr__` may raise anything; Python refuses huge ints and deep nesting
        text = f"{type(value).__name__} that cannot be printed"
    return in_backticks(f"{text[:60]}…" if len(text) > 60 else text)


def in_backticks(text: str) -> str:
    """Return `text` in backticks, escaped to one line and not truncated."""
    return f"`{escaped(text.replace('`', chr(39)))}`"


def name_in_text(name: str) -> str:
    """Return the id of a rule or a demand as it is printed in a sentence or a table.

    A name of letters, digits and `.:/_-` is printed as it is. Any other name is printed in backticks, with
    runs of spaces escaped and truncated to 60 characters, so that it cannot be mistaken for the text around it.

    >>> print(name_in_text("IN-D1"), name_in_text("a  on the account; certain"))
    IN-D1 `a\\x20\\x20on the account; certain`
    """
    if _NAME.fullmatch(name):
        return escaped(name)
    return _RUNS.sub(lambda found: "\\x20" * len(found[0]), quoted(name))


def is_visible(text: str) -> bool:
    """Return whether `text` has a character, other than white space, that is printed as it is."""
    return any(not letter.isspace() and escaped(letter) == letter for letter in text)


def excerpt(text: str) -> str:
    """Return the first run of letters and digits in `text`, at most 20 characters, in backticks.

    Use it for a line of a file that may not be a rule file, so that no secret is printed in full. Only short numbers
    are returned in full.

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
    """Return instructions for installing an extra of this package.

    They never refer to a package index, where somebody else may own the name.

    >>> how_to_install("cli")
    "install the extra `cli` of withhold: `pip install '.[cli]'` in its checkout, or `'FILE.whl[cli]'` from its wheel"
    """
    return (
        f"install the extra `{extra}` of withhold: `pip install '.[{extra}]'` in its checkout, "
        f"or `'FILE.whl[{extra}]'` from its wheel"
    )


def missing_extra(error: ModuleNotFoundError, extra: str) -> ImportError:
    """Return the error for a library that is not installed, with the extra that has it."""
    return ImportError(f"`{error.name}` is not installed [missing-extra]; {how_to_install(extra)}", name=error.name)


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """Return the hint for an unknown name: the most similar known name, or else at most 20 of the known names.

    >>> did_you_mean("Roles", ["rules", "cases"]), did_you_mean("x", ["rules", "cases"])
    ('did you mean `rules`?', 'known: `rules`, `cases`')
    """
    import difflib  # imported here because serving never needs it

    names = list(known)
    compared = names
    if len(names) > 200:  # comparison is slow, so of many names compare only the neighbours in sorted order
        ordered = sorted(names)
        at = bisect_left(ordered, given)
        compared = ordered[max(0, at - 100) : at + 100]
    lower = {name.lower(): name for name in compared}
    near = difflib.get_close_matches(given[:200], compared, n=1)
    if not near and (given, compared) != (given.lower(), list(lower)):
        near = difflib.get_close_matches(given[:200].lower(), lower, n=1)
    if near:
        return f"did you mean {in_backticks(lower[near[0].lower()])}?"
    known_text = ", ".join(map(quoted, names[:20])) or "none"
    return f"known: {known_text}{f' and {len(names) - 20:,} more' if len(names) > 20 else ''}"


def not_picklable(what: str, hint: str) -> TypeError:
    """Return the error to raise when an object that belongs to one process is pickled or copied."""
    return TypeError(f"{what} cannot be copied or sent to another process [not-picklable]; {hint}")


def place_text(place: Place | str) -> str:
    """Return a place as text. A place is a position in a file, or the name of a file or of something else."""
    return str(place) if isinstance(place, Place) else escaped(place)


@dataclass(frozen=True, slots=True)
class Problem:
    """A description of what is wrong, where, and what to do about it.

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
    """Return the problems without duplicates, sorted by place.

    Problems without a position in a file come after those with one. A `more-problems` entry comes last.
    """
    return sorted(dict.fromkeys(problems), key=_by_place)


def _by_place(problem: Problem) -> tuple[bool, Place, str, str]:
    place = problem.place if isinstance(problem.place, Place) else Place("\U0010ffff")
    return problem.code == "more-problems", place, str(problem.place), problem.code


class WithholdError(Exception):
    """The base class of all errors of this library. `code` and `hint` are those of its `problem`."""

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
    """A code that is not a country, subdivision or group."""


class InstantError(WithholdError, ValueError):
    """An instant without a time zone, or text that is not an instant."""


class SubjectIdError(WithholdError, ValueError):
    """An account or tweet id outside 1 … 2**63-1, or a subject without any id."""


class SubjectIdTypeError(WithholdError, TypeError):
    """An account or tweet id that is not an int (`bool` and `float` are not)."""


class ViewerError(WithholdError, ValueError):
    """A viewer whose country and subdivisions contradict each other."""


class SubjectTypeError(WithholdError, TypeError):
    """An object of another type where a `Tweet`, `Viewer`, `Policy` or `RuleSet` is expected."""


class RuleError(WithholdError, ValueError):
    """A rule that contradicts itself. `found` lists its problems, each with the rule file's key that causes it."""

    def __init__(self, *found: tuple[Problem, str]) -> None:
        super().__init__(found[0][0])
        self.args = found
        self.found = found

    @property
    def field(self) -> str:
        """The key that causes the first problem."""
        return self.found[0][1]

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem, _ in self.found)


class RuleSetError(WithholdError, ValueError):
    """A rule set that was refused. `problems` lists all problems of all files, sorted by place.

    `read` is the number of valid rules, and `refused` the number of invalid ones. Neither counts the rules of a file
    that cannot be parsed.
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


class _ListError(WithholdError, ValueError):
    """An error with several problems, at least one."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(problems[0])
        self.args = problems
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


class CaseError(_ListError):
    """Case files that were refused. `problems` lists all problems, including those of the rules that the files test."""


class DemandError(_ListError):
    """A legal demand, its lists, or a command on one, that was refused. `problems` lists its problems."""


class SnapshotError(WithholdError, ValueError):
    """A file that is damaged or not a snapshot."""


class TrafficError(_ListError):
    """Files or columns of impressions that were refused. `problems` lists at most 100 of their problems."""


class GeoIPError(WithholdError, ValueError):
    """A location database that is missing or broken, or has an unknown schema."""


class ProxyError(WithholdError, ValueError):
    """Trusted proxies or CDN headers that are configured so that a viewer could choose their own location."""


class PreviewError(WithholdError, ValueError):
    """A request for a preview has a malformed instant or place."""


class WireError(_ListError):
    """An unreadable file in another system's form, or an unreadable table of its ids."""


class LiveError(_ListError):
    """Signed rules, a key, a store or a spool that is refused, damaged or out of reach."""


class LedgerError(_ListError):
    """A ledger that is damaged or out of reach, or events that it refuses. `problems` lists at most 100 problems."""


class HeadMoved(LedgerError):  # noqa: N818  # not always a failure: read the new events and decide again
    """Somebody else has written to the ledger since its head was read."""


class RuleSetWarning(UserWarning):
    """Text was read as something other than written, such as `UK` as `GB`."""


class ProxyWarning(RuntimeWarning):
    """A server replaces the address of the peer of the socket by one from a header."""
