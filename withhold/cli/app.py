"""The command line application, with all commands."""

from __future__ import annotations

from typing import Annotated

import typer

from withhold.cli.bench import bench
from withhold.cli.check import check
from withhold.cli.code import code
from withhold.cli.compile import compile_
from withhold.cli.demands import demands
from withhold.cli.demo import demo
from withhold.cli.diff import diff
from withhold.cli.explain import explain
from withhold.cli.fetch import fetch
from withhold.cli.find import find
from withhold.cli.fleet import fleet
from withhold.cli.fmt import fmt
from withhold.cli.init import init
from withhold.cli.keys import keys
from withhold.cli.ledger import ledger
from withhold.cli.lint import lint
from withhold.cli.list import list_
from withhold.cli.locate import locate
from withhold.cli.publish import publish, refresh, sign
from withhold.cli.replay import replay
from withhold.cli.scan import scan
from withhold.cli.schema import schema
from withhold.cli.test import test
from withhold.cli.wire import export, import_
from withhold.native import engine_info
from withhold.native.package import this_package

app = typer.Typer(
    help="Decide whether a viewer in a given place may see an account or a tweet, and explain why.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"withhold {this_package().version} ({engine_info().why})")
        raise typer.Exit


@app.callback()
def _root(
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    pass


_COMMANDS = (
    check,
    explain,
    find,
    list_,
    lint,
    test,
    diff,
    replay,
    compile_,
    scan,
    fmt,
    init,
    schema,
    code,
    import_,
    export,
    bench,
    locate,
    demo,
    publish,
    sign,
    refresh,
    fetch,
    fleet,
)
for command in _COMMANDS:
    app.command(command.__name__.rstrip("_"))(command)
app.add_typer(ledger, name="ledger")
app.add_typer(demands, name="demands")
app.add_typer(keys, name="keys")
