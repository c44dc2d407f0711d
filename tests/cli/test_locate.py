"""`withhold locate`: an address, or a request replayed, and the reasons."""

from __future__ import annotations

import json
from importlib.resources import as_file, files

import pytest
from typer.testing import CliRunner

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
    assert found.output.startswith("IN, IN-DL (192.0.2.17 in 192.0.2.0/25 of demo.mmdb)")
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
    assert "address: 192.0.2.17 (x-forwarded-for names 192.0.2.17)" in found.output
    assert "cdn: SE (cf-ipcountry is `SE`) ← won" in found.output
    assert "geoip: IN, IN-DL (192.0.2.17 in 192.0.2.0/25 of demo.mmdb) ← disagrees" in found.output
    answer = json.loads(replayed(database, "--cdn", "cloudflare", *headers, "--format", "json").output)
    assert (answer["winner"], answer["disagreed"], answer["address"]) == ("cdn", ["geoip"], "192.0.2.17")


def test_headers_of_a_stranger_count_for_nothing(database):
    found = run("--peer", "192.0.2.17", "--geoip", database, "--header", "X-Forwarded-For: 198.51.100.1")
    assert found.output.startswith("IN, IN-DL")


def test_another_header_may_name_the_client(database):
    more = ["--client-header", "forwarded", "--header", 'Forwarded: for="[2001:db8:91::7]"']
    assert replayed(database, *more).output.startswith("IN, IN-MH")


@pytest.mark.parametrize(
    ("arguments", "said"),
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
def test_what_is_not_understood_exits_with_2(database, arguments, said):
    found = run(*arguments, "--geoip", database)
    assert found.exit_code == 2
    assert said in " ".join(found.stderr.split())


def test_a_database_is_needed(tmp_path):
    assert run("192.0.2.1").exit_code == 2
    broken = tmp_path / "geo.mmdb"
    broken.write_bytes(b"nothing")
    found = run("192.0.2.1", "--geoip", str(broken))
    assert found.exit_code == 1
    assert "`geo.mmdb`" in found.stderr
