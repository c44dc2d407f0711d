"""The meaning of every key of a valid rule file, in YAML and in JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.sources.writing import FINE, RULE, write
from withhold import Disclosure, Effect, Period, Place, Reason, Rule, RuleSet, Settle

EVERY_KEY_YAML = """\
groups:
  gulf: [AE, BH]
rules:
  - id: in-d1
    accounts: [1101, 1102]
    tweets: [1355667106821046272]
    ids_file: {accounts: more.txt, tweets: tweets.txt}
    withheld_in: [IN, gulf]
    except_in: [IN-DL]
    from: 2021-02-10T10:30:00+05:30
    until: 2022-01-01T00:00:00Z
    stays:
      - {from: 2021-03-01T00:00:00Z, until: 2021-04-01T00:00:00Z}
      - until: 2021-02-11T00:00:00Z
    effect: withhold
    reason: legal_demand
    if_unknown: withhold
    demand: IN-D1
    jurisdiction: IN
    disclosure: full
    review_by: 2021-08-10T00:00:00+05:30
    note: re-imposed after review
    override: {no-end: "until the court rules, 2021-03-01"}
"""
EVERY_KEY_JSON = {
    "groups": {"gulf": ["AE", "BH"]},
    "rules": [
        {
            "id": "in-d1",
            "accounts": [1101, 1102],
            "tweets": ["1355667106821046272"],
            "ids_file": {"accounts": "more.txt", "tweets": "tweets.txt"},
            "withheld_in": ["IN", "gulf"],
            "except_in": ["IN-DL"],
            "from": "2021-02-10T10:30:00+05:30",
            "until": "2022-01-01T00:00:00Z",
            "stays": [
                {"from": "2021-03-01T00:00:00Z", "until": "2021-04-01T00:00:00Z"},
                {"until": "2021-02-11T00:00:00Z"},
            ],
            "effect": "withhold",
            "reason": "legal_demand",
            "if_unknown": "withhold",
            "demand": "IN-D1",
            "jurisdiction": "IN",
            "disclosure": "full",
            "review_by": "2021-08-10T00:00:00+05:30",
            "note": "re-imposed after review",
            "override": {"no-end": "until the court rules, 2021-03-01"},
        }
    ],
}
EVERY_KEY = Rule(
    id="in-d1",
    accounts=[1101, 1102, 7, 8],
    tweets=[1355667106821046272, 9],
    withheld_in=["IN", "AE", "BH"],
    except_in=["IN-DL"],
    from_=datetime(2021, 2, 10, 5, tzinfo=UTC),
    until=datetime(2022, 1, 1, tzinfo=UTC),
    stays=[
        Period(None, datetime(2021, 2, 11, tzinfo=UTC)),
        Period(datetime(2021, 3, 1, tzinfo=UTC), datetime(2021, 4, 1, tzinfo=UTC)),
    ],
    effect=Effect.WITHHOLD,
    reason=Reason.LEGAL_DEMAND,
    if_unknown=Settle.WITHHOLD,
    demand="IN-D1",
    jurisdiction="IN",
    disclosure=Disclosure.FULL,
    review_by=datetime(2021, 8, 9, 18, 30, tzinfo=UTC),
    note="re-imposed after review",
    override={"no-end": "until the court rules, 2021-03-01"},
)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("every.yaml", EVERY_KEY_YAML),
        ("every.YML", EVERY_KEY_YAML.replace("\n", "\r\n")),
        ("every.yml", "\ufeff" + EVERY_KEY_YAML),
        ("every.json", json.dumps(EVERY_KEY_JSON)),
        ("every.json", json.dumps(EVERY_KEY_JSON, separators=(",", ":"))),
        ("every.json", json.dumps(EVERY_KEY_JSON, indent="\t").replace("\n", "\r\n")),
        ("every.json", "\ufeff" + json.dumps(EVERY_KEY_JSON, indent=1)),
        ("every.JSON", json.dumps(EVERY_KEY_JSON).replace("a", "\\u0061").replace("/", "\\/")),
        ("every.yaml", json.dumps(EVERY_KEY_JSON)),
    ],
)
def test_every_key_is_read_whatever_the_format(tmp_path: Path, name: str, text: str) -> None:
    write(tmp_path, {name: text, "more.txt": "7\n8\n", "tweets.txt": "9\n"})

    rules = RuleSet.load(tmp_path / name)

    assert list(rules) == [EVERY_KEY]
    assert rules.warnings == ()
    assert rules.digest == RuleSet([EVERY_KEY]).digest


def test_a_rule_knows_where_it_stands(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"a.yaml": EVERY_KEY_YAML, "more.txt": "7", "tweets.txt": "9", "b.json": '{"rules": [\n\t' + RULE_JSON},
    )

    rules = RuleSet.load(tmp_path)

    assert rules["in-d1"].place == Place(str(tmp_path / "a.yaml"), 4, 5)
    assert rules["b"].place == Place(str(tmp_path / "b.json"), 2, 2)


RULE_JSON = '{"id": "b", "accounts": 1, "withheld_in": "IN", "reason": "terms"}]}'


@pytest.mark.parametrize(
    "spelling",
    ["NO", "no", "No", "'NO'", '"no"', "[NO]", "[no]", "\n  - NO"],
)
def test_norway_is_never_false(tmp_path: Path, spelling: str) -> None:
    """T6: with a YAML 1.1 reader, this rule would be withheld in `False`."""
    write(tmp_path, {"a.yaml": FINE.replace("IN", spelling)})
    assert RuleSet.load(tmp_path)["a"].withheld_in == ("NO",)


@pytest.mark.parametrize("scalar", ["1e3", "0x10", "2021-02-10", "true", "off", "~x", "1:30", "007", "=", "!"])
def test_a_text_stays_the_text_it_is(tmp_path: Path, scalar: str) -> None:
    """A rule id is never converted into a number, a date or a truth value."""
    write(tmp_path, {"a.yaml": FINE.replace("id: a", f"id: {scalar!r}"), "b.yaml": FINE.replace("id: a", "id: 1e3x")})
    assert scalar in RuleSet.load(tmp_path)


@pytest.mark.parametrize("scalar", ["1e3", "0x10", "2021-02-10", "true", "off", "1:30", "007", "1_000"])
def test_an_unquoted_text_stays_the_text_it_is(tmp_path: Path, scalar: str) -> None:
    write(tmp_path, {"a.yaml": FINE.replace("id: a", f"id: {scalar}")})
    assert scalar in RuleSet.load(tmp_path)


def test_a_json_literal_is_read_as_its_text(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"a.json": '{"rules":[' + '{"id":1.50,"demand":true,"accounts":1,"withheld_in":"IN","reason":"terms"}]}'},
    )
    rule = RuleSet.load(tmp_path)["1.50"]
    assert rule.demand == "true"


@pytest.mark.parametrize("nothing", ["", "~", "null", "Null", "NULL"])
@pytest.mark.parametrize(
    "key", ["tweets", "except_in", "from", "until", "stays", "if_unknown", "demand", "note", "override"]
)
def test_a_key_with_nothing_behind_it_is_a_key_left_out(tmp_path: Path, key: str, nothing: str) -> None:
    write(tmp_path, {"a.yaml": f"{FINE}  {key}: {nothing}\n", "b/a.yaml": FINE})
    assert RuleSet.load(tmp_path / "a.yaml").digest == RuleSet.load(tmp_path / "b").digest


def test_one_value_may_stand_for_a_list_of_one(tmp_path: Path) -> None:
    one = RULE + "  accounts: 5\n  tweets: 6\n  except_in: US\n  stays: {from: 2021-01-01T00:00:00Z}\n"
    listed = RULE.replace("IN", "[IN]") + (
        "  accounts: [5]\n  tweets: [6]\n  except_in: [US]\n  stays: [{from: 2021-01-01T00:00:00Z}]\n"
    )
    write(tmp_path, {"one.yaml": one, "listed.yaml": listed})
    assert RuleSet.load(tmp_path / "one.yaml").digest == RuleSet.load(tmp_path / "listed.yaml").digest


@pytest.mark.parametrize(
    ("written", "utc"),
    [
        ("2021-02-10T10:30:00+05:30", datetime(2021, 2, 10, 5, tzinfo=UTC)),
        ("2021-02-10 05:00:00Z", datetime(2021, 2, 10, 5, tzinfo=UTC)),
        ("2021-02-10T05:00Z", datetime(2021, 2, 10, 5, tzinfo=UTC)),
        ("2021-02-10T05:00:00.123456Z", datetime(2021, 2, 10, 5, 0, 0, 123456, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59.999999Z", datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
    ],
)
def test_an_instant_is_kept_in_utc(tmp_path: Path, written: str, utc: datetime) -> None:
    write(tmp_path, {"a.yaml": f"{FINE}  from: {written}\n"})
    found = RuleSet.load(tmp_path)["a"].from_
    assert found == utc
    assert found is not None
    assert found.tzinfo is UTC


def test_suspend_may_leave_its_territory_out(tmp_path: Path) -> None:
    """R6: a suspension is always worldwide."""
    text = "rules:\n- {id: a, accounts: 1, effect: suspend, reason: terms}\n"
    write(tmp_path, {"a.yaml": text, "b/a.yaml": text.replace("effect", "withheld_in: WORLD, effect")})
    assert RuleSet.load(tmp_path / "a.yaml")["a"].withheld_in == ("WORLD",)
    assert RuleSet.load(tmp_path / "a.yaml").digest == RuleSet.load(tmp_path / "b").digest


@pytest.mark.parametrize("text", ["rules: []\n", "groups: {gulf: AE}\n", '{"rules": []}', "groups:\nrules: []"])
def test_a_file_may_have_no_rule(tmp_path: Path, text: str) -> None:
    write(tmp_path, {"a.yaml": text})
    assert len(RuleSet.load(tmp_path)) == 0


def test_an_id_given_twice_in_one_rule_counts_once(tmp_path: Path) -> None:
    write(
        tmp_path, {"a.yaml": RULE + "  accounts: [5, 5, 5]\n  ids_file: {accounts: ids.txt}\n", "ids.txt": "5\n5\n6\n"}
    )
    assert list(RuleSet.load(tmp_path)["a"].accounts) == [5, 6]


@pytest.mark.parametrize("extreme", [1, 2**53, 2**53 + 1, 2**63 - 1])
def test_ids_are_read_to_the_last_digit(tmp_path: Path, extreme: int) -> None:
    json_rule = RULE_JSON.replace('"accounts": 1', f'"accounts": {extreme}')
    write(tmp_path, {"a.yaml": f"{RULE}  tweets: [{extreme}]\n", "b.json": '{"rules": [' + json_rule})
    rules = RuleSet.load(tmp_path)
    assert list(rules["a"].tweets) == list(rules["b"].accounts) == [extreme]


class TestGroups:
    def test_a_group_of_one_file_serves_all_files(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.yaml": FINE.replace("IN", "gulf"), "z.yaml": "groups: {Gulf: [ae, BH]}\n"})
        assert RuleSet.load(tmp_path)["a"].withheld_in == ("AE", "BH")

    @pytest.mark.parametrize("written", ["gulf", "GULF", "Gulf", "[gulf, AE]", "[gulf, gulf]"])
    def test_a_group_is_read_in_any_case(self, tmp_path: Path, written: str) -> None:
        write(tmp_path, {"a.yaml": "groups: {gulf: [AE, BH]}\n" + FINE.replace("IN", written)})
        assert RuleSet.load(tmp_path)["a"].withheld_in == ("AE", "BH")

    def test_a_group_may_hold_one_that_is_known_anyway(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.yaml": "groups: {nordic: [EU, NO]}\n" + FINE.replace("IN", "nordic")})
        found = RuleSet.load(tmp_path)["a"].withheld_in
        assert len(found) == 28
        assert {"NO", "SE"} < set(found)

    def test_a_group_can_be_an_exception(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.yaml": FINE.replace("IN", "WORLD") + "  except_in: EEA\n"})
        assert len(RuleSet.load(tmp_path)["a"].except_in) == 30

    def test_a_group_leaves_no_trace_in_the_digest(self, tmp_path: Path) -> None:
        """Rules contain their territories, not the names of groups."""
        write(tmp_path, {"g/a.yaml": "groups: {gulf: [AE]}\n" + FINE.replace("IN", "gulf")})
        write(tmp_path, {"p/a.yaml": FINE.replace("IN", "AE")})
        assert RuleSet.load(tmp_path / "g").digest == RuleSet.load(tmp_path / "p").digest


def test_a_rule_knows_where_its_keys_stand_and_rules_laid_out_alike_share_that(tmp_path: Path) -> None:
    """Only lint uses the places of keys, so they must take almost no memory in a rule set with many rules."""
    again = FINE.partition("\n")[2].replace("id: a", "id: b").replace("accounts: 1", "accounts: 2")
    write(tmp_path, {"a.yaml": FINE + again})
    one, other = RuleSet.load(tmp_path)
    assert one.layout is other.layout
    file = str(tmp_path / "a.yaml")
    assert [rule.place_of("accounts") for rule in (one, other)] == [Place(file, 5, 3), Place(file, 9, 3)]
    assert one.place_of("tweets") == one.place_of("accounts", "reason") == one.place == Place(file, 2, 3)
    assert Rule(id="c", accounts=[1], withheld_in=["IN"], reason="terms").place_of("accounts") is None
