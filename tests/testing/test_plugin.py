"""The pytest plugin, in separate sessions.

Most run in this process, because starting Python and pytest takes longer.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.testing.material import CASE, FINE, RULES

pytest_plugins = ("pytester",)

FAILING = FINE + CASE.replace("withholds it", "shows it").replace("IN: withheld", "IN: visible")

#: The plugin is already imported before the session begins, unless the session has its own process.
HERE = ("-W", "ignore::pytest.PytestAssertRewriteWarning")


@pytest.fixture
def session(pytester):
    """Write rules and cases, and run pytest on them."""

    def run(*arguments, elsewhere=False, **files):
        (pytester.path / "rules.yaml").write_text(RULES, encoding="utf-8")
        for name, text in files.items():
            (pytester.path / f"{name}.cases.yaml").write_text(text, encoding="utf-8")
        start = pytester.runpytest_subprocess if elsewhere else pytester.runpytest_inprocess
        return start("-W", "error", *HERE, "-p", "no:cacheprovider", *arguments)

    return run


@pytest.mark.parametrize("elsewhere", [False, True])
def test_every_case_is_an_item(session, elsewhere):
    found = session("-v", elsewhere=elsewhere, all=FAILING)
    found.assert_outcomes(passed=1, failed=1)
    found.stdout.fnmatch_lines(["all.cases.yaml::withholds it PASSED*", "all.cases.yaml::shows it FAILED*"])


def test_a_failure_says_where_what_and_why_without_a_traceback(session):
    text = session(all=FAILING).stdout.str()
    assert "all.cases.yaml:7:5: shows it" in text
    assert "  IN  expected visible, got withheld by rule in-1" in text
    assert "  US  visible as expected" in text
    assert "- in-1: APPLIES, in force, and the viewer is in its territory" in text
    assert "read from rules.yaml:2:5" in text
    assert "Traceback" not in text
    assert "pytest_plugin.py" not in text


def test_the_summary_says_what_came_and_not_again_where_the_case_stands(session, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    for ci in ("", "1"):
        monkeypatch.setenv("CI", ci)
        (line,) = [line for line in session(all=FAILING).stdout.lines if line.startswith("FAILED")]
        assert line == "FAILED all.cases.yaml::shows it - IN: expected visible, got withheld"
    assert "all.cases.yaml:7:5: IN: expected visible, got withheld" in session("--tb=line", all=FAILING).stdout.lines


def test_one_case_can_be_chosen(session):
    session("all.cases.yaml::withholds it", all=FAILING).assert_outcomes(passed=1)
    session("-k", "shows", all=FAILING).assert_outcomes(failed=1, deselected=1)


def test_each_subject_of_a_case_is_an_item(session):
    text = FINE.replace("account: 17", "accounts: [17, 18]\n    tweets: [20]")
    names = [f"all.cases.yaml::withholds it [{subject}]" for subject in ("account 17", "account 18", "tweet 20")]
    assert session("--collect-only", "-q", all=text).stdout.lines[:3] == names
    session(names[0], all=text).assert_outcomes(passed=1)
    session(all=text).assert_outcomes(passed=1, failed=2)


def test_a_case_that_says_colons_can_be_chosen_by_the_name_that_is_printed(session):
    text = FINE.replace("withholds it", '"hides 17 from 2001:db8::1, :::: and [::]"')
    printed = session("--collect-only", "-q", all=text).stdout.lines[0]
    assert printed == "all.cases.yaml::hides 17 from 2001:db8: :1, : : : : and [: :]"
    session(printed, all=text).assert_outcomes(passed=1)


def test_a_broken_file_fails_at_collection_and_the_others_run(session):
    found = session("--continue-on-collection-errors", all=FINE, broken=FINE.replace("17", "x"))
    found.assert_outcomes(passed=1, errors=1)
    text = found.stdout.str()
    assert "broken.cases.yaml:4:14: account `x` is not a number [bad-id]; ids are decimal digits" in text
    assert "Traceback" not in text


def test_what_was_read_otherwise_than_it_was_written_is_warned_of(session, pytester):
    """Each warning is issued once, however many files and tests use the rules.

    If warnings are errors, collection fails.
    """
    (pytester.path / "uk.yaml").write_text(RULES.replace("IN", "[IN, UK]"), encoding="utf-8")
    cases = {name: FINE.replace("rules.yaml", "uk.yaml").replace("US", "EL") for name in ("a", "b")}
    pytester.makeini("[pytest]\nwithhold_rules = uk.yaml\n")
    pytester.makepyfile("def test(withhold_engine):\n    pass\n")
    lenient = session("-W", "default", elsewhere=True, **cases)
    lenient.assert_outcomes(passed=3, warnings=5)
    text = lenient.stdout.str()
    assert text.count("uk.yaml:4:23: warning: `UK` was read as `GB` [territory-alias]") == 1
    assert "a.cases.yaml:6:28: warning: `EL` was read as `GR` [territory-alias]" in text
    strict = session()
    strict.assert_outcomes(errors=2)
    strict.stdout.fnmatch_lines(
        ["*_ ERROR collecting a.cases.yaml _*", "uk.yaml:4:23: warning: `UK` was read as `GB`*"]
    )
    assert "Traceback" not in strict.stdout.str()


def test_files_of_that_name_that_are_something_else_are_left_alone(session):
    found = session(
        all=FINE,
        listed="- name: something else\n  input: 3\n",
        keyed="scenario: something else\nsteps: {cases: 3}\n",
        with_an_alias="defaults: &some {a: 1}\nsteps: [*some]\n",
    )
    found.assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (FINE.encode("utf-16"), "not-utf-8"),
        (FINE.replace("withholds", "hält zurück").encode("latin-1"), "not-utf-8"),
        (b"", "bad-case-file"),
        (b"# nothing yet\n", "bad-case-file"),
        (FINE.replace("rules:", "rule:").replace("cases:", "case:").encode(), "unknown-key"),
        (FINE.replace("rules:", "Rules:").replace("cases:", "Cases:").encode(), "unknown-key"),
        (FINE.replace("rules: rules.yaml", "rule: &r rules.yaml").replace("cases:", "case:").encode(), "yaml-alias"),
        (b"scenario: [", "bad-yaml"),
    ],
)
def test_what_may_be_a_case_file_and_is_wrong_fails_at_collection(session, pytester, data, code):
    (pytester.path / "wrong.cases.yaml").write_bytes(data)
    found = session("--continue-on-collection-errors", all=FINE)
    found.assert_outcomes(passed=1, errors=1)
    assert f"[{code}]" in found.stdout.str()
    assert "Traceback" not in found.stdout.str()


def test_workers_share_the_cases(session):
    pytest.importorskip("xdist")
    session("-n", "2", elsewhere=True, all=FAILING, other=FINE).assert_outcomes(passed=2, failed=1)


def test_the_fixtures(session, pytester):
    pytester.makeini("[pytest]\nwithhold_rules = rules.yaml\n")
    pytester.makepyfile(
        """
        from withhold.testing import assert_withheld

        def test_the_engine(withhold_engine, withhold_rules):
            assert_withheld(withhold_engine, (None, 17), "IN", because="in-1")
            assert withhold_engine.snapshot.rules is withhold_rules
        """
    )
    session().assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("ini", "message"),
    [
        ("", "the ini option `withhold_rules`: it is not set [[]no-rules[]]; set it to *"),
        (
            "withhold_rules = nowhere",
            "the ini option `withhold_rules`: cannot read the rules at `nowhere`: no such file* [[]unreadable-file[]]",
        ),
        ("withhold_rules = bad.yaml", "bad.yaml:1:1: a rule file must be a mapping [[]bad-rule-file[]]"),
    ],
)
def test_fixtures_without_rules_say_so(session, pytester, ini, message):
    pytester.makeini(f"[pytest]\n{ini}\n")
    (pytester.path / "bad.yaml").write_text("[]", encoding="utf-8")
    pytester.makepyfile("def test(withhold_engine):\n    pass\n")
    found = session()
    found.assert_outcomes(errors=1)
    found.stdout.fnmatch_lines([f"*{message}*"])
    assert "Errno" not in found.stdout.str()
    assert "During handling" not in found.stdout.str()


@pytest.mark.parametrize(
    ("option", "passed", "message"),
    [
        ("", 0, "[outside-rule-set]"),
        ("withhold_root = ..", 2, ""),
        ("withhold_root = rules", 0, "[outside-rule-set]"),
        ("withhold_root = nowhere", 0, "nowhere is not a directory"),
    ],
)
def test_b2_the_root_of_rules_is_an_ini_option(session, pytester, option, passed, message):
    """A case file cannot extend it."""
    inner = pytester.mkdir("inner")
    (inner / "rules").mkdir()
    pytester.mkdir("lists").joinpath("a.csv").write_text("kind,id\naccount,17\n", encoding="utf-8")
    rules = RULES.replace("accounts: [17]", "ids_file: ../../lists/a.csv")
    (inner / "rules" / "in.yaml").write_text(rules, encoding="utf-8")
    (inner / "all.cases.yaml").write_text(FINE.replace("rules.yaml", "rules/in.yaml"), encoding="utf-8")
    (inner / "test_it.py").write_text("def test(withhold_engine):\n    pass\n", encoding="utf-8")
    (inner / "pytest.ini").write_text(f"[pytest]\nwithhold_rules = rules\n{option}\n", encoding="utf-8")
    found = session("--continue-on-collection-errors", str(inner))
    assert found.parseoutcomes().get("passed", 0) == passed
    assert message in found.stdout.str() + found.stderr.str()
    outside = FINE.replace("rules.yaml", "../outside.yaml")
    (pytester.path / "outside.yaml").write_text(RULES, encoding="utf-8")
    (inner / "all.cases.yaml").write_text(outside, encoding="utf-8")
    if not option:
        found = session(str(inner))
        assert "cannot read the rules at `../outside.yaml`: it is outside the root" in found.stdout.str()


def test_it_costs_nothing_where_there_is_no_case_file(pytester):
    """In a session without case files, the code that reads rules and decides is not imported."""
    heavy = ("yaml", "pydantic", "pycountry", "hypothesis", "rich", "withhold.testing", "withhold.sources.loader")
    pytester.makepyfile(
        f"""
        import sys

        def test(request):
            assert request.config.pluginmanager.has_plugin("withhold")
            assert [name for name in {heavy!r} if name in sys.modules] == []
        """
    )
    found = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:hypothesispytest"],
        cwd=pytester.path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="files cannot have such names there")
@pytest.mark.parametrize("name", ["::error::forged\n::error::x", "a\x1b[31m##[error]\u202eb"])
def test_b5_the_name_of_a_file_forges_no_line_of_pytest(pytester, name):
    (pytester.path / "rules.yaml").write_text(RULES.replace("IN", "[IN, UK]"), encoding="utf-8")
    text = FAILING.replace("shows it", '"##[error] shows it"').replace("US: visible", "UK: visible")
    (pytester.path / f"{name}.cases.yaml").write_text(text, encoding="utf-8")
    (pytester.path / f"broken {name}.cases.yaml").write_text("rules: [", encoding="utf-8")
    for arguments in (["-v", "--continue-on-collection-errors", "--junitxml=out.xml"], ["--collect-only"]):
        found = pytester.runpytest_inprocess("-W", "default", *HERE, "-p", "no:cacheprovider", *arguments)
        lines = (found.stdout.str() + found.stderr.str()).split("\n")
        assert any("shows it" in line for line in lines)
        for line in lines:
            assert line.isprintable(), repr(line)
            assert not line.lstrip().startswith("::"), repr(line)
            assert "##[" not in line, repr(line)


@pytest.mark.skipif(sys.platform == "win32", reason="folders cannot have such names there")
@pytest.mark.parametrize(
    "name", ["x\n::error file=a.py,line=1::forged", "a\x1b[31m##[error]\u202eb", "::error::forged"]
)
@pytest.mark.parametrize("inner", ["inner", "inner\n::error::forged"])
def test_b5_the_name_of_a_folder_forges_no_line_of_pytest(pytester, name, inner):
    """Even if the directory has no readable case file, because pytest prints the names of directories itself."""
    text = FAILING.replace("rules.yaml", "../../rules.yaml")
    (pytester.path / "rules.yaml").write_text(RULES, encoding="utf-8")
    (pytester.path / name / inner).mkdir(parents=True)
    (pytester.path / name / inner / "all.cases.yaml").write_text(text, encoding="utf-8")
    (pytester.path / name / inner / "broken.cases.yaml").write_text("rules: [", encoding="utf-8")
    (pytester.path / name / "test_it.py").write_text("def test_python():\n    pass\n", encoding="utf-8")
    for arguments in (["--collect-only"], ["-q", "-k", "not python"]):
        found = pytester.runpytest_inprocess(*HERE, "-p", "no:cacheprovider", *arguments)
        lines = (found.stdout.str() + found.stderr.str()).split("\n")
        assert any("all.cases.yaml" in line or "broken.cases.yaml" in line for line in lines)
        for line in lines:
            assert line.isprintable(), repr(line)
            assert not line.lstrip().startswith("::"), repr(line)
            assert "##[" not in line, repr(line)
    found = pytester.runpytest_inprocess(*HERE, "-p", "no:cacheprovider", "--continue-on-collection-errors")
    found.assert_outcomes(passed=2, failed=1, errors=1)


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
@pytest.mark.parametrize("repository", [True, False])
def test_b2_a_case_file_behind_a_link_to_a_folder_outside_is_refused(pytester, session, repository):
    """The root is that of the link: the repository, or the directory in which pytest runs."""
    inner = pytester.mkdir("inner")
    outside = pytester.mkdir("outside")
    (outside / "rules.yaml").write_text(RULES, encoding="utf-8")
    (outside / "out.cases.yaml").write_text(FINE.replace("withholds it", "SECRET case"), encoding="utf-8")
    (inner / "rules").mkdir()
    (inner / "rules" / "l").symlink_to(outside)
    (inner / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    if repository:
        (inner / ".git").mkdir()
    found = session(str(inner))
    found.assert_outcomes(errors=1)
    assert "[outside-rule-set]" in found.stdout.str()
    assert "SECRET" not in found.stdout.str()
    (inner / "pytest.ini").write_text("[pytest]\nwithhold_root = ..\n", encoding="utf-8")
    session(str(inner)).assert_outcomes(passed=1)
