"""The answer for one hidden tweet or profile: RFC 7725 point by point, and nothing of a secret demand in any byte."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

import pytest

from withhold import Decision, Engine, Policy, Rule, RuleSet, Scope, View, Viewer
from withhold.location import Headers
from withhold.serving.languages import Wordings
from withhold.serving.notices import DemandDetails
from withhold.serving.unavailable import Response, Unavailable

OPERATOR = "https://feed.example/about"
DETAILS = {"IN-D1": DemandDetails(authority="Ministry of <Electronics>", law="Section 69A", persons="people in India")}
JSON = "application/json"


def rule(id_: str, **more: Any) -> Rule:
    given = {"tweets": [20], "withheld_in": ["IN"], "reason": "legal_demand", "demand": "IN-D1", "note": "sealed note"}
    return Rule(id=id_, **{**given, **more})


def view(*rules: Rule, country: str = "IN", account: int | None = None, own: bool = False) -> View:
    engine = Engine(RuleSet(rules), Policy(author_sees_own=own))
    return engine.view(Viewer(country=country, account_id=account))


def decided(*rules: Rule, **more: Any) -> Decision:
    return view(*rules, **more).check(tweet_id=20, account_id=17)


ANSWERS = Unavailable(operator=OPERATOR, details=DETAILS)


def sent(answers: Unavailable, decision: Decision, request: Headers = (), **more: Any) -> Response:
    found = answers.to(decision, request, **more)
    assert found is not None
    return found


def test_something_that_does_not_exist_is_answered_like_something_secret() -> None:
    assert ANSWERS.to(decided(), exists=True) is None
    secret = ANSWERS.to(decided(rule("x-1", disclosure="none")))
    assert ANSWERS.to(decided(), exists=False) == ANSWERS.missing() == secret
    assert ANSWERS.to(decided(), about=Scope.ACCOUNT, exists=False) == ANSWERS.missing(about=Scope.ACCOUNT)
    legal = ANSWERS.to(decided(rule("in-1")), exists=False)
    assert legal == ANSWERS.to(decided(rule("in-1"))), "existence does not show"


class TestRFC7725:
    def test_a_legal_demand_is_451_with_its_explanation(self) -> None:
        """Section 3: the body explains the demand: who made it, its basis, and to whom and to what it applies."""
        found = sent(ANSWERS, decided(rule("in-1", disclosure="full")), {"Accept": JSON})
        assert found.status == 451
        body = json.loads(found.body)
        assert body["detail"].startswith("This tweet has been withheld in India in response to a legal demand.")
        assert (body["authority"], body["law"], body["persons"]) == (
            "Ministry of <Electronics>",
            "Section 69A",
            "people in India",
        )

    def test_the_link_names_the_operator_who_blocks(self) -> None:
        """Section 4. It is not the authority that demanded it."""
        headers = dict(sent(ANSWERS, decided(rule("in-1"))).headers)
        assert headers["link"] == f'<{OPERATOR}>; rel="blocked-by"'
        assert not {"geo-scope-block"} & headers.keys()
        assert "blocking-authority" not in str(headers)

    def test_it_is_cacheable_by_default_so_it_forbids_that(self) -> None:
        for answer in (sent(ANSWERS, decided(rule("in-1"))), ANSWERS.missing()):
            assert dict(answer.headers)["cache-control"] == "private, no-store"

    def test_the_answer_does_not_depend_on_whether_the_tweet_exists(self) -> None:
        """Section 3: 451 does not say whether the resource exists. A decision is made from ids alone."""
        named = rule("in-1")
        assert sent(ANSWERS, view(named).check(tweet_id=20)) == sent(ANSWERS, decided(named))

    @pytest.mark.parametrize("reason", ["legal_demand", "local_law", "copyright"])
    def test_laws_are_451(self, reason: str) -> None:
        assert sent(ANSWERS, decided(rule("in-1", reason=reason))).status == 451

    @pytest.mark.parametrize("removed", [404, 410])
    def test_terms_and_suspensions_are_not(self, removed: Any) -> None:
        answers = Unavailable(operator=OPERATOR, removed=removed)
        suspended = rule("s-1", withheld_in=["WORLD"], effect="suspend", reason="legal_demand")
        for decision in (decided(rule("in-1", reason="terms")), decided(suspended)):
            found = sent(answers, decision)
            assert found.status == removed
            assert "link" not in dict(found.headers)

    def test_head_has_the_same_headers_and_no_body(self) -> None:
        found = sent(ANSWERS, decided(rule("in-1")))
        assert found.for_head() == Response(451, found.headers, b"")
        assert dict(found.headers)["content-length"] == str(len(found.body))

    def test_what_is_visible_has_no_answer(self) -> None:
        assert ANSWERS.to(decided(rule("in-1"), country="US")) is None
        assert ANSWERS.to(decided(rule("in-1"), account=17, own=True)) is None


class TestRFC9457:
    def test_a_problem_document(self) -> None:
        found = sent(ANSWERS, decided(rule("in-1")), {"Accept": "application/problem+json"})
        assert dict(found.headers)["content-type"] == "application/problem+json"
        assert json.loads(found.body) == {
            "type": "about:blank",
            "title": "Unavailable For Legal Reasons",
            "status": 451,
            "detail": "This tweet has been withheld in India in response to a legal demand.",
            "key": "withheld-tweet-legal-demand",
            "reason": "legal_demand",
            "withheld_in": ["IN"],
        }

    def test_of_something_missing(self) -> None:
        found = json.loads(ANSWERS.missing({"Accept": JSON}, about=Scope.ACCOUNT).body)
        assert found == {
            "type": "about:blank",
            "title": "Not Found",
            "status": 404,
            "detail": "This account is unavailable.",
            "key": "unavailable-account",
        }

    @pytest.mark.parametrize(
        ("accept", "kind"),
        [
            (None, "text/html; charset=utf-8"),
            ("*/*", "text/html; charset=utf-8"),
            ("text/html,application/xhtml+xml,application/json;q=0.9", "text/html; charset=utf-8"),
            ("application/json", "application/problem+json"),
            ("Application/Problem+JSON, */*;q=0.1", "application/problem+json"),
        ],
    )
    def test_the_form_is_negotiated(self, accept: str | None, kind: str) -> None:
        assert dict(sent(ANSWERS, decided(rule("in-1")), {"Accept": accept}).headers)["content-type"] == kind


class TestSecret:
    """A rule with `disclosure: none` gets the answer of a thing that is not there, to the byte."""

    @pytest.mark.parametrize("accept", [None, JSON])
    @pytest.mark.parametrize("about", Scope)
    @pytest.mark.parametrize("more", [{}, {"reason": "copyright"}, {"effect": "suspend", "withheld_in": ["WORLD"]}])
    def test_it_cannot_be_told_from_a_missing_one(self, accept: str | None, about: Scope, more: dict[str, Any]) -> None:
        answers = Unavailable(operator=OPERATOR, removed=410, details=DETAILS)
        found = sent(answers, decided(rule("secret-1", disclosure="none", **more)), {"Accept": accept}, about=about)
        assert found == answers.missing({"Accept": accept}, about=about)

    def test_beside_a_public_rule_it_stays_secret(self) -> None:
        public = rule("public-1", accounts=[17], tweets=[], withheld_in=["IN", "TR"], disclosure="full")
        found = sent(ANSWERS, decided(rule("secret-1", disclosure="none"), public))
        assert found == ANSWERS.missing()

    @pytest.mark.parametrize("accept", [None, JSON])
    def test_its_territory_is_in_no_byte_for_viewers_elsewhere(self, accept: str | None) -> None:
        public = rule("public-1", accounts=[17], tweets=[], withheld_in=["TR"], disclosure="full")
        found = sent(ANSWERS, decided(rule("secret-1", disclosure="none"), public, country="TR"), {"Accept": accept})
        assert found.status == 451
        assert b"India" not in found.body.replace(b"people in India", b"")
        assert b'"IN"' not in found.body

    @pytest.mark.parametrize("disclosure", ["none", "reason", "full"])
    @pytest.mark.parametrize("accept", [None, JSON])
    def test_no_answer_has_what_only_operators_may_know(self, disclosure: str, accept: str | None) -> None:
        found = sent(ANSWERS, decided(rule("rule-1", disclosure=disclosure)), {"Accept": accept})
        everything = found.body + str(found.headers).encode()
        for secret in (b"IN-D1", b"rule-1", b"sealed"):
            assert secret not in everything
        assert (b"69A" in everything) is (disclosure == "full")


class Page(HTMLParser):
    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.attributes: dict[str, str | None] = {}
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "html":
            self.attributes = dict(attrs)

    def handle_data(self, data: str) -> None:
        self.text += data if self.tags[-1:] != ["style"] else ""


def test_the_page_escapes_what_it_is_given() -> None:
    page = Page(sent(ANSWERS, decided(rule("in-1", disclosure="full"))).body)
    assert "Ministry of <Electronics>" in page.text
    assert page.tags == ["html", "head", "meta", "meta", "title", "style", "body", "main", "h1", "p"]
    assert page.attributes == {"lang": "en", "dir": "ltr"}


@pytest.mark.parametrize(
    "name",
    [
        "</p><script>alert(1)</script>",
        "\"'><img src=x onerror=1>",
        "&lt;b&gt;",
        "{where} {0.__class__}",
        "::error::a\r\nb",
    ],
)
def test_a_hostile_name_is_text_in_each_form(name: str) -> None:
    answers = Unavailable(operator=OPERATOR, details={"IN-D1": DemandDetails(authority=name)})
    decision = decided(rule("in-1", disclosure="full"))
    page = Page(sent(answers, decision).body)
    assert f"The demand came from {name}." in page.text
    assert page.tags == ["html", "head", "meta", "meta", "title", "style", "body", "main", "h1", "p"]
    assert json.loads(sent(answers, decision, {"Accept": JSON}).body)["authority"] == name
    assert name not in str(sent(answers, decision).headers)


def test_letters_that_join_others_stay_in_the_page() -> None:
    """Persian and Indic words contain U+200C and U+200D."""
    wordings = Wordings({"fa": {"withheld-tweet-legal-demand": "این توییت در {where} نمایش داده نمی\u200cشود."}})
    answers = Unavailable(operator=OPERATOR, wordings=wordings)
    assert "نمی\u200cشود" in Page(sent(answers, decided(rule("in-1")), {"Accept-Language": "fa"}).body).text


def test_the_language_is_that_of_the_viewer() -> None:
    wordings = Wordings({"ar": {"withheld-tweet-legal-demand": "حُجبت هذه التغريدة في {where}."}})
    answers = Unavailable(operator=OPERATOR, wordings=wordings)
    found = sent(answers, decided(rule("in-1")), {"Accept-Language": "ar-EG, en;q=0.5"})
    page = Page(found.body)
    assert page.attributes == {"lang": "ar", "dir": "rtl"}
    assert "الهند" in page.text
    assert dict(found.headers)["content-language"] == "ar"
    assert b'<h1 lang="en" dir="ltr">Unavailable For Legal Reasons</h1>' in found.body


@pytest.mark.parametrize(
    "operator",
    ["", "feed.example", "ftp://feed.example", "https://", "https://a\r\nx: y", "https://a/>; rel=x", "https://é"],
)
def test_the_operator_is_a_url(operator: str) -> None:
    with pytest.raises(ValueError, match="bad-operator"):
        Unavailable(operator=operator)


def test_the_status_of_removed_things_is_404_or_410() -> None:
    wrong: Any = 200
    with pytest.raises(ValueError, match="bad-status"):
        Unavailable(operator=OPERATOR, removed=wrong)
