"""A release: the description of a published rule set in the signed metadata of TUF."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from tuf.api.metadata import TargetFile, Targets

from withhold.engine.guard import check_loss
from withhold.errors import LiveError, Problem, RuleSetError, quoted
from withhold.live.status import Instant
from withhold.snapshot import Snapshot

_SUFFIX = ".wh.zst"
#: The largest share of the rules, and of their ids, that may be lost unless the publishers allow it.
_MOST_LOST = 0.1
_Count = Annotated[int, Field(ge=0, strict=True)]


class Release(BaseModel):
    """The description of a published rule set, which its publishers have signed.

    >>> from datetime import UTC, datetime
    >>> release = Release(
    ...     revision="0123456789abcdef", rules=1, accounts=2, tweets=0, bytes=5070, sha256="0" * 64,
    ...     published=datetime(2026, 1, 1, tzinfo=UTC),
    ... )
    >>> str(release)
    '1 rule with 2 ids, revision 0123456789abcdef'
    """

    # Later versions of this package may add keys.
    model_config = ConfigDict(frozen=True, extra="ignore")

    revision: str = Field(pattern="^[0-9a-f]{16}$")
    rules: _Count
    accounts: _Count
    tweets: _Count
    #: The size and the hash of the unpacked snapshot.
    bytes: _Count
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    published: Instant
    #: When every host must answer by these rules.
    act_by: Instant | None = None
    #: The last version, this one included, that may lose rules. Hosts with an older version accept the loss.
    may_shrink: _Count = 0

    @property
    def ids(self) -> int:
        """The number of different ids."""
        return self.accounts + self.tweets

    def check(self, snapshot: Snapshot) -> None:
        """Raise `LiveError` (`wrong-content`) unless a snapshot has the revision and the counts that were signed."""
        counts = snapshot.revision, snapshot.rule_count, len(snapshot.accounts), len(snapshot.tweets)
        if counts != (self.revision, self.rules, self.accounts, self.tweets):
            message = "the snapshot has another revision or other counts than were signed"
            raise LiveError(Problem("wrong-content", message))

    def __str__(self) -> str:
        rules, ids = ("" if count == 1 else "s" for count in (self.rules, self.ids))
        return f"{self.rules:,} rule{rules} with {self.ids:,} id{ids}, revision {self.revision}"


def release_of(
    snapshot: Snapshot, size: int, sha256: str, published: datetime, act_by: datetime | None, may_shrink: int
) -> Release:
    """Return the release of a snapshot whose file has `size` bytes."""
    return Release(
        revision=snapshot.revision,
        rules=snapshot.rule_count,
        accounts=len(snapshot.accounts),
        tweets=len(snapshot.tweets),
        bytes=size,
        sha256=sha256,
        published=published,
        act_by=act_by,
        may_shrink=may_shrink,
    )


def refuse_shrinking(before: Snapshot | None, after: Snapshot) -> None:
    """Raise `LiveError` (`shrunk`) if more than a tenth of the rules or ids is lost, or all. `before` is None for the first rules."""
    if before is None:
        if after.rule_count:
            return
        message = "the rule set is empty"
    else:
        try:
            check_loss(before, after, _MOST_LOST)
        except RuleSetError as error:
            message = error.problem.message
        else:
            return
    raise LiveError(Problem("shrunk", message, hint="if this is intended, publish with `--may-shrink`"))


def target_path(name: str) -> str:
    """Return the path of the packed snapshot of the rule set `name` in the metadata. Raises `LiveError` (`bad-name`)."""
    if not (name.isascii() and name.replace("-", "").replace("_", "").isalnum() and name[0].isalnum()):
        message = f"{quoted(name)} is not the name of a rule set"
        raise LiveError(Problem("bad-name", message, hint="use letters, digits, `-` and `_`"))
    return f"{name}{_SUFFIX}"


def object_path(target: TargetFile) -> str:
    """Return the path of a packed snapshot in the store."""
    return f"targets/{target.hashes['sha256']}.{target.path}"


def published(targets: Targets, name: str) -> tuple[TargetFile, Release] | None:
    """Return the file and the release of the rule set `name`, or None if nothing was published yet.

    Raises `LiveError` (`wrong-name`, `bad-metadata`).
    """
    target = targets.targets.get(target_path(name))
    if target is None:
        if not targets.targets:
            return None
        others = ", ".join(quoted(path.removesuffix(_SUFFIX)) for path in sorted(targets.targets)[:20])
        message = f"the source has no rule set {quoted(name)}"
        raise LiveError(Problem("wrong-name", message, hint=f"it has {others}"))
    custom: Any = target.custom
    try:
        release = Release.model_validate(custom if isinstance(custom, Mapping) else {})
        if "sha256" not in target.hashes:
            raise ValueError("no hash")  # noqa: TRY301
    except (ValidationError, ValueError):
        message = "the signed metadata do not describe the rule set in a known form"
        raise LiveError(Problem("bad-metadata", message, hint="publish with the same version of withhold")) from None
    return target, release
