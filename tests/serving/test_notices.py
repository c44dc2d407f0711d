"""What viewers are told: everything that `disclosure` allows, and nothing else."""

import asyncio
import json
import sys
from dataclasses import replace
from itertools import product
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from tests import strategies as house
from withhold import (
    Decision,
    Disclosure,
    Engine,
    Outcome,
    Policy,
    Reason,
    Rule,
    RuleSet,
    Scope,
    TerritorySet,
    Tweet,
    Viewer,
)
from withhold.serving.languages import ENGLISH, Wordings, place_names
from withhold.serving.notices import DemandDetails, Notice, disclosed_count, notices_in
from withhold.territories import GROUPS, countries, subdivisions

WORDINGS = Wordings()
DETAILS = {"SEALED-1": DemandDetails(authority="the Sealed Court", law="Act 69A", persons="its residents")}
LEAVES = [
    code
    for country in countries()
    for parts in [subdivisions(country)]
    for code in (set(parts) - set(parts.values()) or [country])
]
IN_INDIA = Viewer(country="IN", account_id=17)


def decided(viewer: Viewer = IN_INDIA, *, by_tweet: bool = False, author: bool = False, **keys: Any) -> Decision:
    named = {"tweets": [9]} if by_tweet else {"accounts": [17]}
    given = {"id": "rule-7", "withheld_in": ["IN"], "reason": "legal_demand", "demand": "SEALED-1", "note": "a raid"}
    rules = RuleSet([Rule(**(given | named | keys))])
    return Engine(rules, policy=Policy(author_sees_own=author)).check((9, 17), viewer)


def worded(*withheld_in: str, except_in: tuple[str, ...] = (), language: str = "en") -> str:
    decision = decided(Viewer.unknown(), withheld_in=withheld_in, except_in=except_in, if_unknown="withhold")
    notice = Notice.of(decision)
    assert notice is not None
    text = WORDINGS.text(notice, language).text
    return text.removeprefix("This account has been withheld ").removesuffix(" in response to a legal demand.")


@pytest.mark.parametrize(
    ("kind", "scope", "reason"), list(product(("withheld", "suspended", "own"), Scope, Reason)), ids=str
)
def test_every_combination_has_a_key_and_a_text(kind, scope, reason):
    keys: dict[str, Any] = {"effect": "suspend", "withheld_in": ["WORLD"]} if kind == "suspended" else {}
    notice = Notice.of(decided(by_tweet=scope is Scope.TWEET, author=kind == "own", reason=reason, **keys))
    assert notice is not None
    assert (notice.kind, notice.scope, notice.reason) == (kind, scope, reason)
    assert notice.key == f"{kind}-{scope}-{reason}".replace("_", "-")
    assert notice.withheld_in == (() if kind == "suspended" else ("IN",))
    text = WORDINGS.text(notice)
    assert ("in India" in text.text) is (kind != "suspended")
    assert scope in text.text
    assert text[1:] == ("en", "ltr")


def test_the_notices_in_a_tweet_replace_what_is_hidden_and_name_what_only_its_author_sees():
    rules = RuleSet(
        [
            Rule(id="a", accounts=[17], withheld_in=["IN"], reason="terms"),
            Rule(id="b", tweets=[9], withheld_in=["IN"], reason="legal_demand", disclosure="none"),
        ]
    )
    view = Engine(rules, Policy(author_sees_own=True)).view(IN_INDIA)
    secret, plain = Tweet(9, 5), Tweet(8, 6)
    own = Tweet(7, 17, retweet_of=Tweet(6, 17, quoted=secret), quoted=Tweet(5, 6, quoted=secret))
    found = notices_in(view.check_tweet(own))
    assert {path: notice.key for path, notice in found.items()} == {
        (): "own-account-terms",
        ("quoted", "quoted"): "unavailable-tweet",
        ("retweet_of", "quoted"): "unavailable-tweet",
    }
    assert notices_in(view.check_tweet(plain)) == {}
    assert notices_in(view.check_tweet(secret)) == {(): Notice.unavailable()}


def test_secret_items_are_not_counted():
    rules = [
        Rule(id=f"r{number}", tweets=[number], withheld_in=["IN"], reason="terms", disclosure=disclosure)
        for number, disclosure in enumerate(Disclosure, 1)
    ]
    page = Engine(RuleSet(rules)).view(IN_INDIA).filter([(number, 5) for number in range(1, 9)])
    assert (len(page.hidden), disclosed_count(page)) == (3, 2)


def test_visible_content_has_no_notice():
    assert Notice.of(decided(Viewer(country="US"))) is None


class TestDisclosure:
    secrets = ("SEALED-1", "rule-7", "raid", "Sealed Court", "69A", "residents", "legal", "IN", "India", "withh")

    @pytest.mark.parametrize("effect", ["withhold", "suspend"])
    @pytest.mark.parametrize("about", Scope)
    def test_a_secret_rule_is_like_a_tweet_that_does_not_exist(self, effect, about):
        keys: dict[str, Any] = {"effect": effect, "withheld_in": ["WORLD"]}
        notice = Notice.of(decided(disclosure="none", **keys), details=DETAILS, about=about)
        assert notice == Notice.unavailable(about)
        sent = TypeAdapter(Notice).dump_json(notice).decode() + WORDINGS.text(notice).text + repr(notice)
        for secret in self.secrets:
            assert secret not in sent.replace("withheld_in", "")
        assert f"This {about} is unavailable." in sent

    def test_authors_of_content_withheld_in_secret_are_told_nothing(self):
        assert decided(author=True, disclosure="none").exempt == "author"
        assert Notice.of(decided(author=True, disclosure="none"), details=DETAILS) is None

    def test_a_secret_rule_elsewhere_leaves_no_trace_in_a_public_notice(self):
        public = Rule(id="public", accounts=[17], withheld_in=["IN"], reason="local_law")
        secret = Rule(id="secret", tweets=[9], withheld_in=["TR"], reason="legal_demand", disclosure="none")
        with_, without = (Engine(RuleSet(rules)).check((9, 17), IN_INDIA) for rules in ([public, secret], [public]))
        assert str(with_.territories) == "IN, TR"
        assert Notice.of(with_) == Notice.of(without)

    def test_one_secret_rule_silences_the_others_that_apply(self):
        public = Rule(id="a", accounts=[17], withheld_in=["IN"], reason="local_law", disclosure="full")
        secret = Rule(id="b", tweets=[9], withheld_in=["IN"], reason="legal_demand", disclosure="none")
        found = Engine(RuleSet([public, secret])).check((9, 17), IN_INDIA)
        assert Notice.of(found) == Notice.unavailable()

    def test_details_are_for_full_disclosure_only(self):
        full = Notice.of(decided(disclosure="full"), details=DETAILS)
        assert full is not None
        assert (full.authority, full.law, full.persons) == ("the Sealed Court", "Act 69A", "its residents")
        assert WORDINGS.text(full).text == (
            "This account has been withheld in India in response to a legal demand. The demand came from the Sealed Court."
            " Its basis is Act 69A. It applies to its residents."
        )
        assert Notice.of(decided(disclosure="reason"), details=DETAILS) == Notice.of(decided())
        assert Notice.of(decided(disclosure="full", demand="D-2"), details=DETAILS) == Notice.of(decided())

    def test_a_decision_made_by_hand_reveals_nothing_without_a_disclosure(self):
        assert Notice.of(replace(decided(), disclosure=None)) == Notice.unavailable()

    def test_something_else_than_a_decision_is_refused(self):
        with pytest.raises(TypeError, match=r"\[not-a-decision\]"):
            Notice.of(Engine(RuleSet()).view(IN_INDIA).check_tweet(Tweet(9, 17)))  # type: ignore[arg-type]

    @pytest.mark.parametrize("value", ["a\x00", "\ud800", "\x1b[31m", "\x9b", 5, b"Ministry", ["Ministry"]])
    @pytest.mark.parametrize("name", ["authority", "law", "persons"])
    def test_details_that_cannot_be_sent_are_refused(self, name, value):
        with pytest.raises(ValueError, match=rf"{name} .* is not text without control characters \[bad-details\]"):
            DemandDetails(**{name: value})

    def test_details_of_another_type_are_refused(self):
        with pytest.raises(TypeError, match=r"\[bad-details\]"):
            Notice.of(decided(disclosure="full"), details={"SEALED-1": {"law": "Act 69A"}})  # type: ignore[dict-item]

    @given(house.rule_sets(), house.policies, house.subjects, house.viewers(), house.instants)
    def test_no_notice_depends_on_anything_but_what_may_be_revealed(self, rules, policy, subject, viewer, at):
        """Without the secret rules elsewhere, and with other ids, demands and notes, the notice is the same."""
        found = Engine(rules, policy=policy).check(subject, viewer, at=at)
        kept = [rule for rule in rules if rule.id in found.rule_ids or rule.disclosure is not Disclosure.NONE]
        others = [replace(rule, id=f"x{rule.id}", demand="other", note=None, override=()) for rule in kept]
        again = Engine(RuleSet(others), policy=policy).check(subject, viewer, at=at)
        details = {"D1": DemandDetails(authority="A"), "D2": DemandDetails(authority="A")}
        notices = [Notice.of(found, details=details), Notice.of(again, details={"other": DemandDetails(authority="A")})]
        if all(rule.demand or rule.disclosure is not Disclosure.FULL for rule in kept):
            assert notices[0] == notices[1]
        if notices[0] is not None:
            assert WORDINGS.text(notices[0]).text
            if notices[0].kind != "unavailable" and not found.suspended:
                told = TerritorySet(notices[0].withheld_in) - TerritorySet(notices[0].except_in)
                assert [code for code in LEAVES if (code in told) != (code in found.disclosed_in)] == []


class TestTerritories:
    @pytest.mark.parametrize(
        ("withheld_in", "except_in", "text"),
        [
            (["IN"], (), "in India"),
            (["IN", "TR"], (), "in India and Türkiye"),
            (["IN", "TR", "US"], (), "in India, Türkiye, and the United States"),
            (["EU"], (), "in the European Union"),
            (["EU", "GB"], (), "in the European Union and the United Kingdom"),
            (["EEA"], (), "in the European Economic Area"),
            (["WORLD"], (), "worldwide"),
            (["WORLD"], ("US",), "everywhere except the United States"),
            (["WORLD"], ("EU",), "everywhere except the European Union"),
            (["WORLD"], ("US-MS", "IN"), "everywhere except India and Mississippi (United States)"),
            (["US-MS"], (), "in Mississippi, United States"),
            (["US-MS", "FR"], (), "in France and Mississippi (United States)"),
            (["US", "FR"], ("US-MS",), "in France and the United States (except Mississippi)"),
        ],
    )
    def test_sets_read_well(self, withheld_in, except_in, text):
        assert worded(*withheld_in, except_in=except_in) == text

    def test_long_lists_are_whole(self):
        without_one = [code for code in GROUPS["EU"] if code != "FR"]
        assert worded(*without_one).count(",") == 25

    @pytest.mark.parametrize("language", ["ar", "he", "hi", "de", "zh-Hant", "fa"])
    def test_every_country_has_a_name_in_every_language(self, language):
        for country in countries():
            name = place_names([country], language)
            assert name
            assert language == "de" or not name.isascii(), country

    def test_names_in_right_to_left_languages(self):
        assert place_names(["IN", "TR"], "ar") == "الهند وتركيا"
        assert place_names(["IN", "TR"], "he") == "הודו וטורקיה"
        assert place_names(["IN", "TR"], "xx, ;q=9, *") == "India and Türkiye"


class TestLanguages:
    templates = {  # noqa: RUF012
        "ar": {"withheld-account-legal-demand": "حُجب هذا الحساب في {where} استجابةً لطلب قانوني."},
        "zh-Hant": {},
        "zh": {},
        "pt-BR": {**ENGLISH, "unavailable-tweet": "Este tweet não está disponível."},
    }

    @pytest.mark.parametrize(
        ("header", "language"),
        [
            (None, "en"),
            ("", "en"),
            ("ar", "ar"),
            ("AR-eg, en;q=0.9", "ar"),
            ("fr, ar;q=0.2", "ar"),
            ("ar;q=0.3, en;q=0.8", "en"),
            ("ar;q=0, pt-BR;q=0.1", "pt-BR"),
            ("pt-br", "pt-BR"),
            ("zh-HK, ar;q=0.9", "zh-Hant"),
            ("zh-Hant-TW", "zh-Hant"),
            ("zh", "zh"),
            ("zh-SG", "zh"),
            ("xx-YY, *;q=0.5", "en"),
            ("ar;q=x", "en"),
            ("../../ar, \u0661, a" + "-a" * 5000, "en"),
        ],
    )
    def test_negotiation(self, header, language):
        assert Wordings(self.templates).negotiate(header) == language

    @given(st.text() | st.from_regex(r"[a-zA-Z-]{2,9}(;q=[0-9.]{1,3})?(,[a-z-]{2,5})*"))
    def test_no_header_raises_an_error(self, header):
        assert Wordings(self.templates).negotiate(header) in {"en", *self.templates}
        assert place_names(["IN"], header)

    def test_babel_gets_only_languages_that_it_has(self, monkeypatch):
        """It searches all languages for an unknown one, and keeps the result for ever. Viewers choose the tags."""
        from babel import localedata

        asked: list[str] = []
        known = {*localedata.locale_identifiers()}
        wordings = Wordings({"ar": {}, "zh-TW": {}})
        monkeypatch.setattr("babel.core.localedata.exists", lambda name: not asked.append(name))  # type: ignore[func-returns-value]
        for tag in ("tlh", "hi-US", "qqq-Abcd-XX", "iw-IL", "zh-Hant-US", "de-u-co", "sr-ME", "ar-Latn-ZZ"):
            wordings.negotiate(tag)
        assert {*asked} <= known
        assert {"he_IL", "sr_Latn_ME"} <= {*asked}

    def test_a_text_is_in_one_language(self):
        wordings, notice = Wordings(self.templates), Notice.of(decided(withheld_in=["IN", "TR"]))
        assert notice is not None
        assert wordings.text(notice, "ar") == ("حُجب هذا الحساب في الهند وتركيا استجابةً لطلب قانوني.", "ar", "rtl")
        for untranslated in (replace(notice, withheld_in=("WORLD",)), replace(notice, law="{where} Act")):
            found = wordings.text(untranslated, "ar")
            assert found.language == "en"
            assert found.text.startswith("This account has been withheld ")

    @pytest.mark.parametrize(
        ("templates", "said"),
        [
            ({"xx-no": {}}, "unknown language `xx-no`"),
            ({"de": {"unavailable": "x"}}, "unknown key `unavailable`"),
            ({"de": {"unavailable-tweet": "{where}"}}, "no placeholders"),
            ({"de": {"withheld-tweet-terms": "x"}}, "must have `{where}`"),
            ({"de": {"withheld-tweet-terms": "{where.__class__}"}}, "must have `{where}`"),
            ({"de": {"withheld-tweet-terms": "{where:{where}}"}}, "must have `{where}`"),
            ({"de": {"withheld-tweet-terms": "{where"}}, "unbalanced braces"),
            ({"de": {"unavailable-tweet": "\x00"}}, "without control characters"),
            ({"de": {"unavailable-tweet": "\ud800"}}, "without control characters"),
            ({"de": {"unavailable-tweet": 5}}, "without control characters"),
        ],
    )
    def test_templates_that_would_fail_later_are_refused(self, templates, said):
        with pytest.raises(ValueError, match=r"\[bad-wordings\]$") as refused:
            Wordings({"xx": {}} | templates)
        assert said in str(refused.value)
        assert "unknown language `xx`" in str(refused.value)

    def test_a_missing_babel_is_reported_when_wordings_are_made(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "babel.core", None)
        with pytest.raises(ImportError, match=r"\[missing-extra\]; install the extra `serving` of withhold"):
            Wordings()
        assert Notice.of(decided()) is not None  # clients that translate keys need no Babel


class TestFrameworks:
    def test_a_notice_is_a_response_model(self):
        app = FastAPI()
        # Without annotations in the source, because FastAPI resolves those in the module.
        app.get("/annotated", response_model=Notice | None)(lambda: Notice.of(decided()))
        app.get("/plain")(lambda: {"notices": [Notice.of(decided())]})
        annotated, plain = self._get(app, "/annotated"), self._get(app, "/plain")
        assert annotated["key"] == "withheld-account-legal-demand"
        assert annotated["withheld_in"] == ["IN"]
        assert plain == {"notices": [annotated]}
        again = TypeAdapter(Notice).validate_json(json.dumps(annotated))
        assert again == Notice.of(decided())

    @staticmethod
    def _get(app, path):
        async def ask():
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
                return (await client.get(path)).json()

        return asyncio.run(ask())


def test_every_template_is_a_text_of_some_notice_or_a_part_of_one():
    assert len(ENGLISH) == 3 * len(Scope) * len(Reason) + len(Scope) + 7
    assert set(Outcome) == {"visible", "withheld", "suspended"}  # another outcome needs texts


@pytest.mark.parametrize(
    ("language", "authority", "shown"),
    [
        ("en", "the Sealed Court", "from the Sealed Court."),
        ("en", "محكمة القضاء", "from \u2068محكمة القضاء\u2069."),
        ("ar", "محكمة القضاء", "من محكمة القضاء."),
        ("ar", "Sealed Court", "من \u2068Sealed Court\u2069."),
        ("ar", "69", "من 69."),
    ],
)
def test_a_name_in_letters_of_the_other_direction_is_isolated(language: str, authority: str, shown: str) -> None:
    """Otherwise the words and the full stop around it would change places."""
    wordings = Wordings({"ar": {"withheld-account-legal-demand": "حُجب في {where}.", "authority": "من {authority}."}})
    decision = decided(disclosure=Disclosure.FULL)
    notice = Notice.of(decision, details={"SEALED-1": DemandDetails(authority=authority)})
    assert notice is not None
    assert wordings.text(notice, language).text.endswith(shown)
