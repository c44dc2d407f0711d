"""The demo prints what it announces, and its data are the output of its script."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from importlib.resources import as_file, files

import maxminddb
import pytest
from typer.testing import CliRunner

from tests import demo_data
from withhold import RuleSet
from withhold.cli.app import app
from withhold.cli.demo import _targets


@pytest.fixture(scope="module")
def shown():
    found = CliRunner().invoke(app, ["demo"])
    assert found.exit_code == 0
    return found.output


def test_every_instant_shows_every_viewer_and_target(shown):
    rows = re.findall(r"^ (IN|US|PK|unknown) +(.*)$", shown, re.MULTILINE)
    cells = {(number // 4, place): row.split() for number, (place, row) in enumerate(rows)}
    assert len(rows) == 5 * 4
    assert cells[0, "IN"] == ["visible"] * 6
    assert cells[1, "IN"] == ["WITHHELD"] * 4 + ["visible"] * 2
    assert cells[2, "IN"] == ["visible"] * 6
    assert cells[3, "PK"] == ["visible"] * 5 + ["SUSPENDED"]
    assert cells[4, "IN"] == ["visible"] * 2 + ["WITHHELD"] * 3 + ["SUSPENDED"]
    assert cells[4, "US"] == cells[4, "unknown"] == ["visible"] * 5 + ["SUSPENDED"]


def test_it_explains_counts_and_times(shown):
    assert "is WITHHELD for a viewer in Delhi (IN-DL), India (IN)" in shown
    assert re.search(r"IN-D1 +256 +37 +199 +20", shown)
    assert re.search(r"IN-D2 +1,178 +0 +688 +490", shown)
    assert len(re.findall(r"\d+ µs, \d+ ns a tweet", shown)) == 2


def test_its_columns_are_the_targets_they_claim():
    """The lists contain the categories beside the ids."""
    with as_file(files("withhold.cli") / "demo_data" / "rules") as folder:
        targets = _targets(RuleSet.load(folder))
        lines = list(csv.DictReader((folder / "targets" / "in-d1.csv").read_text(encoding="utf-8").splitlines()))
        later = list(csv.DictReader((folder / "targets" / "in-d2.csv").read_text(encoding="utf-8").splitlines()))
    category = {(line["kind"], int(line["id"])): line["category"] for line in lines}
    assert category["account", targets["news media"]] == "news_media"
    assert category["account", targets["activist"]] == "activist"
    assert category["account", targets["account"]] == category["tweet", targets["tweet"]] == ""
    assert str(targets["account 2"]) in {line["id"] for line in later}
    assert ("account", targets["account 3"]) not in category


def test_it_needs_no_network():
    code = (
        "import socket\n"
        "def refuse(*a, **k): raise OSError('no network')\n"
        "socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse\n"
        "from withhold.cli import main; main()"
    )
    found = subprocess.run([sys.executable, "-c", code, "demo"], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    assert "SUSPENDED" in found.stdout


def test_what_is_shipped_is_what_the_script_writes(tmp_path):
    demo_data.write(tmp_path)
    with as_file(files("withhold.cli") / "demo_data") as shipped:
        for name in demo_data.lists():
            written = (tmp_path / "rules" / "targets" / name).read_bytes()
            assert (shipped / "rules" / "targets" / name).read_bytes() == written
        databases = [maxminddb.open_database(folder / "demo.mmdb") for folder in (shipped, tmp_path)]
        assert len(list(databases[0])) == len(demo_data.NETWORKS)
        assert list(databases[0]) == list(databases[1])
        for database in databases:
            database.close()
