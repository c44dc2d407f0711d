"""`withhold publish`, `sign` and `refresh`: sign rules, and upload them for a fleet of hosts."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from withhold.cli import options
from withhold.cli.compile import known_protection
from withhold.cli.exit_codes import ExitCode
from withhold.cli.live_options import (
    FAILURES,
    Keep,
    Keys,
    Name,
    StoreUrl,
    Trust,
    Yes,
    confirm,
    difference,
    on_signals,
    read_signers,
    read_trust,
    reported,
    seconds_of,
)
from withhold.cli.output import err, print_problems, refuse, show
from withhold.cli.render import Format
from withhold.cli.results import DiffResult, LintResult, RecordedResult, Refusal
from withhold.errors import CaseError, LiveError, Problem, RuleSetError, escaped_path, in_order, quoted
from withhold.lint import lint as advise
from withhold.model import RuleSet
from withhold.model.instants import in_iso
from withhold.snapshot import Snapshot
from withhold.testing.running import Runner, summary
from withhold.testing.suite import Library, read_all

if TYPE_CHECKING:
    from securesystemslib.signer import Signer

    from withhold.live import Published, Publisher

_Format = Annotated[Format, options.formats()]


def publish(
    to: StoreUrl,
    trust: Trust,
    rules: Annotated[
        Path | None,
        typer.Argument(metavar="[RULES]", help="A rule file, a directory of rule files, or a snapshot.", exists=True),
    ] = None,
    key: Keys = None,
    name: Name = "rules",
    add: Annotated[
        Path | None,
        typer.Option(
            "--add", metavar="FILE", help="Instead of RULES: add the rules of a file to what is live.", exists=True
        ),
    ] = None,
    rollback: Annotated[
        str | None,
        typer.Option("--rollback", metavar="REVISION", help="Instead of RULES: publish an earlier revision again."),
    ] = None,
    act_by: Annotated[
        str | None,
        typer.Option("--act-by", metavar="INSTANT", help="When every host must answer by these rules."),
    ] = None,
    may_shrink: Annotated[
        bool, typer.Option("--may-shrink", help="Allow more than a tenth of the rules or ids to be lost.")
    ] = False,
    require_tests: Annotated[
        bool,
        typer.Option("--require-tests", help="Refuse RULES unless all case files beside and below them pass."),
    ] = False,
    keep: Keep = 20,
    yes: Yes = False,
    root: options.Root = None,
    no_config: options.NoConfig = False,
    form: _Format = Format.TEXT,
) -> None:
    """Publish rules to a store, signed, after showing what changes for viewers.

    If more persons must sign, this writes a pending version, and prints its name for `withhold sign`. Exits with 4 if the
    rules or the store are refused, and with 1 if advice is an error, a case fails, or somebody else has published in the meantime.
    """
    if sum(given is not None for given in (rules, add, rollback)) != 1:
        raise typer.BadParameter("give one of RULES, --add and --rollback")
    if require_tests and rules is None:
        raise typer.BadParameter("it requires RULES", param_hint="'--require-tests'")
    due = options.instant_of(act_by, "--act-by")
    with reported(form):
        from withhold.live import Publisher

        publisher = Publisher(to, read_trust(trust), name=name)
        signers = read_signers(key)
        live = publisher.live()
        before = publisher.snapshot(live)
        if rollback is not None:
            after = publisher.rollback_to(rollback)
        elif add is not None:
            after = _added(before, _checked(add, root, form, no_config=no_config), add, form)
        else:
            assert rules is not None  # noqa: S101
            after = _checked(rules, root, form, no_config=no_config, tested=require_tests)
        change = _ask(difference(live, name, before, after), due, form, may_shrink=may_shrink, yes=yes)
        done = publisher.publish(after, signers, based_on=live.version, act_by=due, may_shrink=may_shrink, keep=keep)
        show(_result(done, change, name, may_shrink=may_shrink), form)


def sign(
    pending: Annotated[str, typer.Argument(metavar="PENDING", help="The name of a pending version.")],
    to: StoreUrl,
    trust: Trust,
    key: Keys = None,
    name: Name = "rules",
    keep: Keep = 20,
    yes: Yes = False,
    form: _Format = Format.TEXT,
) -> None:
    """Show what a pending version changes, and add the signature of a further person. The last signature publishes it.

    Exits with 1 if something else has been published since, and with 4 if the version is refused.
    """
    with reported(form):
        from withhold.live import Publisher

        publisher = Publisher(to, read_trust(trust), name=name)
        signers = read_signers(key)
        draft = publisher.pending(pending)
        live, release = publisher.live(), draft.release
        change = difference(live, name, publisher.snapshot(live), draft.snapshot)
        may_shrink = release.may_shrink == draft.metadata.signed.version
        change_to_show = _ask(change, release.act_by, form, may_shrink=may_shrink, yes=yes)
        before = set(draft.metadata.signatures)
        done = publisher.sign(draft, signers, keep=keep)
        if done.pending is not None and set(draft.metadata.signatures) == before:
            err().print("the given keys have already signed this version; another person must sign it", style="yellow")
        show(_result(done, change_to_show, name, may_shrink=may_shrink), form)


def refresh(
    to: StoreUrl,
    trust: Trust,
    key: Keys = None,
    every: Annotated[
        str | None, typer.Option("--every", metavar="INTERVAL", help="Go on, at this interval, such as 5m.")
    ] = None,
    form: _Format = Format.TEXT,
) -> None:
    """Sign again that the published rules are the newest ones. Needs the online key.

    Hosts are stale an hour after the last signature. With --every, go on until a signal ends it.
    """
    interval = None if every is None else seconds_of(every)
    with reported(form):
        from withhold.live import Publisher

        publisher = Publisher(to, read_trust(trust))
        signers = read_signers(key)
        ended, begun = threading.Event(), False
        if interval is not None:
            on_signals(ended.set)
        while not ended.is_set():
            try:
                _refresh(publisher, signers, form)
                begun = True
            except LiveError as error:
                if interval is None or not (begun or error.code in FAILURES):
                    raise
                err().print(str(error), style="red")  # the next attempt may succeed
            if interval is None:
                return
            ended.wait(interval)


def _refresh(publisher: Publisher, signers: list[Signer], form: Format) -> None:
    until = in_iso(publisher.refresh(signers))
    show(RecordedResult({"valid_until": until}, f"signed; valid until {until}"), form)
    for warning in publisher.warnings():
        err().print(f"warning: {warning}", style="yellow")


def _ask(change: DiffResult, due: datetime | None, form: Format, *, may_shrink: bool, yes: bool) -> DiffResult | None:
    """Show what is to be signed, and ask whether to go on. Return the difference if it is still to be shown with the result."""
    if not yes:
        show(change, Format.TEXT, err())
    if due is not None:
        passed = ", which has passed" if due <= datetime.now(UTC) else ""
        err().print(f"every host must answer by these rules by {in_iso(due)}{passed}", style="yellow")
    if may_shrink:
        err().print("hosts accept that more than a tenth of the rules or ids are lost", style="yellow")
    if yes:
        return change
    confirm("publish this?")
    return None if form is Format.TEXT else change


def _result(done: Published, change: DiffResult | None, name: str, *, may_shrink: bool) -> RecordedResult:
    release = done.release
    values = {
        "version": done.version,
        "pending": done.pending,
        "signatures": done.signatures,
        "threshold": done.threshold,
        "revision": release.revision,
        "rules": release.rules,
        "accounts": release.accounts,
        "tweets": release.tweets,
        "act_by": None if release.act_by is None else in_iso(release.act_by),
        "may_shrink": may_shrink,
    }
    if done.pending is None:
        text = f"published version {done.version}: {release}"
    else:
        missing = done.threshold - done.signatures
        persons = "one more person" if missing == 1 else f"{missing} more persons"
        has = f"version {done.version} has {done.signatures} of {done.threshold} signatures"
        named = "" if name == "rules" else f" --name {name}"
        text = f"{has}: before hosts can use it, {persons} must run `withhold sign {done.pending}{named}`"
    return RecordedResult(values, text, change)


def _added(before: Snapshot | None, more: Snapshot, add: Path, form: Format) -> Snapshot:
    """Return what is live, with the rules of a file added."""
    if before is None:
        raise typer.BadParameter("no rules are live; give RULES", param_hint="'--add'")
    live = {rule.id for rule in before.rules}
    hint = "choose another id, or publish RULES to change the rule"
    repeated = [
        Problem("repeated-rule-id", f"a rule {quoted(rule.id)} is live already", rule.place, hint=hint)
        for rule in more.rules
        if rule.id in live
    ]
    if repeated:
        raise refuse(Refusal(RuleSetError(repeated), add), form)
    return Snapshot.compile(RuleSet([*before.rules, *more.rules]), protected=before.protected)


def _checked(rules: Path, root: Path | None, form: Format, *, no_config: bool, tested: bool = False) -> Snapshot:
    """Return the snapshot of rules that pass the gates. Exit with a failure if they do not."""
    configuration = options.configuration_of(rules, form, no_config=no_config)
    root = root or configuration.root
    loaded = options.load_rules(rules, root, form)
    guard = known_protection(rules, root, configuration, form)
    advice, _ = configuration.applied(advise(loaded, options.protected_accounts(rules, root, configuration)))
    linted = LintResult(rules, loaded, guard, in_order(advice), configuration.fail_on)
    if not linted.fine:
        print_problems(linted.problems)
        err().print("nothing was published: run `withhold lint`", style="red")
        raise typer.Exit(ExitCode.FAILURE)
    if tested:
        _run_cases(rules, root, loaded, form)
    return Snapshot.compile(loaded, protected=guard.compiled or guard.here)


def _run_cases(rules: Path, root: Path | None, loaded: RuleSet, form: Format) -> None:
    """Run the case files beside and below rules. Exit with a failure unless some test these rules, and all pass."""
    library = Library(root)
    try:
        files = read_all([rules if rules.is_dir() else rules.parent], library)
    except CaseError as error:
        raise refuse(Refusal(error, rules), form) from None
    of_these = [file for file in files if file.rules.revision == loaded.revision and file.cases]
    failed = [result for file in files for result in Runner(file, library.engine(file)).run_all() if not result.passed]
    for result in failed:
        err().print(
            f"{escaped_path(result.file.path)}: {quoted(result.case.it)} failed: {summary(result)}", style="red"
        )
    if failed or not of_these:
        reason = "a case fails" if failed else f"no case file tests the rules in {escaped_path(rules)}"
        err().print(f"nothing was published: {reason}; run `withhold test`", style="red")
        raise typer.Exit(ExitCode.FAILURE)
