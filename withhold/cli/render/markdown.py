"""Markdown, for a comment on a pull request: sums first, details folded, and never more than GitHub accepts."""

from __future__ import annotations

from collections.abc import Iterator
from functools import singledispatch

from withhold.cli.render import unsupported
from withhold.cli.render.comment import LIMIT, fitted, size
from withhold.cli.render.wording import (
    DIFFERENCES,
    FIGURES,
    SAME,
    Rows,
    cause,
    code,
    enumerated,
    headline,
    impression_line,
    impression_rows,
    origin,
    refusal_line,
    rule_name,
    shortened,
    shortened_change,
    subjects_of,
    tables,
    unnoticed,
)
from withhold.cli.results import DiffResult, Refusal
from withhold.errors import escaped
from withhold.reports import Summary
from withhold.reports.summary import Block

#: The maximum bytes of a table, and of the changes of one difference, in a comment that would otherwise be too long.
_TABLE, _CHANGES = 12_000, 2_000

render = singledispatch(unsupported)


@render.register
def _refusal(refusal: Refusal) -> Iterator[str]:
    yield f"**{refusal_line(refusal)}**"
    yield ""
    # Indented lines are code, in which nothing is markup.
    listed = ([f"    {escaped(str(problem))}"] for problem in refusal.error.problems)
    yield from fitted(listed, LIMIT - 1_000, "    … and {:,} more".format)


@render.register
def _diff(result: DiffResult) -> Iterator[str]:
    """Yield the difference; if it does not fit into a comment, lists are cut and end with a count."""
    lines = list(_lines(result, cut=False))
    yield from lines if size(lines) <= LIMIT else _lines(result, cut=True)


def _lines(result: DiffResult, *, cut: bool) -> Iterator[str]:
    summary, whole = result.summary, result.whole
    totals = [*_totals(summary, cut=cut), *([] if not cut else ["", "Cut to fit; `--format json` lists everything."])]
    yield from totals
    blocks = result.blocks
    if not blocks:
        return
    opening = ("", "<details>", "<summary>Who, where, when, and by which rules</summary>", "")
    closing = ("", "</details>")
    listed = blocks if whole else blocks[:DIFFERENCES]
    details = [list(_details(block, whole=whole, cut=cut)) for block in listed]
    details += [[]] * (len(blocks) - len(listed))
    yield from opening
    if cut:
        room = LIMIT - size((*totals, *opening, *closing))
        yield from fitted(details, room, "- … and {:,} more".format)
    else:
        yield from (line for lines in details for line in lines)
        if len(blocks) > len(listed):
            yield f"- … and {len(blocks) - len(listed):,} more"
    yield from closing


def _totals(summary: Summary, *, cut: bool) -> Iterator[str]:
    yield f"### {code(summary.old.name)} → {code(summary.new.name)}"
    yield ""
    yield f"**{headline(summary)}**"
    yield ""
    yield f"OLD: {origin(summary.old)}. NEW: {origin(summary.new)}."
    if any(summary.audit_counts):
        yield ""
        yield f"{unnoticed(summary).capitalize()}."
    for table in tables(summary, coded=True):
        yield ""
        yield from _table(table, cut=cut)
    if summary.impact is not None:
        yield ""
        yield impression_line(summary.impact)
        if summary.impact.changed:
            yield ""
            yield from _table(impression_rows(summary.impact), cut=cut)


def _details(block: Block, *, whole: bool, cut: bool) -> Iterator[str]:
    yield f"- **{subjects_of(block, whole=whole, cut=cut)}**"
    changes = [[f"  - {shortened_change(change) if cut else change}"] for change in block.changes] or [[f"  - {SAME}"]]
    yield from fitted(changes, _CHANGES if cut else size(map("".join, changes)), "  - … and {:,} more changes".format)
    for name, rules in block.rules():
        if rules:
            listed = enumerated([rule_name(rule, coded=True) for rule in rules], whole=whole, cut=cut)
            yield f"  - {cause(name, rules)}: {listed}"


def _table(table: Rows, *, cut: bool) -> Iterator[str]:
    head, *rows = table
    for line in (head, ["---:" if name in FIGURES else "---" for name in head]):
        yield f"| {' | '.join(line)} |"
    if not cut:
        yield from (f"| {' | '.join(row)} |" for row in rows)
        return
    cut_rows = ([f"| {' | '.join((shortened(row[0]), *row[1:]))} |"] for row in rows)
    yield from fitted(cut_rows, _TABLE, "\n… and {:,} more rows".format)
