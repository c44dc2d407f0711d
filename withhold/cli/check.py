"""`withhold check`: may this viewer see this?"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.text import Text

from withhold.cli import location_options, options
from withhold.cli.exit_codes import ExitCode
from withhold.cli.output import Format, out, outcome_text, print_json
from withhold.engine import Engine, Reference
from withhold.engine.checker import Checker
from withhold.engine.explain import subject_values
from withhold.errors import escaped
from withhold.location import Anonymised
from withhold.model import Decision, Policy, Settle
from withhold.model.instants import in_iso
from withhold.model.viewer import spoken_of


def check(
    rules: options.Rules,
    tweet: options.TweetId = None,
    account: options.AccountId = None,
    country: options.Country = None,
    subdivision: options.Subdivisions = None,
    ip: options.Address = None,
    geoip: location_options.Database = None,
    anonymous: location_options.Anonymous = None,
    ip_version: location_options.IPVersions = None,
    country_path: location_options.CountryPath = None,
    anonymised: location_options.AnonymisedAs = Anonymised.UNKNOWN,
    viewer: options.ViewerId = None,
    at: options.At = None,
    unknown_location: options.UnknownLocation = Settle.SHOW,
    author_sees_own: options.AuthorSeesOwn = False,
    anywhere: Annotated[bool, typer.Option("--anywhere", help="Ask for whoever may get it, as before a push.")] = False,
    reference: Annotated[
        bool, typer.Option("--reference", help="Ask the definition of correct, which reads every rule.")
    ] = False,
    root: options.Root = None,
    form: options.Form = Format.TEXT,
) -> None:
    """Say whether a viewer may see a tweet or an account. Exits with 3 if it is withheld or suspended."""
    subject = options.subject_of(tweet, account, form)
    if anywhere and (country or subdivision or ip or geoip or anonymous or viewer):
        raise typer.BadParameter("it asks for whoever may get it, so it takes no viewer", param_hint="'--anywhere'")
    databases = location_options.Databases(geoip, anonymous, ip_version, country_path, anonymised)
    looking = options.viewer_of(country, subdivision, ip, databases, viewer, form)
    instant = options.instant_of(at) or datetime.now(UTC)
    policy = Policy(unknown_location=unknown_location, author_sees_own=author_sees_own)
    loaded = options.load_snapshot(rules, root, form)
    checker: Checker = Reference(loaded.rules, policy) if reference else Engine(loaded, policy)
    decision = checker.anywhere(subject, instant) if anywhere else checker.check(subject, looking, instant)
    if form is Format.JSON:
        print_json(
            {
                "subject": subject_values([subject]),
                "at": in_iso(instant),
                "viewer": None if anywhere else looking.to_dict(),
                "decision": decision.to_dict(),
            }
        )
    else:
        out.print(_line(decision, "anybody" if anywhere else spoken_of(looking)))
    raise typer.Exit(ExitCode.FINE if decision.visible else ExitCode.WITHHELD)


def _line(decision: Decision, who: str) -> Text:
    said = [f" for {who}"]
    if decision.rule_id:
        demand = f", demand {escaped(decision.demand)}" if decision.demand else ""
        said.append(
            f"by rule {escaped(decision.rule_id)} on the {decision.scope} ({str(decision.reason).replace('_', ' ')}{demand})"
        )
    if decision.exempt:
        said.append("shown all the same, for the viewer is the author")
    if decision.territories:
        said.append(f"withheld in {decision.territories}")
    if not decision.certain:
        said.append("uncertain: a better known location could change the answer")
    if decision.valid_until:
        said.append(f"holds until {in_iso(decision.valid_until)}")
    return outcome_text(decision.outcome) + Text("; ".join(said))
