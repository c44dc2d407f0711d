"""Case files are read strictly: anything that is not understood is refused, with its place."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

import pytest

from tests.sources.writing import very_deep
from tests.testing.material import CASE, FINE, RULES, write
from withhold import CaseError, Outcome, Place, Policy, RuleSet, Snapshot, Tweet, Viewer
from withhold.territories import countries
from withhold.testing.suite import Library, read_all, read_case_file


def read(folder, text):
    write(folder, rules=RULES, all=text)
    return read_case_file(folder / "all.cases.yaml", Library())


def test_a_case_is_read_as_it_is_written(tmp_path):
    file = read(
        tmp_path,
        "rules: .\npolicy: {unknown_location: withhold, author_sees_own: true}\ncases:\n"
        "  - it: says  so\n    tweet: 20\n    account: 17\n    retweet_of: {tweet: 21, account: 18}\n"
        "    at: 2021-02-10T10:30:00+05:30\n    viewer: 17\n    because: in-1\n"
        "    expect: {NO: visible, us-ms: withheld, Unknown: suspended}\n",
    )
    assert file.policy == Policy(unknown_location="withhold", author_sees_own=True)
    (case,) = file.cases
    assert (case.it, case.because, case.at.isoformat()) == ("says so", "in-1", "2021-02-10T05:00:00+00:00")
    assert case.subject == Tweet(20, 17, Tweet(21, 18))
    found = [(expected.viewer.location_key, expected.viewer.account_id, expected.outcome) for expected in case.expect]
    assert found == [
        (("NO", ()), 17, Outcome.VISIBLE),
        (("US", ("US-MS",)), 17, Outcome.WITHHELD),
        ((None, ()), 17, Outcome.SUSPENDED),
    ]
    assert (case.place.line, case.place.column) == (4, 5)


def test_a_key_with_null_counts_as_left_out_as_in_rules(tmp_path):
    nothing = FINE.replace("cases:", "policy: null\ncases:") + "    because: null\n    viewer: null\n    tweet:\n"
    (case,) = read(tmp_path, nothing).cases
    assert case == read(tmp_path, FINE.replace("cases:", "policy: {}\ncases:")).cases[0]


def test_the_rules_of_a_folder_are_found_beside_the_cases(tmp_path):
    assert [rule.id for rule in read(tmp_path, FINE.replace("rules.yaml", ".")).rules] == ["in-1"]


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("", ["1:1 bad-case-file"]),
        ("- a", ["1:1 bad-case-file"]),
        (RULES, ["1:1 bad-case-file"]),
        ("rules: [", ["1:9 bad-yaml"]),
        ("cases:\n" + CASE, ["1:1 missing-key"]),
        ("rules: rules.yaml\n", ["1:1 missing-key"]),
        ("rules: rules.yaml\ncases: []\n", ["2:8 bad-cases"]),
        ("rules: rules.yaml\ncases: {}\n", ["2:8 bad-cases"]),
        ("rules: rules.yaml\ncases: [a]\n", ["2:9 bad-value"]),
        (FINE.replace("rules.yaml", "nowhere"), ["1:8 unreadable-file"]),
        (FINE.replace("rules.yaml", "[a]"), ["1:8 bad-value"]),
        (FINE.replace("rules.yaml", '""'), ["1:8 no-rules"]),
        ("polcy: {}\n" + FINE, ["1:1 unknown-key"]),
        ("polcy:\n" + FINE, ["1:1 unknown-key"]),
        (FINE + "    account:\n", ["3:5 no-subject", "7:5 repeated-key"]),
        (FINE.replace("US: visible", "[US]: visible"), ["6:28 bad-key"]),
        ("policy: []\n" + FINE, ["1:9 bad-value"]),
        ("policy: {unknown: show}\n" + FINE, ["1:10 unknown-key"]),
        ("policy: {unknown_location: hide}\n" + FINE, ["1:28 unknown-unknown-location"]),
        ("policy: {author_sees_own: yes}\n" + FINE, ["1:27 bad-value"]),
        (FINE + "    becuse: in-1\n", ["7:5 unknown-key"]),
        (FINE + "    because: in-2\n", ["7:14 unknown-rule"]),
        (FINE.replace("withheld,", "visible,") + "    because: in-1\n", ["7:14 because-of-nothing"]),
        (FINE + "    viewer: 0\n", ["7:13 id-out-of-range"]),
        (FINE + "    at: 2021-02-10T00:00:00Z\n", ["7:5 repeated-key"]),
        (FINE.replace("    at: 2021-02-10T00:00:00Z\n", ""), ["3:5 missing-key"]),
        (FINE.replace("T00:00:00Z", ""), ["5:9 not-an-instant"]),
        (FINE.replace("00Z", "00"), ["5:9 naive-instant"]),
        (FINE.replace("    account: 17\n", ""), ["3:5 no-subject"]),
        (FINE.replace("account: 17", "account: 1.7E1"), ["4:14 lossy-id"]),
        (FINE.replace("account: 17", "tweet: [17]"), ["4:12 bad-value"]),
        (FINE.replace("{IN: withheld, US: visible}", "{}"), ["6:13 no-expectation"]),
        (FINE.replace("{IN: withheld, US: visible}", "withheld"), ["6:13 bad-value"]),
        (FINE.replace("{IN: withheld, US: visible}", ""), ["6:12 missing-key"]),
        (
            FINE.replace("expect: {IN: withheld, US: visible}", "gb: x\n    uk: x"),
            ["3:5 missing-key", "6:5 unknown-key", "7:5 unknown-key"],
        ),
        (FINE.replace("US: visible", "in: visible"), ["6:28 repeated-place"]),
        (FINE.replace("US: visible", "DR: visible"), ["6:28 unknown-territory"]),
        (FINE.replace("US: visible", "GULF: visible"), ["6:28 unknown-territory"]),
        (FINE.replace("IN: withheld", "EU: withheld").replace("US", "fr"), ["6:28 repeated-place"]),
        (FINE.replace("IN: withheld", "EU: withheld").replace("US", "EEA"), ["6:28 repeated-place"]),
        (FINE.replace("US: visible", "Elsewhere: visible, elsewhere: visible"), ["6:48 repeated-place"]),
        (
            f"groups: {{all: [{', '.join(countries())}]}}\n"
            + FINE.replace("IN: withheld, US", "all: withheld, elsewhere"),
            ["7:29 nothing-elsewhere"],
        ),
        ("groups: {gulf: []}\n" + FINE, ["1:16 bad-group"]),
        ("groups: {a: [b], b: [a]}\n" + FINE.replace("IN: withheld", "a: withheld"), ["1:22 cyclic-group"]),
        ("groups: {a: [WORLD]}\n" + FINE.replace("IN: withheld", "a: withheld"), ["1:14 bad-group"]),
        ("groups: {unknown: [AE]}\n" + FINE, ["1:10 taken-group"]),
        ("groups: {Elsewhere: [AE]}\n" + FINE, ["1:10 taken-group"]),
        ("groups: {EU: [AE]}\n" + FINE, ["1:10 taken-group"]),
        ("groups: [AE]\n" + FINE, ["1:9 bad-groups"]),
        (FINE.replace("account: 17", "accounts: []"), ["4:15 no-subject"]),
        (FINE.replace("account: 17", "accounts:"), ["3:5 no-subject"]),
        (FINE.replace("account: 17", "accounts: [17, 18, 17]"), ["4:24 repeated-subject"]),
        (FINE.replace("account: 17", "tweets: [17, 18, 18, 017]"), ["4:22 repeated-subject", "4:26 repeated-subject"]),
        (FINE.replace("account: 17", "accounts: [17, 0]"), ["4:20 id-out-of-range"]),
        (FINE.replace("account: 17", "accounts: {17: 18}"), ["4:15 bad-value"]),
        (FINE + "    accounts: [18]\n", ["4:5 mixed-subjects"]),
        (FINE + "    tweets: 18\n    tweet: 20\n", ["4:5 mixed-subjects", "8:5 mixed-subjects"]),
        (
            FINE.replace("account: 17", "accounts: [17]") + "    retweet_of: {tweet: 1, account: 2}\n",
            ["7:5 mixed-subjects"],
        ),
        (FINE.replace("US: visible", "WORLD: visible"), ["6:28 not-a-place"]),
        (FINE.replace("US: visible", "US: shown"), ["6:32 unknown-outcome"]),
        (FINE.replace("US: visible", "US: [visible]"), ["6:32 bad-value"]),
        (FINE.replace("withholds it", '" "'), ["3:9 bad-text"]),
        (FINE + CASE, ["7:5 repeated-case"]),
        (FINE + "    retweet_of: {tweet: 1, account: 2}\n", ["3:5 bad-retweet"]),
        (FINE + "    tweet: 3\n    retweet_of: {tweet: 1}\n", ["8:17 missing-key"]),
        (FINE + "    tweet: 3\n    retweet_of: 1\n", ["8:17 bad-value"]),
    ],
)
def test_what_is_refused(tmp_path, text, reported):
    with pytest.raises(CaseError) as caught:
        read(tmp_path, text)
    assert [f"{place.line}:{place.column} {code}" for place, code in placed(caught.value)] == reported
    assert [problem for problem in caught.value.problems if not problem.hint] == [], "each problem has a hint"


def placed(error):
    """Return the place and the code of each problem."""
    for problem in error.problems:
        assert isinstance(problem.place, Place)
        yield problem.place, problem.code


def test_all_problems_of_all_files_come_at_once_and_those_of_shared_rules_once(tmp_path):
    write(tmp_path, rules=RULES.replace("IN", "DR"), a=FINE, b=FINE.replace("17", "x"))
    with pytest.raises(CaseError) as caught:
        read_all([tmp_path], Library())
    assert [Path(place.file).name for place, _ in placed(caught.value)] == ["b.cases.yaml", "rules.yaml"]


@pytest.mark.skipif(os.name == "nt", reason="there are no pipes among the files")
def test_a_pipe_or_a_device_is_refused_before_it_is_read(tmp_path):
    os.mkfifo(tmp_path / "all.cases.yaml")
    with pytest.raises(CaseError, match="it is a pipe or a device"):
        read_all([tmp_path], Library())
    (tmp_path / "all.cases.yaml").unlink()
    (tmp_path / "all.cases.yaml").symlink_to(os.devnull)
    with pytest.raises(CaseError, match="outside-rule-set"):
        read_all([tmp_path], Library())


CASES_ELSEWHERE = "cases/all.cases.yaml"


@pytest.mark.parametrize(
    ("written", "reported"),
    [
        ("rules: ../rules", []),
        ("rules: ../rules/", []),
        ("rules: ../rules/../rules/in.yaml", []),
        ("rules: ../rules/far.yaml", ["far.yaml:6:15 outside-rule-set"]),
        ("rules: ../rules/far.yaml\nroot: ..", []),
        ("rules: ../rules\nroot: ../cases", ["rules:1:1 outside-rule-set"]),
        ("rules: ../../secret.yaml", ["all.cases.yaml:1:8 outside-rule-set"]),
        ("rules: ../out", ["all.cases.yaml:1:8 outside-rule-set"]),
        ("rules: {tmp}/project/rules", ["all.cases.yaml:1:8 outside-rule-set"]),
        ("rules: ..\\rules", ["all.cases.yaml:1:8 outside-rule-set"]),
        ("rules: C:rules", ["all.cases.yaml:1:8 outside-rule-set"]),
        ("rules: ../Rules", ["all.cases.yaml:1:8 outside-rule-set"]),
        ("rules: ../rules\nroot: ../..", ["all.cases.yaml:2:7 outside-rule-set"]),
        ("rules: ../rules\nroot: /", ["all.cases.yaml:2:7 outside-rule-set"]),
        ("rules: ../rules\nroot: nowhere", ["all.cases.yaml:2:7 unreadable-file"]),
        ("rules: ../rules\nroot: ''", ["all.cases.yaml:2:7 no-root"]),
    ],
)
@pytest.mark.parametrize("bounds", ["repository", "here", "given"])
def test_b2_a_case_file_names_rules_of_its_surroundings_alone(tmp_path, monkeypatch, bounds, written, reported):
    """A case file may come from somebody else, as rules may."""
    project = tmp_path / "project"
    for folder in ("cases", "rules", "lists"):
        (project / folder).mkdir(parents=True)
    (project / "rules" / "in.yaml").write_text(RULES, encoding="utf-8")
    far = RULES.replace("in-1", "far-1").replace("    reason", "    ids_file: ../lists/a.csv\n    reason")
    (project / "lists" / "a.csv").write_text("kind,id\naccount,5\n", encoding="utf-8")
    (project / "rules" / "far.yaml").write_text(far, encoding="utf-8")
    if "far" not in written:
        (project / "rules" / "far.yaml").unlink()
    (tmp_path / "secret.yaml").write_text(RULES, encoding="utf-8")
    (project / "out").symlink_to(tmp_path / "secret.yaml")
    text = FINE.replace("rules: rules.yaml", written.replace("{tmp}", str(tmp_path)))
    (project / CASES_ELSEWHERE).write_text(text, encoding="utf-8")
    if bounds == "repository":
        (project / ".git").mkdir()
    if bounds == "here":
        monkeypatch.chdir(project)
    try:
        read_all([project], Library(project if bounds == "given" else None))
        found = []
    except CaseError as error:
        found = [f"{Path(place.file).name}:{place.line}:{place.column} {code}" for place, code in placed(error)]
    if bounds == "given" and "far" in written:
        reported = []  # the root of all rules is given
    assert found == reported


@pytest.mark.skipif(os.name == "nt", reason="folders lie less deep there")
def test_b7_folders_of_cases_may_lie_deep(tmp_path):
    with very_deep(tmp_path, 1200), pytest.raises(CaseError, match="no-case-files"):
        read_all([tmp_path], Library())


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (FINE.replace("rules:", "roles:"), "did you mean `rules`?"),
        (FINE.replace("cases:", "CASES:"), "did you mean `cases`?"),
        (FINE.replace("expect:", "expects:"), "did you mean `expect`?"),
        (FINE.replace("expect:", "EXPECTED:"), "did you mean `expect`?"),
        (
            FINE + "    why: x\n",
            "known: `it`, `account`, `tweet`, `retweet_of`, `accounts`, `tweets`, `at`, `expect`, `because`, `viewer`",
        ),
        (FINE + "    because: IN-1\n", "did you mean `in-1`?"),
        (FINE + "    because: x\n", "known: `in-1`"),
    ],
)
def test_what_may_be_meant_is_suggested(tmp_path, text, hint):
    with pytest.raises(CaseError) as caught:
        read(tmp_path, text)
    reported = {problem.code: problem.hint for problem in caught.value.problems}
    assert reported.get("unknown-key", reported.get("unknown-rule")) == hint


def test_a_rule_set_is_loaded_once_however_it_is_named(tmp_path):
    (tmp_path / "inner").mkdir()
    write(tmp_path, rules=RULES, a=FINE, b=FINE.replace("rules.yaml", "inner/../rules.yaml"))
    library = Library()
    files = read_all([tmp_path, tmp_path / "a.cases.yaml"], library)
    assert [file.path.name for file in files] == ["a.cases.yaml", "b.cases.yaml"]
    assert files[0].rules is files[1].rules
    assert library.engine(files[0]) is library.engine(files[1])


def test_cases_are_put_to_the_snapshot_itself_that_they_name(tmp_path):
    write(tmp_path, rules=RULES, all=FINE.replace("rules.yaml", "rules.wh"))
    Snapshot.compile(RuleSet.load(tmp_path / "rules.yaml")).save(tmp_path / "rules.wh")
    library = Library()
    file = read_case_file(tmp_path / "all.cases.yaml", library)
    assert library.engine(file).snapshot.rules is file.rules
    assert file.is_compiled


def test_a_folder_without_cases_is_a_problem_and_hidden_ones_are_left_out(tmp_path):
    (tmp_path / ".hidden").mkdir()
    write(tmp_path / ".hidden", all=FINE)
    with pytest.raises(CaseError, match="no-case-files"):
        read_all([tmp_path], Library())


def test_an_alias_is_read_with_a_warning(tmp_path):
    file = read(tmp_path, FINE.replace("US:", "UK:"))
    assert [str(problem).partition("all.cases.yaml:")[2] for problem in file.warnings] == [
        "6:28: warning: `UK` was read as `GB` [territory-alias]"
    ]
    assert file.cases[0].expect[1].viewer.location_key == Viewer(country="GB").location_key


def test_b7_unknown_rules_have_a_suggestion_in_bounded_time(tmp_path, monkeypatch):
    """Each unknown id was once compared with the ids of all rules, and others can write many of both."""
    compared = 0
    guess = difflib.get_close_matches

    def watched(word, known, **more):
        nonlocal compared
        compared += len(list(known))
        return guess(word, known, **more)

    rules = "".join(RULES.replace("in-1", f"in-{number}").removeprefix("rules:\n") for number in range(2000))
    cases = "".join(CASE.replace("withholds it", f"{at}") + f"    because: in-{at}-x\n" for at in range(60))
    cases += CASE + f"    because: {'x' * 10_000}\n"
    write(tmp_path, rules=f"rules:\n{rules}", all=f"rules: rules.yaml\ncases:\n{cases}")
    monkeypatch.setattr(difflib, "get_close_matches", watched)
    with pytest.raises(CaseError) as caught:
        read_all([tmp_path], Library())
    assert {problem.code for problem in caught.value.problems} == {"unknown-rule"}
    hints = [problem.hint for problem in caught.value.problems]
    assert (len(hints), hints[0], hints[-1]) == (61, "did you mean `in-0`?", "write the id of a rule in `rules`")
    assert compared < 10_000


@pytest.mark.parametrize("letter", ["\u200c", "\u200d", "\u00ad", "\ue000", "\ufeff"])
def test_b5_the_name_of_a_case_may_have_letters_that_rule_texts_may_have(tmp_path, letter):
    """These characters join letters in Persian or Hindi. Where they are invisible, they are printed as escapes."""
    file = read(tmp_path, FINE.replace("withholds it", f"به{letter}روز"))
    assert [case.it for case in file.cases] == [f"به{letter}روز"]


@pytest.mark.parametrize("letter", ["\\e", "\\u202e", "\\x85", "\\u2028"])
def test_b5_a_control_character_in_the_name_of_a_case_is_called_one(tmp_path, letter):
    with pytest.raises(CaseError) as caught:
        read(tmp_path, FINE.replace("withholds it", f'"a{letter}b"'))
    (problem,) = caught.value.problems
    assert problem.code == "control-character"
    assert "contains the control character" in problem.message


@pytest.mark.parametrize(
    ("file", "begin"),
    [("rules.yaml", "rules.cases.yaml"), ("deep/in.json", "deep/in.cases.yaml"), ("README.md", "in.cases.yaml")],
)
def test_e1_a_folder_without_case_files_is_told_how_to_begin_one(tmp_path, file, begin):
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text("", encoding="utf-8")
    with pytest.raises(CaseError) as caught:
        read_all([tmp_path], Library())
    (problem,) = caught.value.problems
    rules = Path(file).name if file != "README.md" else "in.yaml"
    assert problem.code == "no-case-files"
    hint = str(problem.hint).replace(os.sep, "/")
    assert f"begin `{begin}` with `rules: {rules}` and `cases: [" in hint
    assert hint.startswith("`withhold test ") is (file != "README.md")
