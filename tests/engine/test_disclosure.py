"""What a decision says about `disclosure`: the narrowest of its rules, and the territories that are not secret."""

import pytest

from withhold import Disclosure, Engine, Reference, Rule, RuleSet, Viewer

RULES = RuleSet(
    [
        Rule(id="full", accounts=[1, 2], withheld_in=["IN"], reason="legal_demand", disclosure="full"),
        Rule(id="plain", accounts=[2, 3], withheld_in=["IN", "FR"], reason="legal_demand"),
        Rule(id="secret", tweets=[3], withheld_in=["FR", "TR"], reason="legal_demand", disclosure="none"),
    ]
)


@pytest.mark.parametrize("make", [Engine, Reference])
@pytest.mark.parametrize(
    ("account", "country", "disclosure", "disclosed_in"),
    [
        (1, "IN", "full", "IN"),
        (1, "US", None, "IN"),
        (2, "IN", "reason", "FR, IN"),
        (3, "FR", "none", "FR, IN"),
        (3, "IN", "reason", "FR, IN"),  # here only the public rule applies; that TR has a secret one stays unsaid
        (3, "TR", "none", "FR, IN"),
        (4, "TR", "none", "nowhere"),
    ],
)
def test_the_narrowest_disclosure_counts_and_secret_territories_are_left_out(
    make, account, country, disclosure, disclosed_in
):
    found = make(RULES).check((3 if account > 2 else 9, account), Viewer(country=country))
    assert found.disclosure is (disclosure and Disclosure(disclosure))
    assert str(found.disclosed_in) == disclosed_in


def test_explain_shows_operators_the_disclosure_of_a_rule():
    explained = Engine(RULES).explain((3, 4), Viewer(country="TR"))
    assert "disclosure: none" in str(explained)
    assert explained.rules[0].to_dict()["disclosure"] == "none"
