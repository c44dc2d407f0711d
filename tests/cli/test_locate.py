"""`withhold locate`: an address or a replayed request, and the reasons."""

from __future__ import annotations

import json
from importlib.resources import as_file, files

import pytest
from typer.testing import CliRunner

from tests.location.mmdb_files import write
from withhold.cli.app import app


@pytest.fixture(scope="module")
def database():
    with as_file(files("withhold.cli") / "demo_data" / "demo.mmdb") as path:
        yield str(path)


def run(*arguments):
    return CliRunner().invoke(app, ["locate", *arguments])


def replayed(database, *more):
    return run("--peer", "10.0.0.5", "--trust", "10.0.0.0/8", "--geoip", database, *more)


def test_an_address_and_why(database):
    found = run("192.0.2.17", "--geoip", database)
    assert found.exit_code == 0
    assert found.output.startswith("IN, IN-DL (within 192.0.2.0/24 of demo.mmdb)")
    answer = json.loads(run("192.0.2.17", "--geoip", database, "--format", "json").output)
    assert (answer["country"], answer["subdivisions"], answer["state"]) == ("IN", ["IN-DL"], "known")
    assert answer["viewer"]["country"] == "IN"


@pytest.mark.parametrize("address", ["134744072", "010.8.8.8", "10.0.0.1", "fe80::1%lo", "2001:0:5102:458e::1"])
def test_what_is_not_known_is_unknown_and_says_why(database, address):
    found = run(address, "--geoip", database)
    assert found.exit_code == 0
    assert found.output.startswith("unknown location (")


def test_a_request_replayed_shows_what_won_and_what_disagreed(database):
    headers = ["--header", "X-Forwarded-For: 1.1.1.1, 192.0.2.17", "--header", "CF-IPCountry: SE"]
    found = replayed(database, "--cdn", "cloudflare", *headers)
    assert found.exit_code == 0
    assert "address: 192.0.2.17 (x-forwarded-for names an address in 192.0.2.0/24)" in found.output
    assert "cdn: SE (cf-ipcountry is `SE`) ← won" in found.output
    assert "geoip: IN, IN-DL (within 192.0.2.0/24 of demo.mmdb) ← disagrees" in found.output
    answer = json.loads(replayed(database, "--cdn", "cloudflare", *headers, "--format", "json").output)
    assert (answer["winner"], answer["disagreed"], answer["address"]) == ("cdn", ["geoip"], "192.0.2.17")


def test_headers_of_a_stranger_count_for_nothing(database):
    found = run("--peer", "192.0.2.17", "--geoip", database, "--header", "X-Forwarded-For: 198.51.100.1")
    assert found.output.startswith("IN, IN-DL")


def test_another_header_may_name_the_client(database):
    more = ["--client-header", "forwarded", "--header", 'Forwarded: for="[2001:db8:91::7]"']
    assert replayed(database, *more).output.startswith("IN, IN-MH")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give an address, or the peer of a request"),
        (["192.0.2.1", "--peer", "192.0.2.1"], "give an address, or the peer of a request"),
        (["192.0.2.1", "--header", "a: b"], "headers belong to a request"),
        (["--peer", "10.0.0.5", "--trust", "0.0.0.0/0"], "trusts-everyone"),
        (["--peer", "10.0.0.5", "--trust", "10.0.0.1/8"], "host-bits"),
        (["--peer", "10.0.0.5", "--trust", "10.0.0.0/8", "--cdn", "none"], "unknown CDN `none`"),
        (["--peer", "10.0.0.5", "--cdn", "cloudflare"], "untrusted-cdn"),
        (["--peer", "10.0.0.5", "--header", "no colon"], "write it like"),
    ],
)
def test_what_is_not_understood_exits_with_2(database, arguments, message):
    found = run(*arguments, "--geoip", database)
    assert found.exit_code == 2
    assert message in " ".join(found.stderr.split())


def test_a_database_is_needed(tmp_path):
    assert run("192.0.2.1").exit_code == 2
    broken = tmp_path / "geo.mmdb"
    broken.write_bytes(b"nothing")
    found = run("192.0.2.1", "--geoip", str(broken))
    assert found.exit_code == 1
    assert "`geo.mmdb`" in found.stderr


GB: dict[str, object] = {"8.8.8.0/24": {"country": {"code": "GB"}}, "2001:db8::/32": {"country": {"code": "GB"}}}
V4: dict[str, object] = {"8.8.8.0/24": {"country_code": "GB"}}
TOR: dict[str, object] = {"8.8.8.8/32": {"tor": "1"}, "2001:db8::/32": {}}


def asked(*arguments):
    return CliRunner().invoke(app, [*arguments])


@pytest.fixture
def commands(tmp_path):
    """Three ways to locate an address."""
    rules = tmp_path / "r.yaml"
    rules.write_text("rules: [{id: a-1, accounts: [1101], withheld_in: GB, reason: legal_demand}]")
    return [
        ("locate", "8.8.8.8"),
        ("check", str(rules), "--account", "1101", "--ip", "8.8.8.8"),
        ("explain", str(rules), "--account", "1101", "--ip", "8.8.8.8"),
    ]


@pytest.mark.parametrize(
    ("networks", "ip_version", "options"),
    [(GB, 6, "--country-path country.code"), (V4, 4, "--ip-version 4")],
)
def test_d10_the_options_that_an_error_advises_are_there(tmp_path, commands, networks, ip_version, options):
    database = str(write(tmp_path / "own.mmdb", networks, kind="own", ip_version=ip_version))
    for command in commands:
        refused = asked(*command, "--geoip", database)
        assert refused.exit_code == 1
        message = " ".join(refused.stderr.split())
        assert f"`{options}`" in message
        assert "ip_versions" not in message
        assert "country_path" not in message
        found = asked(*command, "--geoip", database, *options.split())
        assert found.exit_code == (3 if command[0] == "check" else 0)
        assert "GB" in found.stdout


def test_d10_other_schemas_name_the_option_as_well(tmp_path, commands):
    database = str(write(tmp_path / "own.mmdb", {net: {"where": "here"} for net in GB}, kind="own"))
    for command in commands:
        assert "`--country-path`" in " ".join(asked(*command, "--geoip", database).stderr.split())


def test_d10_anonymous_databases_are_read_by_every_command(tmp_path, commands):
    geoip = str(write(tmp_path / "geo.mmdb", {net: {"country_code": "gb"} for net in GB}, kind="own"))
    anonymous = str(write(tmp_path / "privacy.mmdb", TOR, kind="own"))
    for command in commands:
        hidden = asked(*command, "--geoip", geoip, "--anonymous", anonymous)
        assert "unknown location" in hidden.stdout
        assert "Tor exit according to privacy.mmdb" in hidden.stdout
        located = asked(*command, "--geoip", geoip, "--anonymous", anonymous, "--anonymised", "located")
        assert "GB" in located.stdout
        assert "not checked" in asked(*command, "--geoip", geoip).output


def test_whether_anonymity_was_checked_is_stated_in_json_too(tmp_path):
    geoip = str(write(tmp_path / "geo.mmdb", {net: {"country_code": "gb"} for net in GB}, kind="own"))
    anonymous = str(write(tmp_path / "privacy.mmdb", TOR, kind="own"))
    for arguments in (("8.8.8.9",), ("--peer", "8.8.8.9")):
        answers = [
            json.loads(asked("locate", *arguments, "--geoip", geoip, "--format", "json", *more).stdout)
            for more in ((), ("--anonymous", anonymous))
        ]
        found = [answer["signals"][0] if "signals" in answer else answer for answer in answers]
        assert [one["anonymity_database"] for one in found] == [None, "privacy.mmdb"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--ip-version", "5"], "it is `4` or `6`"),
        (["--country-path", "a..b"], "write it like `country.code`"),
        (["--country-path", ""], "write it like `country.code`"),
    ],
)
def test_d10_options_that_make_no_sense_exit_with_2(database, commands, options, message):
    for command in commands:
        found = asked(*command, "--geoip", database, *options)
        assert found.exit_code == 2
        assert message in " ".join(found.stderr.split())
        assert asked(*command, *options).exit_code == 2


def test_d10_the_peers_of_a_cdn_are_named_by_an_option(database):
    found = run("--peer", "10.0.0.5", "--cdn", "cloudflare", "--geoip", database)
    assert "list the peers that belong to the CDN in `--trust`" in " ".join(found.stderr.replace("│", " ").split())


def test_d11_what_was_typed_is_shown_to_those_who_typed_it(database):
    answer = json.loads(run("192.0.2.17", "--geoip", database, "--format", "json").stdout)
    assert answer["network"] == "192.0.2.0/25"
    assert "192.0.2.17" not in json.dumps(answer)
    assert "address: 192.0.2.17 (" in replayed(database, "--header", "X-Forwarded-For: 192.0.2.17").stdout
