"""The values of an intake: the entries of an order's lists, with their notes and places."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from withhold.errors import Problem, escaped, escaped_path, quoted


class Bucket(StrEnum):
    """The result of reading an entry. Each entry has exactly one, so their counts add up to the number of entries."""

    UNIQUE = "unique"
    DUPLICATE = "duplicate"
    ERROR = "error"
    BLANK = "blank"
    #: A header, or prose around the list.
    IGNORED = "ignored"


class Kind(StrEnum):
    """The kind of target that an entry names.

    Rules can name accounts and tweets; decisions on other kinds are only recorded.
    """

    ACCOUNT = "account"
    TWEET = "tweet"
    HASHTAG = "hashtag"
    SEARCH = "search"
    LIST = "list"
    SPACE = "space"
    COMMUNITY = "community"
    #: Another site as a whole, and a page of it. They are always errors.
    DOMAIN = "domain"
    EXTERNAL_URL = "external_url"


class Role(StrEnum):
    """The role of a column. `OTHER` and `SERIAL` columns are not read."""

    #: Targets in forms that show what they name: URLs, `@handle`, `#hashtag`.
    TARGET = "target"
    HANDLE = "handle"
    ACCOUNT_ID = "account id"
    TWEET_ID = "tweet id"
    HASHTAG = "hashtag"
    SERIAL = "serial number"
    OTHER = "other"


class Note(NamedTuple):
    """A remark on an entry or a list: an error, or text that was read differently from how it was written. The codes
    are stable.

    >>> print(Note("defanged", "`hxxps://x[.]com/a` was read as `https://x.com/a`"))
    `hxxps://x[.]com/a` was read as `https://x.com/a` [defanged]
    """

    code: str
    text: str

    def __str__(self) -> str:
        return f"{escaped(self.text)} [{self.code}]"


def note(code: str, message: str, hint: str | None = None) -> Note:
    """Return a note. Its style is that of problems."""
    problem = Problem(code, message, hint=hint)
    return Note(code, f"{problem.message}; {problem.hint}" if hint else problem.message)


class Provenance(NamedTuple):
    """Where an entry is. All numbers count from 1; None means that the list has no such unit.

    >>> print(Provenance("order.xlsx", sheet="Annexure A", row=3, column=2))
    order.xlsx, sheet `Annexure A`, row 3, column 2
    """

    file: str
    sheet: str | None = None
    row: int | None = None
    column: int | None = None
    line: int | None = None
    page: int | None = None

    def __str__(self) -> str:
        parts = [escaped_path(self.file)]
        if self.sheet is not None:
            parts.append(f"sheet {quoted(self.sheet)}")
        for name in ("page", "row", "line", "column"):
            number = getattr(self, name)
            if number is not None:
                parts.append(f"{name} {number}")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of an order, as received.

    `key` is the canonical form of its target, such as `account:@handle` (in lower case), `account:123`, `tweet:123`
    or `hashtag:x`. It is None unless the entry is unique or a duplicate. `handle` is the handle as received: that of
    the account, or the one in the URL of a tweet. `duplicate_of` is the number of an earlier entry with the same key.
    """

    number: int
    raw: str
    provenance: Provenance
    bucket: Bucket
    kind: Kind | None = None
    key: str | None = None
    handle: str | None = None
    notes: tuple[Note, ...] = ()
    duplicate_of: int | None = None

    def __str__(self) -> str:
        parts = [f"{self.number}. {quoted(self.raw)}: {self.bucket}"]
        if self.key is not None:
            parts.append(escaped(self.key))
        if self.duplicate_of is not None:
            parts.append(f"repeats entry {self.duplicate_of}")
        return ", ".join([*parts, *map(str, self.notes)])


class Column(NamedTuple):
    """A column of a table, its guessed role, and the reason for the guess. `cells` counts the cells that are not blank.

    >>> print(Column("order.csv", None, 2, "Link", Role.TARGET, "its header is `Link`", 257))
    order.csv, column 2: target, because its header is `Link`; cells: 257
    """

    file: str
    sheet: str | None
    number: int
    header: str | None
    role: Role
    because: str
    cells: int

    def __str__(self) -> str:
        place = Provenance(self.file, self.sheet, column=self.number)
        return f"{place}: {self.role}, because {self.because}; cells: {self.cells:,}"
