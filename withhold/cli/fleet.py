"""`withhold fleet`: list which hosts use the live rules."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from textwrap import TextWrapper
from typing import TYPE_CHECKING, Annotated

import typer

from withhold.cli import options
from withhold.cli.exit_codes import ExitCode
from withhold.cli.live_options import Name, Trust, read_trust, reported
from withhold.cli.output import show
from withhold.cli.render import Format
from withhold.cli.results import TableResult
from withhold.errors import LiveError, Place, escaped, escaped_path, quoted
from withhold.model.instants import in_iso

if TYPE_CHECKING:
    from withhold.live import HostState, Live, Standing

_COLUMNS = ("host", "standing", "late", "acted", "state", "version", "serving", "reported", "error")

_FRACTION = re.compile(r"\.[0-9]+(?=Z$)")
#: The columns in text, where lines below a host have the others. So names of up to 33 characters fit 80 columns.
_IN_TEXT = ("host", "standing", "serving", "acted")


@dataclass(frozen=True, slots=True)
class FleetResult(TableResult):
    """The hosts of a fleet, and whether all of them have acted."""

    values: dict[str, object] | None = None

    def to_dict(self) -> dict[str, object]:
        return {**(self.values or {}), **TableResult.to_dict(self)}

    def __str__(self) -> str:
        rows = [
            {
                **row,
                "standing": f"{row['standing']}{', late' if row['late'] else ''}",
                "acted": _to_the_second(row["acted"]),
            }
            for row in self.rows
        ]
        head, *hosts = str(TableResult(_IN_TEXT, rows)).split("\n")
        lines = [head]
        below = TextWrapper(80, "  ", "  ", break_long_words=False, break_on_hyphens=False)
        for host, row in zip(hosts, self.rows, strict=True):
            lines += [host, *below.wrap(_details(row))]
        return "\n".join([*lines, self.note])


def fleet(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="The store to which rules are published.")],
    receipts: Annotated[
        str, typer.Option("--receipts", metavar="URL", help="The store to which hosts write receipts.")
    ],
    trust: Trust,
    expect: Annotated[
        Path | None,
        typer.Option(
            "--expect", metavar="FILE", help="The hosts of the fleet, one on each line.", exists=True, dir_okay=False
        ),
    ] = None,
    name: Name = "rules",
    form: Annotated[Format, options.formats(Format.CSV)] = Format.TEXT,
) -> None:
    """List which hosts have acted, which means that all their processes use the live rules, and which are behind, refuse or are silent.

    Exits with 1 unless all hosts have acted, by the deadline if there is one (`publish --act-by`), and the rules were signed again
    within the hour. Without --expect, hosts that have never written a receipt are unknown.
    """
    now = datetime.now(UTC)
    with reported(form):
        from withhold.live import Publisher, Standing
        from withhold.live import fleet as read
        from withhold.live.receipts import host_line
        from withhold.live.store import Store

        expected = [] if expect is None else _hosts(expect)
        live = Publisher(source, read_trust(trust), name=name).live()
        hosts = list(read(live, Store(receipts), expected, now))
        counts = Counter(host.standing for host in hosts)
        fine = bool(hosts) and counts[Standing.ACTED] == len(hosts) and not any(host.late for host in hosts)
        fine = fine and now < live.expires
        rows = [host_line(host) for host in hosts]
        values = {"fine": fine, "version": live.version, "expires": in_iso(live.expires), **_release(live)}
        show(FleetResult(_COLUMNS, rows, _note(live, name, hosts, counts, now), values), form)
    raise typer.Exit(ExitCode.FINE if fine else ExitCode.FAILURE)


def _hosts(expect: Path) -> list[str]:
    """Return the names of the hosts in a file. Exit with a usage error if it cannot be read, has none, or has other text."""
    from withhold.live.receipts import check_host

    try:
        lines = expect.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise typer.BadParameter(f"cannot read {escaped_path(expect)}", param_hint="'--expect'") from None
    hosts = []
    for number, line in enumerate(lines, 1):
        if name := line.partition("#")[0].strip():
            try:
                check_host(name)
            except LiveError as error:
                message = f"{Place(str(expect), number)}: {error}"
                raise typer.BadParameter(message, param_hint="'--expect'") from None
            hosts.append(name)
    if not hosts:  # otherwise, a list that was not written would hide missing hosts
        raise typer.BadParameter(f"{escaped_path(expect)} names no host", param_hint="'--expect'")
    return hosts


def _details(row: Mapping[str, object]) -> str:
    """Return what a reader needs to know about a host that is not known to answer by the newest rules."""
    if row["reported"] is None:
        return "has never reported"
    if row["standing"] == "acted" and row["state"] == "fresh" and row["error"] is None:
        return ""
    version = "no rules" if row["version"] is None else f"version {row['version']}"
    error = "" if row["error"] is None else f"; {escaped(str(row['error']))}"
    return f"has {version}, {row['state']}; last report {_to_the_second(row['reported'])}{error}"


def _to_the_second(instant: object) -> str:
    return _FRACTION.sub("", str(instant or ""))


def _release(live: Live) -> dict[str, object]:
    release = live.release
    act_by = None if release is None or release.act_by is None else in_iso(release.act_by)
    return {"revision": None if release is None else release.revision, "act_by": act_by}


def _note(live: Live, name: str, hosts: list[HostState], counts: Mapping[Standing, int], now: datetime) -> str:
    """Return a summary of a fleet."""
    lines = [f"version {live.version} is live: {live.release or f'no rules named {quoted(name)}'}"]
    lines.append(
        "; ".join([f"hosts: {len(hosts)}", *[f"{standing}: {count}" for standing, count in sorted(counts.items())]])
    )
    if live.release is not None and live.release.act_by is not None:
        late = sum(host.late for host in hosts)
        lines.append(f"deadline: {in_iso(live.release.act_by)}; late: {late}")
    if now >= live.expires:
        lines.append(
            f"the rules were not signed again: hosts are stale since {in_iso(live.expires)}; run `withhold refresh`"
        )
    return "\n".join(lines)
