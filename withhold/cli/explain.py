"""`withhold explain`: explain why a tweet or an account is visible or hidden."""

from __future__ import annotations

from typing import Annotated

from withhold.cli import location_options, options
from withhold.cli.output import show
from withhold.cli.render import Format
from withhold.engine import Engine
from withhold.location import Anonymised
from withhold.sources.mentions import Mentions


def explain(
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
    root: options.Root = None,
    no_config: options.NoConfig = False,
    form: Annotated[Format, options.formats()] = Format.TEXT,
) -> None:
    """List every rule that concerns a tweet or an account, with its state and the lines of files that name the id."""
    subject = options.subject_of(tweet, account, form)
    databases = location_options.Databases(
        geoip=geoip,
        anonymous=anonymous,
        ip_versions=ip_version,
        country_path=country_path,
        anonymised=anonymised,
    )
    looking = options.viewer_of(country, subdivision, ip, databases, viewer, form)
    instant = options.instant_of(at)
    configuration = options.configuration_of(rules, form, no_config=no_config)
    policy = options.policy_of(configuration, unknown_location, author_sees_own)
    mentions = Mentions(tweet=subject[0], account=subject[1])
    engine = Engine(options.load_snapshot(rules, root or configuration.root, form, mentions), policy)
    show(engine.explain(subject, looking, instant).with_places(mentions.of), form)
