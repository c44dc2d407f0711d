"""Tables that people fill in: their decisions are recorded, and every mistake in them is reported."""

from __future__ import annotations

import pytest

from tests.demands.material import ASHA, PROTECTED, TWEET, received
from withhold.demands.commands import decide, resolve
from withhold.demands.register import Register
from withhold.demands.tables import read_decisions, read_resolutions
from withhold.errors import DemandError


def test_lawyers_decide_in_a_table(tmp_path):
    ledger = received()
    file = tmp_path / "decisions.csv"
    file.write_text(
        "\ufeffnumber;target;state;decision;ground;category;withheld_in\n"
        "2;account:2;undecided;withhold;;;IN-DL\n"
        ";account:3;undecided;Withhold;;;IN-DL\n"
        "1;;undecided;refuse;protected_speech;journalist;\n"
        "4;;undecided;;;;\n",
        encoding="utf-8",
    )
    register = Register(ledger)
    decide(ledger, ASHA, "IN-D1", read_decisions(file, register.targets("IN-D1")), PROTECTED)
    (rule,) = register.rule_set()
    assert ([*rule.accounts], rule.withheld_in) == ([2, 3], ("IN-DL",))
    assert [register.targets("IN-D1")[number]["state"] for number in (1, 4)] == ["declined", "undecided"]


def test_every_mistake_of_a_table_is_reported(tmp_path):
    file = tmp_path / "decisions.csv"
    rows = ("2,account:3,withhold,IN", "99x,,withhold,IN", ",nobody,withhold,IN", "1,,withold,IN", "1,,withhold,XX")
    file.write_text("number,target,decision,withheld_in,colour\n" + "\n".join(rows) + "\n", encoding="utf-8")
    with pytest.raises(DemandError) as caught:
        read_decisions(file, Register(received()).targets("IN-D1"))
    codes = [problem.code for problem in caught.value.problems]
    assert codes[:2] == ["unknown-column", "other-target"]
    assert {"bad-id", "unknown-target", "bad-value", "unknown-territory"} <= {*codes}


def test_handles_are_bound_to_accounts_and_entries_in_quarantine_are_corrected(tmp_path):
    ledger = received()
    file = tmp_path / "handles.csv"
    file.write_text("number,handle,account,found\n,@Four,4,\n9,,2,corrected\n,stranger,8,\n", encoding="utf-8")
    found, others = read_resolutions(file, Register(ledger).targets("IN-D1"))
    resolve(ledger, ASHA, "IN-D1", found)
    targets = Register(ledger).targets("IN-D1")
    assert others == 1
    assert (targets[8]["bound"], targets[8]["key"], targets[8]["state"]) == ("account:4", "account:@four", "undecided")
    assert (targets[9]["state"], targets[9]["duplicate_of"]) == ("duplicate", 2)
    counts = Register(ledger).demand("IN-D1")["counts"]
    assert (counts["unique"], counts["duplicate"], counts["error"]) == (8, 1, 0)


def test_a_table_cannot_bind_an_entry_to_two_accounts(tmp_path):
    file = tmp_path / "handles.csv"
    file.write_text("handle,account\nfour,4\n@FOUR,5\nfour,4\n", encoding="utf-8")
    with pytest.raises(DemandError, match=r"handles\.csv:3:1: .* entry 8 .*bound-twice"):
        read_resolutions(file, Register(received()).targets("IN-D1"))


def test_a_table_with_very_many_mistakes_lists_a_hundred(tmp_path):
    file = tmp_path / "decisions.csv"
    file.write_text("target,decision\n" + "nobody,withhold\n" * 490, encoding="utf-8")
    with pytest.raises(DemandError) as caught:
        read_decisions(file, Register(received()).targets("IN-D1"))
    assert [len(caught.value.problems), str(caught.value.problems[-1])] == [101, "390 more problems [more-problems]"]


@pytest.mark.parametrize("row", ["4,,7,{tweet},", ",four,,{tweet},7", ",,7,{tweet},"])
def test_a_table_never_confuses_an_account_with_the_author_of_a_tweet(tmp_path, row):
    file = tmp_path / "handles.csv"
    file.write_text("number,handle,account,tweet,author\n" + row.format(tweet=TWEET), encoding="utf-8")
    with pytest.raises(DemandError) as caught:
        read_resolutions(file, Register(received()).targets("IN-D1"))
    assert caught.value.code == "bound-to-two"
