"""A configuration never hides a problem: every finding is listed or counted, and those of loading cannot be silenced."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cli.test_configuration import FILES, run, there
from tests.sources.writing import write
from withhold.cli.configuration import read_configuration
from withhold.errors import Place, Problem
from withhold.lint import CHECKS, lint
from withhold.model import RuleSet

__all__ = ["there"]

_severities = st.dictionaries(
    st.sampled_from([check.code for check in CHECKS if check.code != "protected-account"]),
    st.sampled_from(("error", "warning", "note")),
    max_size=4,
)
_ignored = st.dictionaries(
    st.sampled_from((".", "rules", "rules/in.yaml", "rules/archive")),
    st.lists(st.sampled_from([check.code for check in CHECKS if check.code != "protected-account"]), max_size=4),
    max_size=3,
)


@given(_severities, _ignored)
def test_every_finding_is_either_listed_or_suppressed(
    tmp_path_factory: pytest.TempPathFactory, severity: dict[str, str], ignore: dict[str, list[str]]
) -> None:
    folder = tmp_path_factory.getbasetemp() / "configured"
    text = f"severity = {_toml(severity)}\nignore = {_toml(ignore)}\n"
    write(folder, {**FILES, ".git/HEAD": "", "withhold.toml": text})
    found = lint(RuleSet.load(folder / "rules"))
    kept, suppressed = read_configuration(folder / "rules").applied(found)
    assert sorted(map(_identity, [*kept, *suppressed])) == sorted(map(_identity, found))
    for each in (*kept, *suppressed):
        file = Path(each.place.file).relative_to(folder) if isinstance(each.place, Place) else Path()
        expected = any(each.code in codes and file.is_relative_to(path) for path, codes in ignore.items())
        assert (each in suppressed) == expected
        assert each.severity == severity.get(
            each.code, next(of for of in found if _identity(of) == _identity(each)).severity
        )


def _identity(problem: Problem) -> tuple[str, str, str]:
    return problem.code, str(problem.place), problem.message


@pytest.mark.parametrize("form", ["text", "json", "sarif"])
def test_no_configuration_hides_a_problem_that_loading_raises(there: Path, form: str) -> None:
    """Not even one that ignores and lowers everything."""
    broken = FILES["rules/in.yaml"].replace("IN\n", "DR\n", 1).replace("in-1", "in-9").replace("17", "0")
    write(there, {"rules/archive/broken.yaml": broken, "rules/uk.yaml": FILES["rules/in.yaml"].replace("in-1", "uk-1")})
    codes = [check.code for check in CHECKS if check.code != "protected-account"]
    settings = {"fail-on": "error", "severity": dict.fromkeys(codes, "note"), "ignore": {".": codes}}
    write(there, {"withhold.toml": "\n".join(f"{key} = {_toml(value)}" for key, value in settings.items())})
    found, bare = run("lint", "rules", "--format", form), run("lint", "rules", "--format", form, "--no-config")
    assert (found.exit_code, bare.exit_code) == (4, 4)
    assert found.stdout == bare.stdout
    (there / "rules" / "archive" / "broken.yaml").unlink()
    write(there, {"rules/uk.yaml": FILES["rules/in.yaml"].replace("in-1", "uk-1").replace("IN\n", "UK\n", 1)})
    found = run("lint", "rules", "--format", form)
    assert (found.exit_code, "territory-alias" in found.stdout) == (0, True), "a warning of the loader"
    assert run("lint", "rules", "--fail-on", "warning").exit_code == 1


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_toml(inner)}" for key, inner in value.items()) + "}"
    return json.dumps(value)
