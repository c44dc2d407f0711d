"""Each check: when it fires, when it is silent, and that an override silences it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.lint.advising import DAY, END, LATER_TWEET, START, TWEET, advised, problems_with, rule
from withhold import InstantError, Rule, RuleSet
from withhold.lint import CHECKS, OVERRIDE_CODES, Category, Protected, lint

WATCHED = (Protected(17, Category.JOURNALIST, "A. Writer"), Protected(99, Category.ACTIVIST))
# Tweets of 2012: just enough of them to detect that a spreadsheet has rounded them.
ROUNDED = [2_000_000_000_000_010_00 + number * 1_000_000 for number in range(5)]
LOOK_ROUNDED = "look rounded: the rule set has more such ids than chance explains"

# The code, severity and message of a problem, and the rules that cause exactly this problem, in the first of them.
FIRES: list[tuple[str, str, str, list[Rule]]] = [
    (
        "never-in-force",
        "warning",
        "the rule is never in force: its stays cover its whole period",
        [rule(stays=[(START, None)])],
    ),
    (
        "stay-without-effect",
        "warning",
        "a stay has no effect: it starts at `2021-05-11T05:00:00Z`, after the rule has ended",
        [rule(stays=[(END, END + DAY)])],
    ),
    (
        "stay-without-effect",
        "warning",
        "a stay has no effect: it ends at `2021-02-10T05:00:00Z`, before the rule comes into force",
        [rule(stays=[(None, START)])],
    ),
    (
        "withholds-nowhere",
        "error",
        "the rule withholds nowhere: `except_in` covers all of `withheld_in`",
        [rule(except_in=["IN"])],
    ),
    (
        "withholds-nowhere",
        "error",
        "the rule withholds nowhere: `except_in` covers all of `withheld_in`",
        [rule(withheld_in=["IN-DL"], except_in=["WORLD"], if_unknown="show")],
    ),
    (
        "shadowed",
        "warning",
        "rule `b` withholds everything that this rule withholds",
        [rule(), rule(id="b", accounts=[17, 18])],
    ),
    (
        "shadowed",
        "note",
        "rule `b` withholds everything that this rule withholds, for another demand",
        [rule(), rule(id="b", accounts=[17, 18], demand="IN-D2")],
    ),
    (
        "shadowed",
        "note",
        "rule `b` withholds everything that this rule withholds, with another disclosure",
        [rule(), rule(id="b", accounts=[17, 18], disclosure="none")],
    ),
    (
        "shadowed",
        "note",
        "rule `b` withholds everything that this rule withholds, for another jurisdiction",
        [rule(), rule(id="b", accounts=[17, 18], jurisdiction="IN-DL", withheld_in=["IN"], reason="terms")],
    ),
    ("no-end", "note", "the rule has neither `until` nor `review_by`", [rule(until=None)]),
    (
        "review-overdue",
        "warning",
        "the review was due by `2021-05-11T05:00:00Z`",
        [rule(until=None, review_by=END)],
    ),
    (
        "review-overdue",
        "warning",
        "the review was due by `2021-02-09T05:00:00Z`",
        [rule(until=END + DAY, review_by=START - DAY)],
    ),
    (
        "no-beginning",
        "note",
        "the rule has no `from`, so it counts as in force at any time in the past",
        [rule(from_=None)],
    ),
    (
        "id-not-yet-made",
        "warning",
        f"`{LATER_TWEET}` did not exist yet at the rule's `from`",
        [rule(tweets=[20, TWEET, LATER_TWEET])],
    ),
    (
        "id-not-yet-made",
        "warning",
        f"`{LATER_TWEET}` did not exist yet at the rule's `from`",
        [rule(accounts=[LATER_TWEET])],
    ),
    (
        "id-not-yet-made",
        "error",
        f"`{LATER_TWEET}` did not exist yet at the rule's `until`",
        [rule(tweets=[LATER_TWEET], until=START + DAY)],
    ),
    (
        "rounded-ids",
        "warning",
        f"`{ROUNDED[0]}`, `{ROUNDED[1]}`, `{ROUNDED[2]}` and 2 more {LOOK_ROUNDED}",
        [rule(tweets=ROUNDED)],
    ),
    (
        "account-among-tweets",
        "warning",
        "`17` is listed as a tweet here and as an account in this rule",
        [rule(tweets=[17])],
    ),
    (
        "account-among-tweets",
        "warning",
        "`18` is listed as a tweet here and as an account in rule `b`",
        [rule(tweets=[18, 19]), rule(id="b", accounts=[18])],
    ),
    (
        "account-among-tweets",
        "warning",
        "`205282515685081088` is listed as an account, but only tweets have ids of this size",
        [rule(accounts=[17, 205282515685081088])],
    ),
    (
        "beyond-its-country",
        "error",
        "the jurisdiction is `IN`, but the rule withholds in `PK, US-MS`",
        [rule(withheld_in=["IN", "PK", "US-MS"], if_unknown="show")],
    ),
    (
        "beyond-its-country",
        "error",
        "the jurisdiction is `IN`, but the rule withholds in `PK`",
        [rule(withheld_in=["PK"], demand=None, reason="local_law")],
    ),
    (
        "beyond-its-country",
        "error",
        "the jurisdiction is `EU`, but the rule withholds in `CH`",
        [rule(withheld_in=["DE", "RE", "CH"], demand="FR-D7", jurisdiction="EU")],
    ),
    (
        "beyond-its-country",
        "error",
        "the jurisdiction is `US-TX`, but the rule withholds in `US (except US-TX)`",
        [rule(withheld_in=["US"], demand="US-D7", jurisdiction="US-TX")],
    ),
    (
        "unnamed-jurisdiction",
        "warning",
        "the rule has the reason `legal_demand`, but names no jurisdiction",
        [rule(jurisdiction=None)],
    ),
    (
        "unnamed-jurisdiction",
        "warning",
        "the rule has the reason `local_law`, but names no jurisdiction",
        [rule(jurisdiction=None, demand=None, reason="local_law")],
    ),
    (
        "worldwide-for-one-country",
        "error",
        "the rule withholds worldwide, but its reason `legal_demand` applies in one jurisdiction only",
        [rule(withheld_in=["WORLD"])],
    ),
    (
        "worldwide-for-one-country",
        "error",
        "the rule suspends worldwide, but its reason `local_law` applies in one jurisdiction only",
        [rule(withheld_in=[], effect="suspend", reason="local_law")],
    ),
    ("protected-account", "error", "the rule names protected account `17 (A. Writer, journalist)`", [rule()]),
    (
        "protected-account",
        "error",
        "the rule names protected accounts `17 (A. Writer, journalist)`, `99 (activist)`",
        [rule(accounts=[99, 17])],
    ),
    (
        "overseas-left-out",
        "note",
        "`NL` (Netherlands) does not include `AW`, `BQ`, `CW`, `SX`",
        [rule(withheld_in=["NL"], demand="NL-3", jurisdiction="NL")],
    ),
    ("unnamed-demand", "warning", "the rule has the reason `legal_demand`, but names no demand", [rule(demand=None)]),
    (
        "unsettled-subdivision",
        "note",
        "the rule names `US-MS`, but does not decide for viewers whose subdivision is unknown",
        [rule(withheld_in=["US-MS"], demand="US-1", jurisdiction="US")],
    ),
]

SILENT: list[tuple[str, list[Rule]]] = [
    ("never-in-force", [rule(stays=[(START, END - DAY)])]),
    ("stay-without-effect", [rule(stays=[(START - DAY, START + DAY), (None, START + DAY), (END - DAY, None)])]),
    ("withholds-nowhere", [rule(except_in=["IN-DL"], if_unknown="show")]),
    ("no-end", [rule(), rule(id="b", until=None, review_by=END + DAY)]),
    ("review-overdue", [rule(until=None), rule(id="b", until=None, review_by=END + timedelta.resolution)]),
    ("review-overdue", [rule(until=END, review_by=START)]),
    ("no-beginning", [rule()]),
    # Created in the very millisecond; too old to carry a time; account ids too small to carry one; a bound after all ids.
    ("id-not-yet-made", [rule(tweets=[1359366482949046272 + 5])]),
    ("id-not-yet-made", [rule(from_=START.replace(year=2006), tweets=[20, 29_700_859_246])]),
    ("id-not-yet-made", [rule(from_=START.replace(year=2007), accounts=[9_001_000_000_001])]),
    ("id-not-yet-made", [rule(tweets=[LATER_TWEET], from_=START.replace(year=9990), until=START.replace(year=9999))]),
    ("rounded-ids", [rule(tweets=[1355667106821046301 + 2 * number for number in range(20)])]),
    ("rounded-ids", [rule(tweets=[*range(1355667106821046301, 1355667106821047301, 2), 1355667106821046300])]),
    ("account-among-tweets", [rule(accounts=[17, 9_001_000_000_001, 822215679726100480], tweets=[20, TWEET])]),
    ("beyond-its-country", [rule(withheld_in=["IN-DL"], if_unknown="show")]),
    ("beyond-its-country", [rule(withheld_in=["US-CA"], demand="CA-D9", jurisdiction="US-CA")]),
    ("beyond-its-country", [rule(withheld_in=["US-CA"], demand="D9", jurisdiction="US")]),
    ("beyond-its-country", [rule(withheld_in=["IT-RM"], jurisdiction="IT-62")]),
    ("beyond-its-country", [rule(withheld_in=["FR", "RE"], demand="FR-1", jurisdiction="FR")]),
    ("beyond-its-country", [rule(withheld_in=["EU", "RE", "AX"], demand="FR-1", jurisdiction="EU")]),
    ("beyond-its-country", [rule(withheld_in=["GB", "IM"], demand="UK-1", jurisdiction="GB")]),
    ("beyond-its-country", [rule(withheld_in=["IN", "PK"], except_in=["PK"])]),
    ("beyond-its-country", [rule(withheld_in=["DE", "IN"], reason="copyright")]),
    ("unnamed-jurisdiction", [rule(jurisdiction=None, reason="copyright"), rule(id="b", reason="terms")]),
    ("worldwide-for-one-country", [rule(withheld_in=[], effect="suspend", reason="terms")]),
    ("worldwide-for-one-country", [rule(withheld_in=["WORLD"], reason="copyright")]),
    ("protected-account", [rule(accounts=[18], tweets=[99])]),
    ("overseas-left-out", [rule(withheld_in=["FR", "RE"], demand="FR-1")]),
    ("overseas-left-out", [rule(withheld_in=["DK", "NL"], jurisdiction="EU")]),
    ("overseas-left-out", [rule(withheld_in=["ES", "PT"], demand=None, reason="terms")]),
    ("overseas-left-out", [rule(withheld_in=["WORLD"], except_in=["FR"], reason="copyright")]),
    ("unnamed-demand", [rule(demand=None, reason="local_law")]),
    ("unsettled-subdivision", [rule(withheld_in=["US-MS"], demand="US-1", if_unknown="show")]),
]


def guessed(demand: str | None, *codes: str) -> list[str]:
    rules = [rule(withheld_in=codes, demand=demand, jurisdiction=None)]
    return [f"{found.severity}: {found.message}" for found in problems_with("beyond-its-country", rules)]


@pytest.mark.parametrize(
    ("demand", "country"),
    [("IN-D1", "IN"), ("in_2021/7", "IN"), ("EU-D17", "EU"), ("UK-2021-1", "GB"), ("FR-D1", "FR"), ("TR-D1", "TR")],
)
def test_without_a_jurisdiction_the_id_of_a_demand_suggests_one(demand: str, country: str) -> None:
    """The README lists some of these ids, and some of those of the next test."""
    assert guessed(demand, "IN-DL", "DE", "IM", "RE", "TR", "BR")[0].startswith(
        f"warning: demand `{demand}` seems to come from `{country}`, but the rule withholds in `"
    )
    assert guessed(demand, "BR") == [], "a guess outside of the rule's territories is not believed"


@pytest.mark.parametrize(
    "demand",
    [
        None,
        "TR-7",
        "IN 7",
        "IND-D1",
        "ID-123",
        "GULF-7",
        "NO_17",
        "TO-DO",
        "no_demand",
        "IN RE 7",
        "CA/12/2020",
        "IND1",
    ],
)
def test_the_country_of_a_demand_is_not_guessed(demand: str | None) -> None:
    assert guessed(demand, "IN", "BR", "TR", "ID", "NO", "TO", "CA") == []


def test_the_guess_is_doubted() -> None:
    assert guessed("CA-D1", "US-CA", "CA") == [], "it is a demand from California"
    assert guessed("IT-69A-2021-7", "IN", "PK") == [], "the number of a section of a law of India"
    assert guessed("IN-D1", "IN") == []


@pytest.mark.parametrize(("code", "severity", "message", "rules"), FIRES)
def test_it_fires_and_an_override_silences_it(code: str, severity: str, message: str, rules: list[Rule]) -> None:
    watched = WATCHED if code == "protected-account" else ()
    (problem,) = problems_with(code, rules, watched)
    assert (problem.severity, problem.message) == (severity, message)
    assert problem.place == "rule `a`"
    assert problem.hint
    others = {each.code for each in lint(RuleSet(rules), watched)} - {code}
    assert others <= {each.code for each in lint(RuleSet([rule()]))}, "no other check fires that is silent on `rule()`"

    keys = {name: getattr(rules[0], name) for name in Rule.__dataclass_fields__ if name not in ("place", "periods")}
    silenced = Rule(**{**keys, "override": {code: "the court said so"}})
    assert problems_with((code, *OVERRIDE_CODES), [silenced, *rules[1:]], watched) == []


@pytest.mark.parametrize(("code", "rules"), SILENT)
def test_it_is_silent(code: str, rules: list[Rule]) -> None:
    assert problems_with(code, rules, WATCHED) == []


def test_every_check_has_a_test_here() -> None:
    codes = {check.code for check in CHECKS}
    assert codes == {code for code, *_ in FIRES}
    assert codes - {"shadowed"} == {code for code, _ in SILENT}, "`test_shadows.py` tests `shadowed`"


def test_a_review_is_overdue_from_its_instant_on_until_the_rule_ends() -> None:
    due = rule(until=END, review_by=START)
    tick = timedelta.resolution
    found = {at: bool(problems_with("review-overdue", [due], at=at)) for at in (START - tick, START, END - tick, END)}
    assert list(found.values()) == [False, True, True, False]
    with pytest.raises(InstantError):
        lint(RuleSet([due]), at=START.replace(tzinfo=None))
    assert "review-overdue" in {each.code for each in lint(RuleSet([rule(until=None, review_by=END)]))}, "now is later"


def test_ids_that_an_override_vouches_for_do_not_make_others_suspect() -> None:
    """One exact id that looks rounded is chance, also beside five that an override vouches for."""
    many = [*range(1355667106821046301, 1355667106821046501, 2), 1355667106821046300]
    vouched = rule(tweets=ROUNDED, override={"rounded-ids": "checked against the order"})
    assert advised("rounded-ids", vouched, rule(id="b", accounts=[18], tweets=many)) == []


def test_ids_of_many_rules_are_judged_together() -> None:
    """Each rule alone has too few of them; each rule that has one is reported."""
    spread = [rule(id=f"r{n}", accounts=[n + 1], tweets=[number]) for n, number in enumerate(ROUNDED)]
    assert advised("rounded-ids", *spread) == [f"warning rule `r{n}`: rounded-ids" for n in range(5)]


def test_each_country_of_a_group_is_reported_for_its_overseas_territories() -> None:
    def reported(**keys: str) -> list[str]:
        return [found.message for found in problems_with("overseas-left-out", [rule(withheld_in=["EU"], **keys)])]

    assert [message[:4] for message in reported(reason="terms")] == ["`DK`", "`FI`", "`FR`", "`NL`"]
    assert reported(jurisdiction="EU") == [
        "`FI` (Finland) does not include `AX`",
        "`FR` (France) does not include `GF`, `GP`, `MF`, `MQ`, `RE`, `YT`",
    ], "the law of the EU does not apply in the others"
