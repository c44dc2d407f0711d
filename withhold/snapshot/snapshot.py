"""A rule set compiled into an index that answers for one id in one step."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NoReturn, Protocol, SupportsIndex

from withhold import native
from withhold.errors import Problem, SubjectTypeError, not_sent, quoted
from withhold.model.decision import Decision, Outcome
from withhold.model.instants import utc
from withhold.model.protected import KnownProtected, Protected
from withhold.model.rule import Rule
from withhold.model.rule_set import RuleSet
from withhold.snapshot.table import Table

if TYPE_CHECKING:
    from withhold.snapshot.format import Bytes, Counts, Territories


Kind = Literal["accounts", "tweets"]


class Contents(Protocol):
    """What a snapshot holds, wherever it has it from."""

    digest: str
    protected: KnownProtected | None
    rule_count: int
    tables: dict[str, Table]

    @property
    def territories(self) -> Territories | None: ...
    @property
    def rule_set(self) -> RuleSet: ...
    def rules_of(self, posting: int) -> tuple[Rule, ...]: ...
    def fingerprint(self, posting: int, /) -> object: ...
    def postings(self, kind: Kind) -> Iterable[tuple[int, int]]: ...
    def sections(self) -> tuple[Mapping[str, Bytes], Counts, Mapping[str, str]]: ...


class Snapshot:
    """A compiled rule set; immutable, and safe to share between threads.

    >>> from withhold import Rule, RuleSet
    >>> rule = Rule(id="in-1", accounts=[1101], withheld_in=["IN"], reason="legal_demand")
    >>> snapshot = Snapshot.compile(RuleSet([rule]))
    >>> posting = snapshot.accounts.find(1101)
    >>> [rule.id for rule in snapshot.rules_of(posting)], snapshot.tweets.find(1101)
    (['in-1'], None)
    """

    __slots__ = (
        "_contents",
        "accounts",
        "fingerprint",
        "postings",
        "protected",
        "revision",
        "rule_count",
        "rules_of",
        "tweets",
        "visible",
    )

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self.accounts, self.tweets = contents.tables["accounts"], contents.tables["tweets"]
        #: The rules that a posting of a table stands for.
        self.rules_of = contents.rules_of
        #: What these rules say, but for their ids and places, where it costs less than the rules; None where not.
        self.fingerprint = contents.fingerprint
        #: All ids of a kind that rules name, each with its posting, in no order.
        self.postings = contents.postings
        #: How many rules there are, which a file says without any of them being read.
        self.rule_count = contents.rule_count
        #: How many protected accounts were known when it was compiled, and a digest of their lists; None if none was read.
        self.protected = contents.protected
        #: That of the rules: equal rules, equal revision.
        self.revision = contents.digest[:16]
        #: The one answer for all that no rule names (A2).
        self.visible = Decision(outcome=Outcome.VISIBLE, revision=self.revision)

    @classmethod
    def compile(
        cls,
        rules: RuleSet,
        *,
        protected: Iterable[Protected] | KnownProtected | None = None,
        native: bool | None = None,
    ) -> Snapshot:
        """Compile a rule set. O(ids + rules): a second for some millions of ids, and 16 bytes of memory for each.

        `protected` are the accounts of the lists that were read with the rules: how many there are is noted in the snapshot,
        with a digest of the lists, and not which. `native` decides whether the index is made and read in C: as it can be (None), or always (True: raises
        `ImportError` if it cannot), or never; then it takes about ten times the time and memory. Other threads run
        meanwhile. Raises `SubjectTypeError` for what is no `RuleSet`, and `RuleSetError` for more than 2,147,483,647 ids
        of a kind.

        >>> from withhold import Rule, RuleSet
        >>> snapshot = Snapshot.compile(RuleSet([Rule(id="in-1", accounts=[7], withheld_in=["IN"], reason="terms")]))
        >>> len(snapshot.accounts), len(snapshot.tweets), snapshot.rule_count
        (1, 0, 1)
        """
        from withhold.snapshot.compiled import Compiled

        given: object = rules
        if not isinstance(given, RuleSet):
            problem = Problem("not-a-rule-set", f"{quoted(given)} is not a rule set", hint="use `RuleSet([…])`")
            raise SubjectTypeError(problem)
        if protected is not None and not isinstance(protected, KnownProtected):
            protected = KnownProtected.of(protected)
        return cls(Compiled(rules, protected, in_c=_in_c(native)))

    @classmethod
    def open(
        cls, path: str | os.PathLike[str], *, verify: Literal["full", "header"] = "full", native: bool | None = None
    ) -> Snapshot:
        """Open a file that `save` has written. It is mapped: processes that open one file share its memory.

        `verify="full"` reads all of it, checks the digest of every section, and that every id is found where it is:
        O(bytes), a second for a gigabyte or so; in Python a second for a million ids. `"header"` checks that what the
        header says fits the file, and takes a millisecond; it is for those who have verified the file when they got it.
        A file that was damaged since is then never read beyond its end, but may answer wrongly, and what it is saved as
        is refused as damaged too. The records of rules are read when an answer needs them, and `SnapshotError` is raised
        then for one that this version cannot read; `snapshot.rules` reads all.

        Codes of territories are checked too: by `"full"` always, by `"header"` where the file was written with another
        version of pycountry, which takes some time for each rule. A code that was renamed since is read as the new one,
        and the revision stays that of the file; for one that is no territory any more `SnapshotError` names it and both
        versions.

        A file must not be changed in place while it is open, which `save` does not do: one that gets shorter kills
        the process that reads it.

        `native` is as in `compile`; a file that is read in Python takes some microseconds for a look-up.
        Raises `SnapshotError`, which says what is wrong, `OSError`, and `ValueError` for another `verify`.
        """
        from withhold.snapshot.opened import OpenedSnapshot

        return cls(OpenedSnapshot(path, verify, in_c=_in_c(native)))

    @property
    def rules(self) -> RuleSet:
        """The rules; O(rules) when those of a file are first asked for."""
        return self._contents.rule_set

    def save(self, path: str | os.PathLike[str], *, created: datetime | None = None) -> int:
        """Write a file for `open`, and return its size in bytes. Equal rules from the same files give equal bytes.

        A file that is there is replaced at once: whoever opens it finds the old one or the new one, also if this
        process is killed. `created` is noted in the file; raises `InstantError` if it is naive, and `OSError`.

        >>> from pathlib import Path
        >>> from tempfile import mkdtemp
        >>> from withhold import Rule, RuleSet
        >>> rule = Rule(id="in-1", accounts=[1101], withheld_in=["IN"], reason="legal_demand")
        >>> path = Path(mkdtemp(), "rules.wh")
        >>> Snapshot.compile(RuleSet([rule])).save(path) == path.stat().st_size
        True
        >>> Snapshot.open(path).rules["in-1"] == rule
        True
        """
        from withhold.snapshot.format import lay_out
        from withhold.snapshot.saving import write_atomically

        when = None if created is None else utc(created, "created")
        contents = self._contents
        pieces = lay_out(*contents.sections(), contents.digest, when, contents.protected, contents.territories)
        return write_atomically(Path(path), pieces)

    @property
    def is_native(self) -> bool:
        """Whether the index is read in C."""
        return native.AVAILABLE and isinstance(self.accounts, native.index.NativeTable)

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        """Raise a `TypeError`: its index belongs to this process, and a file of it can be shared."""
        raise not_sent("a snapshot", "save it, send the path, and use `Snapshot.open` there")

    def __repr__(self) -> str:
        return f"<Snapshot {self.revision}>"


def _in_c(asked: bool | None) -> bool:
    if asked and not native.AVAILABLE:
        raise ImportError(native.engine_info().why)
    return native.AVAILABLE if asked is None else asked
