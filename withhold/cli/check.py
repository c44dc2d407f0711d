"""`withhold check`: decide whether a viewer may see a tweet or an account."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from withhold.cli import location_options, options
from withhold.cli.exit_codes import ExitCode
from withhold.cli.output import show
from withhold.cli.render import Format
from withhold.cli.results import CheckResult
from withhold.engine import Engine, Reference
from withhold.location import Anonymised


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
    unknown_location: options.UnknownLocation = None,
    author_sees_own: options.AuthorSeesOwn = None,
    anywhere: Annotated[
        bool, typer.Option("--anywhere", help="Decide for all viewers at once, as before a push notification.")
    ] = False,
    reference: Annotated[
        bool, typer.Option("--reference", help="Use the reference implementation, which reads every rule.")
    ] = False,
    root: options.Root = None,
    no_config: options.NoConfig = False,
    form: Annotated[Format, options.formats()] = Format.TEXT,
) -> None:
    """Print whether a viewer may see a tweet or an account. Exits with 3 if it is withheld or suspended."""
    subject = options.subject_of(tweet, account, form)
    if anywhere and (country or subdivision or ip or geoip or anonymous or viewer):
        raise typer.BadParameter(
            "it decides for all viewers: omit the options that describe one", param_hint="'--anywhere'"
        )
    databases = location_options.Databases(
        geoip=geoip,
        anonymous=anonymous,
        ip_versions=ip_version,
        country_path=country_path,
        anonymised=anonymised,
    )
    looking = options.viewer_of(country, subdivision, ip, databases, viewer, form)
    instant = options.instant_of(at) or datetime.now(UTC)
    configuration = options.configuration_of(rules, form, no_config=no_config)
    policy = options.policy_of(configuration, unknown_location, author_sees_own)
    loaded = options.load_snapshot(rules, root or configuration.root, form)
    checker: Reference | Engine = Reference(loaded.rules, policy) if reference else Engine(loaded, policy)
    decision = checker.anywhere(subject, instant) if anywhere else checker.check(subject, looking, instant)
    show(CheckResult(subject, instant, None if anywhere else looking, decision), form)
    raise typer.Exit(ExitCode.FINE if decision.visible else ExitCode.WITHHELD)
