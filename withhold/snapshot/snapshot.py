"""A rule set compiled into an index, in which looking up an id takes one step."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NoReturn, Protocol, SupportsIndex

from withhold import native
from withhold.errors import Problem, SubjectTypeError, not_picklable, quoted
from withhold.model.instants import utc
from withhold.model.protected import KnownProtected, Protected
from withhold.model.rule import Rule
from withhold.model.rule_set import RuleSet
from withhold.snapshot.table import Table

if TYPE_CHECKING:
    from withhold.snapshot.format import Bytes, Counts, Territories


Kind = Literal["accounts", "tweets"]


class Contents(Protocol):
    """The contents of a snapshot, from a rule set in memory or from a file."""

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
    """A compiled rule set. It is immutable, and threads may share it.

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
    )

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self.accounts, self.tweets = contents.tables["accounts"], contents.tables["tweets"]
        #: A function that returns the rules that a posting of a table denotes.
        self.rules_of = contents.rules_of
        #: A function that returns the content of these rules without ids and places, or None if there is no cheap
        #: way to get it.
        self.fingerprint = contents.fingerprint
        #: A function that returns all ids of a kind, each with its posting, in no particular order.
        self.postings = contents.postings
        #: The number of rules. For a file this is known before any rule is read.
        self.rule_count = contents.rule_count
        #: The number of protected accounts on the lists that were read for compilation, and a digest of the lists; None if
        #: no list was read.
        self.protected = contents.protected
        #: The revision of the rules. Equal rules have equal revisions.
        self.revision = contents.digest[:16]

    @classmethod
    def compile(
        cls,
        rules: RuleSet,
        *,
        protected: Iterable[Protected] | KnownProtected | None = None,
        native: bool | None = None,
    ) -> Snapshot:
        """Compile a rule set. O(ids + rules): about a second for a few million ids, and 16 bytes of memory for each.

        `protected` has the accounts on the lists of protected accounts that were read with the rules. The snapshot
        stores their number and a digest of the lists, not the accounts. `native` decides whether the index is built and
        read in C: if possible (None), always (True), or never (False). Python takes about ten times as much time and
        memory. Other threads can run meanwhile.

        Raises `SubjectTypeError` for anything but a `RuleSet`, `RuleSetError` for more than 2,147,483,647 ids of one
        kind, and `ImportError` if `native` is True and the modules in C are not available.

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
        cls,
        path: str | os.PathLike[str],
        *,
        verify: Literal["full", "header"] = "full",
        mapped: bool = True,
        native: bool | None = None,
    ) -> Snapshot:
        """Open a file that `save` has written.

        By default the file is mapped: processes that open it share its memory, about 15 bytes for an id. With
        `mapped=False` it is read into the memory of this process, which then holds a copy of the file, and the file can
        be changed afterwards.

        `verify="full"` reads the whole file, checks the digest of every section, and checks that every id can be found:
        O(bytes), about a second for a gigabyte; in Python, a second for a million ids. `verify="header"` checks the
        header and the positions of the sections, and takes a millisecond. Use it if the file was verified before. If
        the file has been damaged since, it is never read beyond its end, but answers may be wrong, and saving it again
        gives a file that is refused as damaged. Rules are read from their records when an answer needs them. A record
        that this version cannot read raises `SnapshotError` at that time; `snapshot.rules` reads all records.

        Territory codes are checked too: with `"full"` always, with `"header"` if the records are small or the file was
        written with other territory data, for example with another version of pycountry. This takes time in proportion
        to the number of rules. A code that has been renamed since is read as the new code, and the revision remains
        that of the file. For a code that no longer exists, `SnapshotError` names the code and both versions of
        pycountry.

        Do not change a file in place while it is mapped; `save` does not. If a mapped file becomes shorter, the process
        that reads it is killed (SIGBUS). Use `mapped=False` if files are copied over one another. A file that changes
        while it is read is then refused as damaged, unless `verify="header"`.

        `native` is as in `compile`; in Python a look-up takes a few microseconds. Raises `SnapshotError` with a
        description of the damage, `OSError`, `ImportError` as `compile` does, and `ValueError` for another `verify`.
        """
        from withhold.snapshot.opened import OpenedSnapshot, content_at

        in_c = _in_c(native)
        return cls(OpenedSnapshot(content_at(path, mapped=mapped), os.fspath(path), verify, in_c=in_c))

    @classmethod
    def from_bytes(
        cls,
        data: bytes | bytearray | memoryview,
        *,
        verify: Literal["full", "header"] = "full",
        native: bool | None = None,
    ) -> Snapshot:
        """Open the bytes of a file that `save` has written, for example from an object store.

        The snapshot refers to `bytes` without copying them; a `bytearray` or a `memoryview` is copied. `verify` and
        `native` are as in `open`, and so are the errors, in which the file is called `<bytes>`. Raises
        `SubjectTypeError` for data of another type.

        >>> from pathlib import Path
        >>> from tempfile import mkdtemp
        >>> from withhold import Rule, RuleSet
        >>> path = Path(mkdtemp(), "rules.wh")
        >>> rules = RuleSet([Rule(id="in-1", accounts=[1101], withheld_in=["IN"], reason="legal_demand")])
        >>> _ = Snapshot.compile(rules).save(path)
        >>> Snapshot.from_bytes(path.read_bytes()).rules == rules
        True
        """
        from withhold.snapshot.opened import OpenedSnapshot

        given: object = data
        if not isinstance(given, (bytes, bytearray, memoryview)):
            hint = "pass the bytes of the file, or use `Snapshot.open(path)`"
            raise SubjectTypeError(Problem("not-bytes", f"{quoted(given)} is not bytes", hint=hint))
        return cls(OpenedSnapshot(bytes(given), "<bytes>", verify, in_c=_in_c(native)))

    @property
    def rules(self) -> RuleSet:
        """The rules. For an opened file this is O(rules) on first use."""
        return self._contents.rule_set

    def save(self, path: str | os.PathLike[str], *, created: datetime | None = None) -> int:
        """Write a file for `open`, and return its size in bytes. Equal rules from the same files give equal bytes.

        An existing file is replaced atomically: a reader finds either the old file or the new one, even if this process
        is killed. A link is followed inside its own directory; a link out of it, or into `.git`, raises
        `PermissionError`. `created` is stored in the header. Raises `InstantError` if `created` is naive, and
        `OSError`.

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
        """Raise a `TypeError`: the index belongs to this process. A saved file can be shared."""
        raise not_picklable("a snapshot", "save it, send the path, and open it there with `Snapshot.open`")

    def __repr__(self) -> str:
        return f"<Snapshot {self.revision}>"


def _in_c(asked: bool | None) -> bool:
    if asked and not native.AVAILABLE:
        raise ImportError(native.engine_info().why)
    return native.AVAILABLE if asked is None else asked
