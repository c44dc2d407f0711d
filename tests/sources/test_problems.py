"""Every problem that a rule file can have: its code, place, message and hint."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.sources.writing import FINE, RULE, refusal, reported, write
from withhold import Place, Problem, Reason

KNOWN = (
    "known: `id`, `accounts`, `tweets`, `ids_file`, `withheld_in`, `except_in`, `from`, `until`, `stays`, "
    "`effect`, `reason`, `if_unknown`, `demand`, `jurisdiction`, `disclosure`, `review_by`, `note`, `override`"
)

HOW_TO_BEGIN = "write `rules:` and a list below it"

AN_INSTANT = "write it like `2021-02-10T10:30:00+05:30`"

NO_DATE = "a day is not an instant: add a time and an offset, such as `T00:00:00+05:30`"

SUSPEND = "effect: suspend"

OVERRIDE = "write `override: {no-end: '…'}`, with the reason in place of the dots"

NO_LIST = "write one value, without brackets or dashes"

WHOSE_LAW = "write the territory whose law it is: a country such as `IN`, a subdivision such as `US-MS`, or `EU`"

SAY_WHY = "give the check and the reason for overriding it"

EMPTY_CODE = "override `` with the reason `x`: one of the two is empty or has spaces around it"

# (text of the file, line, column, code, message, hint)
TABLE: list[tuple[str, int, int, str, str, str | None]] = [
    # The file as a whole.
    ("", 1, 1, "bad-rule-file", "the file is empty", HOW_TO_BEGIN),
    ("# nothing\n", 1, 1, "bad-rule-file", "the file is empty", HOW_TO_BEGIN),
    ("---\n...\n", 1, 1, "bad-rule-file", "a rule file must be a mapping", HOW_TO_BEGIN),
    ("- id: a\n", 1, 1, "bad-rule-file", "a rule file must be a mapping", HOW_TO_BEGIN),
    ("rules", 1, 1, "bad-rule-file", "a rule file must be a mapping", HOW_TO_BEGIN),
    ("\n\n{}", 3, 1, "bad-rule-file", "the file has no rules", "write `rules: []`"),
    ("rule: []\n", 1, 1, "unknown-key", "unknown key `rule`", "did you mean `rules`?"),
    ("rules: []\nversion: 2\n", 2, 1, "unknown-key", "unknown key `version`", "known: `groups`, `rules`"),
    ("rules: []\nrules: []\n", 2, 1, "repeated-key", "key `rules` is given twice", None),
    ("rules: {a: 1}\n", 1, 8, "bad-rules", "`rules` must be a list", "write `- id: …` below it, or `rules: []`"),
    ("rules:\n", 1, 7, "bad-rules", "`rules` must be a list", "write `- id: …` below it, or `rules: []`"),
    (
        "rules: []\n---\nrules: []\n",
        2,
        1,
        "second-document",
        "a second document begins here",
        "write one document per file",
    ),
    ("rules: [\n", 2, 1, "bad-yaml", "this is not YAML: did not find expected node content", None),
    ("rules: 'é'x\n", 1, 11, "bad-yaml", "this is not YAML: did not find expected key", None),
    ("rules: []\n\tx: 1\n", 2, 1, "bad-yaml", "this is not YAML: found character that cannot start any token", None),
    ("? [a]\n: b\n", 1, 3, "bad-key", "a key must be text", None),
    ("rules: &x []\n", 1, 8, "yaml-alias", "anchors and aliases are not supported", "define a group instead"),
    ("rules: [*x]\n", 1, 9, "yaml-alias", "anchors and aliases are not supported", "define a group instead"),
    ("rules: " + "[" * 20 + "]" * 20, 1, 27, "too-deep", "nested more than 20 levels deep", None),
    # A rule as a whole.
    ("rules: [~]\n", 1, 9, "bad-rule", "a rule must be a mapping", "write `- id: …`"),
    ("rules:\n- in-d1\n", 2, 3, "bad-rule", "a rule must be a mapping", "write `- id: …`"),
    ("rules:\n- [a]\n", 2, 3, "bad-rule", "a rule must be a mapping", "write `- id: …`"),
    (FINE.replace("id: a\n  ", ""), 2, 3, "missing-key", "missing key `id`", "write it, such as `id: in-1`"),
    (FINE.replace("reason: terms\n  ", ""), 2, 3, "missing-key", "missing key `reason`", None),
    (f"{FINE}  witheld_in: IN\n", 6, 3, "unknown-key", "unknown key `witheld_in`", "did you mean `withheld_in`?"),
    (f"{FINE}  from_: ~\n", 6, 3, "unknown-key", "unknown key `from_`", "did you mean `from`?"),
    (f"{FINE}  shade: ~\n", 6, 3, "unknown-key", "unknown key `shade`", KNOWN),
    (f"{FINE}  <<: {{}}\n", 6, 3, "unknown-key", "unknown key `<<`", KNOWN),
    (f"{FINE}  id: b\n", 6, 3, "repeated-key", "key `id` is given twice", None),
    # The values of a rule.
    (FINE.replace("id: a", "id: ' '"), 2, 7, "bad-text", "`id` is empty", "write an id that no other rule has"),
    (FINE.replace("id: a", "id:"), 2, 6, "bad-value", "expected one value, found nothing", None),
    (FINE.replace("id: a", "id: [a]"), 2, 7, "bad-value", "expected one value, found a list", NO_LIST),
    (f"{FINE}  demand: ''\n", 6, 11, "bad-text", "`demand` is empty", "write some text, or leave the key out"),
    (f"{FINE}  note: {{a: b}}\n", 6, 9, "bad-value", "expected one value, found a mapping", None),
    (
        f"{FINE}  override: no-end\n",
        6,
        13,
        "bad-override",
        "`override` must be a mapping from codes of checks to reasons",
        OVERRIDE,
    ),
    (
        f"{FINE}  override: [no-end]\n",
        6,
        13,
        "bad-override",
        "`override` must be a mapping from codes of checks to reasons",
        OVERRIDE,
    ),
    (f"{FINE}  override: {{a: x, no-end: ' '}}\n", 6, 28, "bad-override", "an override has no reason", None),
    (f"{FINE}  override: {{no-end: }}\n", 6, 22, "bad-value", "expected one value, found nothing", None),
    (f"{FINE}  override: {{'': x}}\n", 6, 13, "bad-override", EMPTY_CODE, SAY_WHY),
    (f"{FINE}  override: {{a: x, a: y}}\n", 6, 20, "repeated-key", "key `a` is given twice", None),
    (f"{FINE}  tweets: x\n", 6, 11, "bad-id", "id `x` is not a number", "ids are decimal digits"),
    (f"{FINE}  tweets: [5, -5]\n", 6, 15, "id-out-of-range", "id `-5` is not between 1 and 2**63-1", "ids are 63-bit"),
    (f"{FINE}  tweets: 0\n", 6, 11, "id-out-of-range", "id `0` is not between 1 and 2**63-1", "ids are 63-bit"),
    (
        f"{FINE}  tweets: {2**63}\n",
        *(6, 11, "id-out-of-range", f"id `{2**63}` is not between 1 and 2**63-1", "ids are 63-bit"),
    ),
    (f"{FINE}  tweets: 0x1\n", 6, 11, "bad-id", "id `0x1` is not a number", "ids are decimal digits"),
    (f"{FINE}  tweets: 0o17\n", 6, 11, "bad-id", "id `0o17` is not a number", "ids are decimal digits"),
    (
        f"{FINE}  tweets: 1_000\n",
        6,
        11,
        "bad-id",
        "id `1…` is not a number: it has separators between its digits",
        "write only its digits",
    ),
    (f"{FINE}  tweets: .inf\n", 6, 11, "bad-id", "id `…inf` is not a number", "ids are decimal digits"),
    (
        f"{FINE}  tweets: ١\n",
        6,
        11,
        "bad-id",
        "id `١` is not a number: it has digits other than 0 to 9",
        "write it with the digits 0 to 9",
    ),
    (f"{FINE}  tweets: [[5]]\n", 6, 12, "bad-value", "expected one value, found a list", None),
    (f"{FINE}  tweets:\n  -\n", 7, 4, "bad-value", "expected one value, found nothing", None),
    (FINE.replace("IN", "IM1"), 4, 16, "unknown-territory", "unknown territory `IM1`", None),
    (
        FINE.replace("IN", "DR"),
        4,
        16,
        "unknown-territory",
        "unknown country `DR`",
        "write an ISO 3166 code such as `IN` or `US-MS`, or `WORLD`",
    ),
    (FINE.replace("IN", "[IN, gulf]"), 4, 21, "unknown-territory", "unknown territory `gulf`", None),
    (FINE.replace("IN", "XX"), 4, 16, "unknown-territory", "`XX` is not a territory", None),
    (
        FINE.replace("IN", "xy"),
        *(4, 16, "unknown-territory", "`xy` is not a territory"),
        "in Twitter's data `XY` means worldwide for copyright: write `WORLD` with `reason: copyright`",
    ),
    (f"{FINE}  except_in: US-XX\n", 6, 14, "unknown-territory", "unknown subdivision `US-XX`", None),
    (f"{FINE}  from: 2021-02-10\n", 6, 9, "not-an-instant", "from `2021-02-10` is a date", NO_DATE),
    (f"{FINE}  law: IN\n", 6, 3, "unknown-key", "unknown key `law`", "did you mean `jurisdiction`?"),
    (f"{FINE}  jurisdiction: DR\n", 6, 17, "unknown-territory", "unknown country `DR`", WHOSE_LAW),
    (f"{FINE}  jurisdiction: eea\n", 6, 17, "bad-jurisdiction", "`eea` is not a jurisdiction", WHOSE_LAW),
    (
        f"groups: {{g: [IN]}}\n{FINE}  jurisdiction: G\n",
        7,
        17,
        "bad-jurisdiction",
        "`G` is not a jurisdiction",
        WHOSE_LAW,
    ),
    (f"{FINE}  until: soon\n", 6, 10, "not-an-instant", "until `soon` is not an instant", AN_INSTANT),
    (f"{FINE}  until: 1612933200\n", 6, 10, "not-an-instant", "until `1612933200` is not an instant", AN_INSTANT),
    (
        f"{FINE}  until: 2021-02-10T10:30:00\n",
        *(6, 10, "naive-instant", "until `2021-02-10T10:30:00` has no time zone"),
        "add `Z` or an offset such as `+05:30`",
    ),
    (
        f"{FINE}  from: 0001-01-01T00:00:00+05:30\n",
        *(6, 9, "not-an-instant", "from `0001-01-01T00:00:00+05:30` is out of range in UTC", None),
    ),
    (
        f"{FINE}  until: 9999-12-31T23:59:59-00:01\n",
        *(6, 10, "not-an-instant", "until `9999-12-31T23:59:59-00:01` is out of range in UTC", None),
    ),
    (f"{FINE}  stays: [{{form: ~}}]\n", 6, 12, "unknown-key", "unknown key `form`", "did you mean `from`?"),
    (f"{FINE}  stays: [{{from: x}}]\n", 6, 18, "not-an-instant", "from `x` is not an instant", AN_INSTANT),
    (f"{FINE}  stays: {{until: x}}\n", 6, 18, "not-an-instant", "until `x` is not an instant", AN_INSTANT),
    (f"{FINE}  effect: hide\n", 6, 11, "unknown-effect", "unknown effect `hide`", "one of `withhold`, `suspend`"),
    (
        FINE.replace("terms", "law"),
        *(3, 11, "unknown-reason", "unknown reason `law`"),
        "one of " + ", ".join(f"`{reason}`" for reason in Reason),
    ),
    (
        f"{FINE}  if_unknown: hide\n",
        6,
        15,
        "unknown-if-unknown",
        "unknown if_unknown `hide`",
        "one of `withhold`, `show`",
    ),
    # Contradictions between values.
    (RULE, 2, 3, "no-subjects", "the rule names no account and no tweet", None),
    (f"{RULE}  accounts: []\n", 5, 13, "no-subjects", "the rule names no account and no tweet", None),
    (FINE.replace("  withheld_in: IN\n", ""), 2, 3, "no-territory", "the rule names no territory", None),
    (
        FINE.replace("IN", "[]"),
        *(4, 16, "no-territory", "the rule names no territory", "write `withheld_in: [IN]`, or `WORLD`"),
    ),
    (
        f"{FINE}  from: 2021-01-01T00:00:00Z\n  until: 2021-01-01T05:30:00+05:30\n",
        *(7, 10, "empty-period", "`until` is not after `from`, so the rule is never in force", None),
    ),
    (
        f"{FINE}  {SUSPEND}\n",
        *(4, 16, "suspend-not-worldwide", "`effect: suspend` is always worldwide"),
        "write `withheld_in: WORLD`, or `effect: withhold`",
    ),
    (
        f"{FINE.replace('IN', 'WORLD')}  {SUSPEND}\n  except_in: US\n",
        *(7, 14, "suspend-not-worldwide", "`effect: suspend` is always worldwide"),
        "write `withheld_in: WORLD`, or `effect: withhold`",
    ),
    # Groups.
    ("groups: [a]\n", 1, 9, "bad-groups", "`groups` must be a mapping", None),
    ("groups: {in: [US]}\n", 1, 10, "taken-group", "the name `in` is taken", None),
    ("groups: {eu: [US]}\n", 1, 10, "taken-group", "the name `eu` is taken", None),
    ("groups: {World: [US]}\n", 1, 10, "taken-group", "the name `World` is taken", None),
    ("groups: {uk: [US]}\n", 1, 10, "taken-group", "the name `uk` is taken", None),
    ("groups: {xx: [US]}\n", 1, 10, "taken-group", "the name `xx` is taken", None),
    ("groups: {a: [IN], A: [US]}\n", 1, 19, "taken-group", "the name `A` is taken", None),
    ("groups: {a: [IN, WORLD]}\n", 1, 18, "bad-group", "a group lists territories", None),
    ("groups: {a: }\n", 1, 13, "bad-group", "a group lists territories", None),
    ("groups: {a: [[IN]]}\n", 1, 14, "bad-group", "a group lists territories", None),
    ("groups: {a: []}\n", 1, 13, "bad-group", "the group is empty", None),
    ("groups: {a: [IM1]}\n", 1, 14, "unknown-territory", "unknown territory `IM1`", None),
    # Lists of ids beside the file.
    (
        f"{RULE}  ids_file: none.csv\n",
        *(5, 13, "unreadable-file", "cannot read the ids file `none.csv`: no such file or directory", None),
    ),
    (f"{RULE}  ids_file: .\n", 5, 13, "unreadable-file", "cannot read the ids file `.`: is a directory", None),
    *(
        (
            f"{FINE}  ids_file: {written}\n",
            *(6, 13, "bad-ids-file", "`ids_file` must be a path, or a mapping from a kind of ids to a path"),
            "write `ids_file: ids.csv`, or `ids_file: {accounts: ids.txt}`",
        )
        for written in ("[a.csv]", "{account: a.txt}", "{}", "{accounts: [a.txt]}", "''", "{accounts: ''}")
    ),
]


@pytest.mark.parametrize(("text", "line", "column", "code", "message", "hint"), TABLE)
def test_a_problem_has_its_code_its_place_and_its_hint(
    tmp_path: Path, text: str, line: int, column: int, code: str, message: str, hint: str | None
) -> None:
    """It is the only problem: no mistake is reported twice, or causes another report."""
    write(tmp_path, {"in.yaml": text})
    error = refusal(tmp_path)

    assert reported(error, tmp_path) == [f"in.yaml:{line}:{column} {code}"]
    assert error.problems[0].message == message
    if hint is not None:
        assert error.problems[0].hint == hint
    assert (error.problem, error.code, error.hint) == (error.problems[0], code, error.problems[0].hint)


def test_no_code_of_the_loader_was_forgotten_here() -> None:
    """The codes are extracted from the source, so a new code without a test fails here."""
    import withhold.model.ids
    import withhold.model.instants
    import withhold.model.rule
    import withhold.parsing
    import withhold.sources

    files = [file for room in (withhold.parsing, withhold.sources) for file in Path(room.__path__[0]).glob("*.py")]
    files += [
        Path(str(module.__file__)) for module in (withhold.model.instants, withhold.model.rule, withhold.model.ids)
    ]
    named = re.compile(r"""(?:Problem|refused|_custom|wrong|_error)\(\s*["']([a-z]+(?:-[a-z0-9]+)+)["']""")
    used = {code for file in files for code in named.findall(file.read_text(encoding="utf-8"))}
    tests = "".join(file.read_text(encoding="utf-8") for file in Path(__file__).parent.glob("test_*.py"))
    assert used
    others = {"id-not-an-int", "bad-toml", "foreign-file"}  # of values, of the configuration, of exports
    assert {code for code in used if code not in tests} - others == set(), "this code cannot be caused by a file"


class TestAllAtOnce:
    def test_all_problems_of_all_files_are_told_in_the_order_of_their_places(self, tmp_path: Path) -> None:
        write(
            tmp_path,
            {
                "b.yaml": FINE.replace("IN", "[DR, QQ]").replace("terms", "law") + "  colour: red\n",
                "a.json": '{"rules": [1, {"id": "x"}], "more": 1}',
                "c.yaml": "rules: [\n",
                "sub/d.yml": FINE,
                "ids.csv": "kind,id\naccount,x\n",
                "z.yaml": RULE.replace("id: a", "id: z") + "  ids_file: ids.csv\n",
            },
        )
        error = refusal(tmp_path)
        assert reported(error, tmp_path) == [
            "a.json:1:12 bad-rule",
            "a.json:1:15 missing-key",
            "a.json:1:29 unknown-key",
            "b.yaml:3:11 unknown-reason",
            "b.yaml:4:17 unknown-territory",
            "b.yaml:4:21 unknown-territory",
            "b.yaml:6:3 unknown-key",
            "c.yaml:2:1 bad-yaml",
            "ids.csv:2:9 bad-id",
        ]
        assert (error.read, error.refused) == (1, 4)

    def test_all_contradictions_of_one_rule_are_told_at_once(self, tmp_path: Path) -> None:
        """Correcting a file must not require one run of the loader per contradiction."""
        text = "rules:\n- id: a\n  reason: terms\n  effect: suspend\n  withheld_in: IN\n"
        text += "  from: 2021-01-01T00:00:00Z\n  until: 2020-01-01T00:00:00Z\n"
        text += "  stays: {from: 2021-01-01T00:00:00Z, until: 2020-01-01T00:00:00Z}\n"
        write(tmp_path, {"in.yaml": text})
        found = {problem.code for problem in refusal(tmp_path).problems}
        assert found == {"no-subjects", "empty-period", "suspend-not-worldwide"}

    def test_a_rule_with_a_bad_value_is_still_checked_for_its_contradictions(self, tmp_path: Path) -> None:
        text = FINE.replace("terms", "law") + "  from: 2021-01-01T00:00:00Z\n  until: 2020-01-01T00:00:00Z\n"
        write(tmp_path, {"in.yaml": text})
        assert reported(refusal(tmp_path), tmp_path) == ["in.yaml:3:11 unknown-reason", "in.yaml:7:10 empty-period"]

    def test_a_rule_with_a_bad_value_still_has_its_ids_read(self, tmp_path: Path) -> None:
        text = RULE.replace("terms", "law") + "  ids_file: none.csv\n"
        write(tmp_path, {"in.yaml": text})
        assert reported(refusal(tmp_path), tmp_path) == ["in.yaml:3:11 unknown-reason", "in.yaml:5:13 unreadable-file"]

    def test_a_bad_group_does_not_hide_the_rules(self, tmp_path: Path) -> None:
        write(tmp_path, {"in.yaml": "groups: {gulf: [AE, Q1]}\n" + FINE.replace("IN", "gulf").replace("terms", "law")})
        assert reported(refusal(tmp_path), tmp_path) == [
            "in.yaml:1:21 unknown-territory",
            "in.yaml:4:11 unknown-reason",
        ]

    def test_read_and_refused_are_counted(self, tmp_path: Path) -> None:
        rules = "rules:\n" + "".join(
            f"- {{id: r{number}, accounts: {number}, withheld_in: IN, reason: terms}}\n" for number in range(5)
        )
        write(tmp_path, {"a.yaml": rules, "b.json": '{"rules": [null, 5, {}]}', "c.yaml": "rules: ["})
        error = refusal(tmp_path)
        assert (error.read, error.refused) == (4, 4), "account 0 is no id"

    def test_an_ids_file_that_two_rules_name_is_told_once(self, tmp_path: Path) -> None:
        text = f"{RULE}  ids_file: ids.csv\n"
        second = text.replace("id: a", "id: b").removeprefix("rules:\n")
        write(tmp_path, {"in.yaml": text + second, "ids.csv": "kind,id\naccount,x\n"})
        error = refusal(tmp_path)
        assert reported(error, tmp_path) == ["ids.csv:2:9 bad-id"]
        assert (error.read, error.refused) == (0, 2)


class TestRepetition:
    def test_an_id_used_twice_points_at_the_first(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.yaml": FINE, "b.yaml": "\n" + FINE.replace("IN", "TR")})
        error = refusal(tmp_path)
        assert error.problems == (
            Problem(
                "repeated-rule-id",
                "rule id `a` is used twice",
                Place(str(tmp_path / "b.yaml"), 3, 3),
                f"the first is at {tmp_path / 'a.yaml'}:2:3",
            ),
        )
        assert (error.read, error.refused) == (1, 1)

    def test_an_id_is_the_same_with_blanks_around_it(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.yaml": FINE, "b.yaml": FINE.replace("id: a", "id: ' a '")})
        assert reported(refusal(tmp_path), tmp_path) == ["b.yaml:2:3 repeated-rule-id"]

    @pytest.mark.parametrize(
        ("key", "first", "second", "also"),
        [
            ("accounts", "[1]", "[1, 2, x]", "7:20 bad-id"),
            ("stays", "[]", "[{}, {from: x}]", "7:22 not-an-instant"),
            ("except_in", "US", "[US, DR]", "7:19 unknown-territory"),
            ("demand", "D1", "[x]", "7:11 bad-value"),
        ],
    )
    def test_a_repeated_key_does_not_spoil_the_place_of_another_problem(
        self, tmp_path: Path, key: str, first: str, second: str, also: str
    ) -> None:
        write(tmp_path, {"in.yaml": f"{FINE.replace('accounts', 'tweets')}  {key}: {first}\n  {key}: {second}\n"})
        assert reported(refusal(tmp_path), tmp_path) == ["in.yaml:7:3 repeated-key", f"in.yaml:{also}"]

    def test_both_of_two_lists_of_rules_are_read(self, tmp_path: Path) -> None:
        """Otherwise some problems would be reported only after the first was corrected."""
        write(tmp_path, {"in.yaml": "rules: [{id: 5}]\nrules: [x, y]\n"})
        error = refusal(tmp_path)
        assert reported(error, tmp_path)[-3:] == [
            "in.yaml:2:1 repeated-key",
            "in.yaml:2:9 bad-rule",
            "in.yaml:2:12 bad-rule",
        ]
        assert (error.read, error.refused) == (0, 3)

    def test_a_key_repeated_deep_inside_is_told(self, tmp_path: Path) -> None:
        write(tmp_path, {"in.yaml": f"{FINE}  stays: [{{from: ~, from: ~}}]\n", "b.yaml": "groups: {g: IN, g: US}\n"})
        assert "in.yaml:6:21 repeated-key" in reported(refusal(tmp_path), tmp_path)

    def test_a_key_given_three_times_is_told_twice(self, tmp_path: Path) -> None:
        write(tmp_path, {"in.yaml": f"{FINE}  note: a\n  note: b\n  'note': c\n"})
        assert reported(refusal(tmp_path), tmp_path) == ["in.yaml:7:3 repeated-key", "in.yaml:8:3 repeated-key"]
