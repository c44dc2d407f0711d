"""Phrases that several formats share: counts, refusals, and differences between rule sets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from withhold.cli.render.comment import count_fitting
from withhold.cli.results import Refusal
from withhold.errors import CaseError, DemandError, LedgerError, LiveError, WireError, name_in_text, quoted
from withhold.model.instants import in_iso
from withhold.model.rule import Rule

if TYPE_CHECKING:  # most commands report no difference
    from withhold.reports import Change, Impact, Summary
    from withhold.reports.summary import Block, Side

#: The numbers of ids and rules of a difference, and of differences, that are printed without `--all`.
NAMED, DIFFERENCES = 3, 100

#: The maximum length of a list in a comment that would otherwise be too long.
_LIST = 1_000

SAME = "the same outcomes, though the rules differ"

# An old rule may name an id for the first time, so `new` would be wrong.
_CAUSES = {
    "now_names": ("now names these", "now name these"),
    "no_longer_names": ("no longer names these", "no longer name these"),
    "changed": ("still names these, but has changed", "still name these, but have changed"),
}

#: The first row is the head; the columns that it names in `FIGURES` are numbers.
Rows = Sequence[tuple[str, ...]]
FIGURES = frozenset({"accounts", "tweets", "impressions"})


def counted(**counts: int) -> str:
    """Return counts with their nouns.

    >>> counted(rule=4, account=1)
    '4 rules · 1 account'
    """
    return " · ".join(f"{count:,} {noun}{'' if count == 1 else 's'}" for noun, count in counts.items())


def refusal_line(refusal: Refusal) -> str:
    """Return one line on a refusal, with the number of its problems."""
    error = refusal.error
    problems = counted(problem=len(error.problems))
    if isinstance(error, CaseError):
        return f"no case was run: {problems}"
    if isinstance(error, LedgerError):
        return f"the ledger was refused: {problems}"
    if isinstance(error, LiveError):
        return f"the command failed: {problems}"
    if isinstance(error, DemandError):
        return f"nothing was recorded: {problems}"
    if isinstance(error, WireError):
        return f"the file was refused: {problems}"
    of_rules = f"; rules read: {error.read}, refused: {error.refused}" if error.refused else ""
    return f"{refusal.what} was refused: {problems}{of_rules}"


def headline(summary: Summary) -> str:
    """Return how many accounts and tweets get a different outcome."""
    from withhold.reports.difference import bounds_text

    changed = (
        f"{subjects(summary.counts)} get{'s' if sum(summary.counts) == 1 else ''} a different outcome"
        if any(summary.counts)
        else "no viewer gets a different outcome"
    )
    return f"{changed}{bounds_text(summary.within)}"


def origin(side: Side) -> str:
    """Return the source of a side of a difference, and its revision."""
    return f"{side.source}, revision {side.revision}" if side.source else f"revision {side.revision}"


def unnoticed(summary: Summary) -> str:
    """Return how many accounts and tweets have rules that differ without changing an outcome."""
    return f"for {subjects(summary.audit_counts)} the rules differ without changing an outcome"


def subjects(counts: tuple[int, int]) -> str:
    """Return numbers of accounts and tweets with their nouns, without those that are 0."""
    parts = [f"{n:,} {what}{'' if n == 1 else 's'}" for n, what in zip(counts, ("account", "tweet"), strict=True) if n]
    return " and ".join(parts)


def cause(name: str, rules: Sequence[Rule]) -> str:
    """Return the phrase for the rules that cause a difference."""
    return _CAUSES[name][len(rules) > 1]


def shortened_change(change: Change) -> str:
    """Return a change with a list of territories that is cut if it is long."""
    return change.worded(shortened(str(change.where)))


def subjects_of(block: Block, *, whole: bool, cut: bool = False) -> str:
    """Return the accounts or tweets of a block."""
    kind, count = block.kind.removesuffix("s"), len(block.ids)
    if count == 1:
        return f"{kind} {block.ids[0]}"
    return f"{count:,} {kind}s ({enumerated(block.ids, whole=whole, cut=cut)})"


def enumerated(things: Sequence[object], *, whole: bool, cut: bool = False) -> str:
    """Return things separated by commas: at most three, or all if `whole`.

    With `cut`, only those that fit into a comment are listed.
    """
    listed = list(map(str, things if whole else things[:NAMED]))
    if cut:
        listed = listed[: count_fitting([[thing] for thing in listed], _LIST)]
    left = len(things) - len(listed)
    return ", ".join(listed) + (f", … and {left:,} more" if left else "")


def shortened(text: str) -> str:
    """Return a list of territories, cut after a comma if it is long.

    >>> shortened("WORLD except " + ", ".join(["AD"] * 300))[-30:]
    ' AD, AD, AD, AD, … and 54 more'
    """
    if len(text) <= _LIST:
        return text
    kept = text[:_LIST].rpartition(", ")[0]
    return f"{kept}, … and {text.count(', ', len(kept)):,} more"


def rule_name(rule: Rule, *, coded: bool = False) -> str:
    """Return the id and the place of a rule."""
    name, place = (code(rule.id), code(str(rule.place))) if coded else (name_in_text(rule.id), str(rule.place))
    return f"{name} ({place})" if rule.place else name


def tables(summary: Summary, *, coded: bool = False) -> Iterator[Rows]:
    """Yield the sums by country and by demand with its jurisdiction, if anything changes."""
    if not summary.rows:
        return
    yield [("where", "change", "accounts", "tweets")] + [
        (str(row.where), f"{row.old} → {row.new}", f"{row.accounts:,}", f"{row.tweets:,}") for row in summary.rows
    ]
    yield [("demand", "jurisdiction", "reason", "accounts", "tweets")] + [
        (
            "no demand" if demand is None else code(demand) if coded else name_in_text(demand),
            jurisdiction or "none",
            reason.replace("_", " "),
            f"{accounts:,}",
            f"{tweets:,}",
        )
        for demand, jurisdiction, reason, accounts, tweets in summary.blamed
    ]


def impression_rows(impact: Impact) -> Rows:
    """Return the impressions that get a different outcome, by country."""
    rows = [
        (country or "unknown location", f"{old} → {new}", f"{count:,}")
        for (country, old, new), count in impact.changed.items()
    ]
    return [("country", "change", "impressions"), *rows] if rows else []


def impression_line(impact: Impact) -> str:
    """Return how many impressions get a different outcome."""
    changed = sum(impact.changed.values())
    share = f" ({changed / impact.impressions:.2%})" if changed else ""
    return (
        f"impressions that get a different outcome at {in_iso(impact.at)}: {changed:,} of {impact.impressions:,}{share}"
    )


def code(text: str) -> str:
    """Return text as Markdown code, so that no part of it is markup, a mention, or the end of a table cell."""
    # In a table a backslash before a pipe would be read as the escape of another backslash.
    return quoted(text).replace("\\|", "\\x5c|").replace("|", "\\|")
