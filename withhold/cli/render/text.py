"""Text for people, in colour on a terminal. A result without a function here is printed as its `str`."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import singledispatch
from textwrap import fill
from typing import TYPE_CHECKING

from withhold.cli.render import Part
from withhold.cli.render.wording import (
    DIFFERENCES,
    FIGURES,
    SAME,
    Rows,
    cause,
    counted,
    enumerated,
    headline,
    impression_line,
    impression_rows,
    origin,
    refusal_line,
    rule_name,
    subjects,
    subjects_of,
    tables,
    unnoticed,
)
from withhold.cli.results import (
    AddressResult,
    BenchResult,
    CheckResult,
    CompileResult,
    DiffResult,
    FailOn,
    LintResult,
    RecordedResult,
    Refusal,
    RequestResult,
    RulesResult,
    id_counts,
    location_values,
)
from withhold.engine.explain import grounds, period_text, territories_text, where
from withhold.errors import Problem, escaped, escaped_path, name_in_text, quoted
from withhold.model import Outcome
from withhold.model.instants import in_iso
from withhold.model.viewer import viewer_text
from withhold.native.package import this_package

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from withhold.reports.speed import Figure

_OUTCOMES = {Outcome.VISIBLE: "green", Outcome.SUSPENDED: "bold red"}
_SEVERITIES = {"error": "red", "warning": "yellow", "note": "cyan"}

_CAUTION = """\
Medians of one run, in nanoseconds for one tweet with its author; `times` is the ratio to the first line. All figures include
the loop around the calls. The answers were compared with the reference first. Other processes, other threads and cold caches
were not measured: compare the ratios."""


@singledispatch
def render(result: object) -> Iterable[Part]:
    yield str(result)


@render.register
def _recorded(result: RecordedResult) -> Iterable[Part]:
    yield str(result)
    if result.difference is not None:
        yield from render(result.difference)


def styled(text: str, style: str = "") -> Text:
    """Return text in a style of rich, such as `bold red`."""
    from rich.text import Text

    return Text(text, style=style)


def outcome_text(outcome: Outcome) -> Text:
    """Return an outcome in its colour. Hidden outcomes are in capitals, for readers who do not see colours."""
    return styled(
        outcome.value if outcome is Outcome.VISIBLE else outcome.value.upper(), _OUTCOMES.get(outcome, "bold yellow")
    )


def problem_text(problem: Problem) -> Text:
    """Return a problem in the colour of its severity."""
    return styled(str(problem), _SEVERITIES[problem.severity])


@render.register
def _refusal(refusal: Refusal) -> Iterator[Part]:
    yield from map(problem_text, refusal.error.problems)
    yield refusal_line(refusal)
    if refusal.note:
        yield refusal.note


@render.register
def _check(result: CheckResult) -> Iterator[Part]:
    decision = result.decision
    everybody = "every viewer" if decision.visible else "some viewers"
    parts = [f" for {everybody if result.viewer is None else viewer_text(result.viewer)}"]
    if decision.rule_id:
        parts.append(f"by rule {name_in_text(decision.rule_id)} on the {decision.scope} ({grounds(decision)})")
    if decision.exempt:
        parts.append("shown because the viewer is the author")
    if decision.territories:
        parts.append(f"withheld {where(decision.territories)}; available {where(decision.available_in)}")
    if not decision.certain:
        parts.append("uncertain: a more precise location could change the answer")
    if decision.valid_until:
        parts.append(f"holds until {in_iso(decision.valid_until)}")
    yield outcome_text(decision.outcome) + styled("; ".join(parts))


@render.register
def _rules(result: RulesResult) -> Iterator[Part]:
    for each in result.rules:
        rule = each.rule
        ids = subjects((len(rule.accounts), len(rule.tweets)))
        yield f"{rule_name(rule)}: {each.state}"
        yield fill(
            f"{rule.effect}s {ids} {where(territories_text(rule))}", 80, initial_indent="  ", subsequent_indent="    "
        )
        yield f"  {period_text(rule)}"
        yield f"  {grounds(rule)}"
        if rule.review_by:
            yield f"  review by {in_iso(rule.review_by)}"
        if each.protected:
            yield f"  protected: {enumerated([quoted(str(account)) for account in each.protected], whole=True)}"
        yield from (f"  named at {place}" for place in each.named_at)
    yield result.summary


@render.register
def _lint(result: LintResult) -> Iterator[Part]:
    from withhold.lint.protected_account import CHECK as PROTECTED

    yield from map(problem_text, result.problems)
    counts = {noun.removesuffix("s"): count for noun, count in result.counts().items()}
    severities = Counter(problem.severity for problem in result.problems)
    advice = counted(**{severity: count for severity in FailOn if (count := severities[severity.value])})
    verdict = "fine" if result.fine else "not fine"
    end = f"; {advice}" if advice else ""
    if result.configuration is not None:
        end += f"; configured by {escaped_path(result.configuration)}"
    if result.suppressed:
        end += f", which suppresses {len(result.suppressed):,}"
    yield f"{verdict}: {counted(**counts)}, revision {result.rules.revision}; {result.guard}{end}"
    overridden = (code for rule in result.rules for code, _ in rule.override)
    if result.guard.here is None and PROTECTED.code in overridden:
        hint = f"an override of `{PROTECTED.code}` needs one; give it with --protected"
        yield styled(f"no list of protected accounts was read: {hint}", "yellow")


@render.register
def _compile(result: CompileResult) -> Iterator[Part]:
    counts = {noun.removesuffix("s"): count for noun, count in id_counts(result.snapshot).items()}
    wrote = f"wrote {escaped_path(result.path)}: {counted(**counts)}, revision {result.snapshot.revision}"
    yield f"{wrote}, {counted(byte=result.size)}; {result.guard}"


@render.register
def _bench(result: BenchResult) -> Iterator[Part]:
    snapshot = result.snapshot
    counts = {noun.removesuffix("s"): count for noun, count in id_counts(snapshot).items()}
    yield f"measured: {this_package()}"
    yield f"{counted(**counts)}, revision {snapshot.revision}; ready in {result.seconds * 1000:,.0f} ms"
    yield f"Python {platform.python_version()}; {viewer_text(result.viewer)}"
    if result.traffic and result.traffic.left_out:
        yield f"{result.traffic.left_out:,} impressions that do not name both a tweet and an account were left out"
    yield ""
    yield _figures(result.figures)
    yield _CAUTION


def _figures(figures: list[Figure]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in ("what", "ns", "middle half", "times"):
        table.add_column(name, justify="left" if name == "what" else "right")
    for figure in figures:
        middle = f"{figure.low:,.0f}-{figure.high:,.0f}"
        times = f"{figure.nanoseconds / figures[0].nanoseconds:.2f}"
        table.add_row(figure.what, f"{figure.nanoseconds:,.0f}", middle, times)
    return table


@render.register
def _address(result: AddressResult) -> Iterator[Part]:
    yield str(result.viewer)
    for name, value in location_values(result.location).items():
        if value and name not in ("why", "country", "subdivisions"):
            yield f"  {name.replace('_', ' '):<19} {value}"
    if result.location.anonymity_database is None:
        yield f"  {'anonymity':<19} not checked: no database was given with --anonymous"


@render.register
def _request(result: RequestResult) -> Iterator[Part]:
    # The user gave the address, so it may be printed in full.
    yield result.resolution.describe(whole_address=True)


@render.register
def _diff(result: DiffResult) -> Iterator[Part]:
    """Yield the difference. Without `--all`, long lists end with a count."""
    summary, blocks, whole = result.summary, result.blocks, result.whole
    yield " → ".join(f"{escaped(side.name)} ({origin(side)})" for side in (summary.old, summary.new))
    yield ""
    for block in blocks if whole else blocks[:DIFFERENCES]:
        changes = [*map(str, block.changes)] or [SAME]
        head = f"{subjects_of(block, whole=whole)}:"
        yield from [f"{head} {changes[0]}"] if len(changes) == 1 else [head, *(f"  {line}" for line in changes)]
        for name, rules in block.rules():
            if rules:
                yield f"  {cause(name, rules)}: {enumerated([rule_name(rule) for rule in rules], whole=whole)}"
    if len(blocks) > DIFFERENCES and not whole:
        yield f"… and {len(blocks) - DIFFERENCES:,} more differences: --all lists every one"
    if blocks:
        yield ""
    yield headline(summary)
    if any(summary.audit_counts) and not result.audit:
        yield f"{unnoticed(summary)}: --audit lists these"
    for table in tables(summary):
        yield ""
        yield from _aligned(table)
    if summary.impact is not None:
        yield ""
        yield impression_line(summary.impact)
        yield from _aligned(impression_rows(summary.impact))


def _aligned(table: Rows) -> Iterator[str]:
    """Yield the lines of a table, with the figures aligned to the right."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        cells = (
            cell.rjust(width) if name in FIGURES else cell.ljust(width)
            for name, cell, width in zip(table[0], row, widths, strict=True)
        )
        yield "  ".join(cells)
