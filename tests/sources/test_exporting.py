"""Rule files that commands write load as the same rules."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings

from tests.strategies import rule_sets
from withhold import Rule, RuleSet
from withhold.sources.exporting import rule_files, write_files


def reloaded(rules: RuleSet) -> RuleSet:
    with tempfile.TemporaryDirectory() as folder:
        write_files(Path(folder), rule_files({"in": rules}, "a command"), "a command")
        return RuleSet.load(folder)


@settings(max_examples=60)
@given(rule_sets())
def test_every_key_of_a_rule_survives(rules):
    assert reloaded(rules) == rules


@pytest.mark.parametrize("text", ["👮", "नमस्ते\n\tNo: #1", "'", '"', "- a: b", "~", "x" * 300, " ".join(["a"] * 200)])
def test_every_text_survives(text):
    many = range(1, 31)
    rules = RuleSet(
        [Rule(id="a:1", accounts=many, withheld_in=["NO"], reason="terms", note=text, override={"no-end": text})]
    )
    assert reloaded(rules) == rules
