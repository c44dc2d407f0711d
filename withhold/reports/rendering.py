"""A summary of differences as text, as Markdown for a pull request, and as values that JSON has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from withhold.errors import escaped, quoted
from withhold.model.instants import in_iso
from withhold.model.rule import Rule
from withhold.reports.comment import LIMIT, count_fitting, fitted, size
from withhold.reports.difference import Change, bounds_text
from withhold.reports.summary import Block, Impact, Summary

#: Ids and rules that are named of many, and differences that are listed one by one.
_NAMED, _TOLD = 3, 100

#: In a comment that would be too long: the bytes of a table, of the changes of one difference, and of a list in it.
_TABLE, _CHANGES, _LIST = 12_000, 2_000, 1_000

_SAME = "the same outcomes, though the rules differ"

#: What a difference says of one rule behind it, and of several: a rule need not be new to name an id that it did not name.
_CAUSES = {
    "now_names": ("now names these", "now name these"),
    "no_longer_names": ("no longer names these", "no longer name these"),
    "changed": ("still names these, but has changed", "still name these, but have changed"),
}


def as_text(summary: Summary, *, whole: bool = False, audit: bool = False) -> Iterator[str]:
    """Yield lines for a terminal; of many ids, rules and differences all if the `whole` is asked for."""
    yield " → ".join(f"{escaped(side.name)} (revision {side.revision})" for side in (summary.old, summary.new))
    yield ""
    blocks = summary.blocks + (summary.audit if audit else [])
    for block in blocks if whole else blocks[:_TOLD]:
        told = [*map(str, block.changes)] or [_SAME]
        head = f"{_who(block, whole=whole)}:"
        yield from [f"{head} {told[0]}"] if len(told) == 1 else [head, *(f"  {line}" for line in told)]
        for name, rules in block.rules():
            if rules:
                yield f"  {_cause(name, rules)}: {_enumerated([_rule(rule) for rule in rules], whole=whole)}"
    if len(blocks) > _TOLD and not whole:
        yield f"… and {len(blocks) - _TOLD:,} more differences: --all lists every one"
    if blocks:
        yield ""
    yield _headline(summary)
    if any(summary.audit_counts) and not audit:
        yield f"{_unnoticed(summary)}: --audit lists these"
    for table in _tables(summary):
        yield ""
        yield from _aligned(table)
    if summary.impact is not None:
        yield ""
        yield _weight(summary.impact)
        yield from _aligned(_impressions(summary.impact))


def as_markdown(summary: Summary, *, whole: bool = False, audit: bool = False) -> Iterator[str]:
    """Yield lines for a comment: sums first, details folded. Text from rule files is code.

    They fit into a comment (`comment.LIMIT`), also with the `whole`: where they would not, lists end with a count.
    """
    lines = list(_markdown(summary, whole=whole, audit=audit, cut=False))
    yield from lines if size(lines) <= LIMIT else _markdown(summary, whole=whole, audit=audit, cut=True)


def _markdown(summary: Summary, *, whole: bool, audit: bool, cut: bool) -> Iterator[str]:
    totals = [*_totals(summary, cut=cut), *([] if not cut else ["", "Cut to fit; `--format json` lists everything."])]
    yield from totals
    blocks = summary.blocks + (summary.audit if audit else [])
    if not blocks:
        return
    opening = ("", "<details>", "<summary>Who, where, when, and by which rules</summary>", "")
    closing = ("", "</details>")
    listed = blocks if whole else blocks[:_TOLD]
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
    yield f"### {_code(summary.old.name)} → {_code(summary.new.name)}"
    yield ""
    yield f"**{_headline(summary)}**"
    if any(summary.audit_counts):
        yield ""
        yield f"{_unnoticed(summary).capitalize()}."
    for table in _tables(summary, coded=True):
        yield ""
        yield from _piped(table, cut=cut)
    if summary.impact is not None:
        yield ""
        yield _weight(summary.impact)
        if summary.impact.changed:
            yield ""
            yield from _piped(_impressions(summary.impact), cut=cut)


def _details(block: Block, *, whole: bool, cut: bool) -> Iterator[str]:
    yield f"- **{_who(block, whole=whole, cut=cut)}**"
    changes = [[f"  - {_change(change) if cut else change}"] for change in block.changes] or [[f"  - {_SAME}"]]
    yield from fitted(changes, _CHANGES if cut else size(map("".join, changes)), "  - … and {:,} more changes".format)
    for name, rules in block.rules():
        if rules:
            listed = _enumerated([_rule(rule, coded=True) for rule in rules], whole=whole, cut=cut)
            yield f"  - {_cause(name, rules)}: {listed}"


def as_values(summary: Summary, *, audit: bool = False) -> dict[str, object]:
    """Return everything, with ids as text, since JSON's numbers lose digits in some hands."""
    impact = summary.impact
    return {
        "old": summary.old._asdict(),
        "new": summary.new._asdict(),
        "from": in_iso(summary.within.start),
        "until": in_iso(summary.within.end),
        "different": bool(summary.blocks or (audit and summary.audit)),
        **dict(zip(("accounts", "tweets"), summary.counts, strict=True)),
        "changes": list(map(_block_values, summary.blocks)),
        "unnoticed": dict(zip(("accounts", "tweets"), summary.audit_counts, strict=True)),
        **({"audit": list(map(_block_values, summary.audit))} if audit else {}),
        "by_country": [{**row._asdict(), "where": str(row.where)} for row in summary.rows],
        "by_demand": [blamed._asdict() for blamed in summary.blamed],
        "traffic": impact
        and {
            "at": in_iso(impact.at),
            "impressions": impact.impressions,
            "changed": [
                {"country": country, "old": old, "new": new, "impressions": count}
                for (country, old, new), count in impact.changed.items()
            ],
        },
    }


def _block_values(block: Block) -> dict[str, object]:
    return {
        "kind": block.kind.removesuffix("s"),
        "count": len(block.ids),
        "ids": list(map(str, block.ids)),
        "outcomes": list(map(_change_values, block.changes)),
        "rules": {
            name: [{"id": rule.id, "place": str(rule.place) if rule.place else None} for rule in rules]
            for name, rules in block.rules()
        },
    }


def _change_values(change: Change) -> dict[str, object]:
    territories, only, but = change.where.worded()
    return {
        "where": str(change.where),
        "territories": str(territories),
        "unknown_location": change.where.unknown,
        "no_subdivision_known": {"also": only, "not": but},
        "old": change.old,
        "new": change.new,
        "from": in_iso(change.period.start),
        "until": in_iso(change.period.end),
    }


def _headline(summary: Summary) -> str:
    said = (
        f"{_counted(summary.counts)} get{'s' if sum(summary.counts) == 1 else ''} another outcome"
        if any(summary.counts)
        else "no viewer gets another outcome"
    )
    return f"{said}{bounds_text(summary.within)}"


def _counted(counts: tuple[int, int]) -> str:
    parts = [f"{n:,} {what}{'' if n == 1 else 's'}" for n, what in zip(counts, ("account", "tweet"), strict=True) if n]
    return " and ".join(parts)


def _unnoticed(summary: Summary) -> str:
    return f"for {_counted(summary.audit_counts)} the rules differ without changing an outcome"


def _cause(name: str, rules: Sequence[Rule]) -> str:
    return _CAUSES[name][len(rules) > 1]


def _change(change: Change) -> str:
    return change.worded(_shortened(str(change.where)))


def _who(block: Block, *, whole: bool, cut: bool = False) -> str:
    kind, count = block.kind.removesuffix("s"), len(block.ids)
    if count == 1:
        return f"{kind} {block.ids[0]}"
    return f"{count:,} {kind}s ({_enumerated(block.ids, whole=whole, cut=cut)})"


def _enumerated(things: Sequence[object], *, whole: bool, cut: bool = False) -> str:
    """Return things with commas between: the first three of more unless the `whole` is asked for, or what fits if `cut`."""
    told = list(map(str, things if whole else things[:_NAMED]))
    if cut:
        told = told[: count_fitting([[thing] for thing in told], _LIST)]
    left = len(things) - len(told)
    return ", ".join(told) + (f", … and {left:,} more" if left else "")


def _shortened(text: str) -> str:
    """Return a list of territories in words, cut after a comma if it is long.

    >>> _shortened("WORLD except " + ", ".join(["AD"] * 300))[-30:]
    ' AD, AD, AD, AD, … and 54 more'
    """
    if len(text) <= _LIST:
        return text
    kept = text[:_LIST].rpartition(", ")[0]
    return f"{kept}, … and {text.count(', ', len(kept)):,} more"


def _rule(rule: Rule, *, coded: bool = False) -> str:
    name, place = (_code(rule.id), _code(str(rule.place))) if coded else (escaped(rule.id), str(rule.place))
    return f"{name} ({place})" if rule.place else name


_Table = Sequence[tuple[str, ...]]


def _tables(summary: Summary, *, coded: bool = False) -> Iterator[_Table]:
    """Yield the sums by country and by demand, where there are some."""
    if not summary.rows:
        return
    yield [("where", "change", "accounts", "tweets")] + [
        (str(row.where), f"{row.old} → {row.new}", f"{row.accounts:,}", f"{row.tweets:,}") for row in summary.rows
    ]
    yield [("demand", "reason", "accounts", "tweets")] + [
        (
            "no demand" if demand is None else _code(demand) if coded else escaped(demand),
            reason.replace("_", " "),
            f"{accounts:,}",
            f"{tweets:,}",
        )
        for demand, reason, accounts, tweets in summary.blamed
    ]


def _impressions(impact: Impact) -> _Table:
    rows = [
        (country or "unknown location", f"{old} → {new}", f"{count:,}")
        for (country, old, new), count in impact.changed.items()
    ]
    return [("country", "change", "impressions"), *rows] if rows else []


def _weight(impact: Impact) -> str:
    changed = sum(impact.changed.values())
    share = f" ({changed / impact.impressions:.2%})" if changed else ""
    return f"impressions that get another outcome at {in_iso(impact.at)}: {changed:,} of {impact.impressions:,}{share}"


def _aligned(table: _Table) -> Iterator[str]:
    """Yield the lines of a table, figures to the right."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        cells = (
            cell.rjust(width) if at >= 2 else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(cells)


def _piped(table: _Table, *, cut: bool) -> Iterator[str]:
    head, *rows = table
    for line in (head, ("---", "---", *("---:" for _ in head[2:]))):
        yield f"| {' | '.join(line)} |"
    if not cut:
        yield from (f"| {' | '.join(row)} |" for row in rows)
        return
    shortened = ([f"| {' | '.join((_shortened(row[0]), *row[1:]))} |"] for row in rows)
    yield from fitted(shortened, _TABLE, "\n… and {:,} more rows".format)


def _code(text: str) -> str:
    """Return text in which nothing is markup, nor a mention, nor the end of a table's cell."""
    # Of a backslash and a pipe, tables take the former for the escape of another backslash.
    return quoted(text).replace("\\|", "\\x5c|").replace("|", "\\|")
