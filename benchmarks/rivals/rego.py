"""Rego engines: a policy and the rules as data are prepared once, and each question is a JSON document."""

from __future__ import annotations

import ctypes
import json
import re
from abc import abstractmethod
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

from benchmarks.rivals.rival import LeftOut, Rival
from benchmarks.workload import NOW_SECONDS, PLACES, SECONDS, Columns, Pair

POLICY = """package feed
import rego.v1

default withheld := false
withheld if applies(data.tweets[input.tweet])
withheld if applies(data.accounts[input.account])

applies(rule) if {
    rule[0] in {input.country, "WORLD"}
    rule[1] <= input.now
    input.now < rule[2]
}

page contains index if { some index, pair in input.pairs; applies(data.tweets[pair[0]]) }
page contains index if { some index, pair in input.pairs; applies(data.accounts[pair[1]]) }
"""
_VIEWER = f'"country": "IN", "now": {NOW_SECONDS}'


class Rego(Rival):
    """The base of all Rego engines."""

    note = "checks dates; the rules are data: id → [place, from, until]; ids are text because keys of JSON are"
    #: The maximum number of pairs in one document.
    batch: ClassVar[int] = 2_000

    def load(self, columns: Columns, directory: Path) -> None:  # noqa: ARG002
        named: tuple[list[str], list[str]] = ([], [])
        for on_account, id_, place, window in columns.rows():
            start, end = SECONDS[window]
            named[on_account].append(f'"{id_}":["{PLACES[place]}",{start},{end}]')
        tweets, accounts = (",".join(rows) for rows in named)
        self.prepare(f'{{"tweets":{{{tweets}}},"accounts":{{{accounts}}}}}')

    @abstractmethod
    def prepare(self, data: str) -> None:
        """Load the policy and its data."""

    @abstractmethod
    def ask(self, rule: str, question: str) -> str:
        """Return the value of a rule, as JSON."""

    def check(self, tweet: int, account: int) -> bool:
        return "true" in self.ask("withheld", f'{{"tweet": "{tweet}", "account": "{account}", {_VIEWER}}}')

    def page(self, pairs: list[Pair]) -> Sequence[int]:
        found: list[int] = []
        for start in range(0, len(pairs), self.batch):
            batch = json.dumps([(str(tweet), str(account)) for tweet, account in pairs[start : start + self.batch]])
            indices = json.loads(self.ask("page", f'{{"pairs": {batch}, {_VIEWER}}}'))
            found += (start + index for index in indices)
        return sorted(found)


class Rvm(Rego):
    """The Regorus of 2026, which compiles Rego for its virtual machine."""

    note = f"{Rego.note}; a page is split into batches of 200, because a program is limited to 25,000 steps"
    package = "gordon-to-regorus"
    bytes_per_id = 1_800
    batch = 200

    def prepare(self, data: str) -> None:
        regorus: Any = import_module("regorus")
        entries = ["data.feed.withheld", "data.feed.page"]
        program = regorus.Program.compile_from_modules("{}", [("feed.rego", POLICY)], entries)
        self.machine = regorus.Rvm()
        self.machine.load_program(program)
        self.machine.set_data_json(data)

    def ask(self, rule: str, question: str) -> str:
        self.machine.set_input_json(question)
        value: str = self.machine.execute_entry_point(f"data.feed.{rule}")
        return value


class Interpreter(Rego):
    """The Regorus of 2024, which interprets Rego."""

    package = "hobofan-regorus"
    bytes_per_id = 2_600

    def prepare(self, data: str) -> None:
        self.engine: Any = import_module("hobofan_regorus").Engine()
        self.engine.add_policy("feed.rego", POLICY)
        self.engine.add_data_json(data)

    def ask(self, rule: str, question: str) -> str:
        self.engine.set_input_json(question)
        return json.dumps(self.engine.eval_rule(f"data.feed.{rule}"), default=list)

    def check(self, tweet: int, account: int) -> bool:
        self.engine.set_input_json(f'{{"tweet": "{tweet}", "account": "{account}", {_VIEWER}}}')
        return self.engine.eval_rule("data.feed.withheld") is True


class Opa(Rego):
    """OPA itself: its Go library is loaded into the process and called through ctypes."""

    package = "opa-golib-python-bindings"
    bytes_per_id = 3_000

    def prepare(self, data: str) -> None:
        try:
            self.engine: Any = import_module("opa_bindings").OpaEngine()
        except (OSError, SyntaxError) as error:
            raise LeftOut(f"its library does not load: {error}") from error
        self.engine.add_policy("feed", POLICY)
        self.library, self.handle = self.engine._lib, self.engine._handle
        self.library.OpaFreeString(self.library.OpaAddData(self.handle, b"", data.encode()))

    def ask(self, rule: str, question: str) -> str:
        return json.dumps(json.loads(self._evaluate(rule, question))["result"][0]["expressions"][0]["value"])

    def check(self, tweet: int, account: int) -> bool:
        question = f'{{"tweet": "{tweet}", "account": "{account}", {_VIEWER}}}'
        return b'"value":true' in self._evaluate("withheld", question)

    def _evaluate(self, rule: str, question: str) -> bytes:
        pointer = self.library.OpaEvalDocument(self.handle, f"feed.{rule}".encode(), question.encode(), 0, 0)
        try:
            return ctypes.string_at(pointer)
        finally:
            self.library.OpaFreeString(pointer)

    def version(self) -> str:
        # The library has no call for OPA's version, but Go writes the version into the file.
        known = re.search(rb"open-policy-agent/opa@v([0-9.]+)", Path(self.library._name).read_bytes())
        return f"{known[1].decode() if known else 'unknown'}, bindings {super().version()}"

    def close(self) -> None:
        self.engine.close()
