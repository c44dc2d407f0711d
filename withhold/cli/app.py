"""The command line application, with all commands. It imports a command when it is used."""

from __future__ import annotations

from functools import cache
from pkgutil import resolve_name
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

from withhold.cli.collection import no_garbage_collection
from withhold.native import engine_info
from withhold.native.package import this_package

#: The commands and the groups of commands, in the order of `--help`: each a module of this package, and its name there.
_COMMANDS = {
    path.partition(":")[2].rstrip("_"): f"withhold.cli.{path}"
    for path in (
        "check:check",
        "explain:explain",
        "find:find",
        "list:list_",
        "lint:lint",
        "test:test",
        "diff:diff",
        "replay:replay",
        "compile:compile_",
        "scan:scan",
        "fmt:fmt",
        "init:init",
        "schema:schema",
        "code:code",
        "wire:import_",
        "wire:export",
        "bench:bench",
        "locate:locate",
        "demo:demo",
        "publish:publish",
        "publish:sign",
        "publish:refresh",
        "fetch:fetch",
        "fleet:fleet",
        "ledger:ledger",
        "demands:demands",
        "keys:keys",
    )
}


@cache
def _loaded(name: str) -> Any:
    """Import a command or a group of commands. All of them together take longer than most commands run."""
    with no_garbage_collection():
        command = resolve_name(_COMMANDS[name])
    around = typer.Typer(rich_markup_mode=None)
    if isinstance(command, typer.Typer):
        around.add_typer(command, name=name)
    else:
        around.command(name)(command)
    return get_group(around).commands[name]


class _Group(TyperGroup):
    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands.update({name: TyperCommand(name) for name in _COMMANDS})  # for lists of names and suggestions

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = error.message.removeprefix("Value error, ")  # typer converts options with pydantic
            raise

    def get_command(self, _: Any, cmd_name: str) -> Any:
        return _loaded(cmd_name) if cmd_name in _COMMANDS else None


app = typer.Typer(
    cls=_Group,
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
