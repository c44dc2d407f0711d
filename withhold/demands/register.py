"""The register: the demands, targets and rules of a ledger, as known now or at any instant in the past."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from withhold.demands.fold import Data, DemandFold, by_number
from withhold.demands.recording import instant_text
from withhold.demands.rules import COMMAND, Item, rule_files, rules_from
from withhold.demands.transitions import unknown_demand
from withhold.errors import DemandError, RuleSetError
from withhold.ledger import Ledger, States
from withhold.model.rule_set import RuleSet
from withhold.sources import exporting

#: The folds of a ledger of demands.
FOLDS = (DemandFold(),)


def open_ledger(
    url: str, *, create: bool = False, read_only: bool = False, clock: Callable[[], datetime] | None = None
) -> Ledger:
    """Open a ledger of demands: see `Ledger.open`."""
    return Ledger.open(url, FOLDS, create=create, read_only=read_only, clock=clock)


class Register:
    """The demands, targets and rules of a ledger. It only reads; threads may share it.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder, open_ledger(f"sqlite:///{folder}/orders.db", create=True) as ledger:
    ...     Register(ledger).rule_set()
    <RuleSet of 0 rules, e3b0c44298fc1c14>
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def rule_set(self, *, known_at: datetime | None = None) -> RuleSet:
        """Return the rules of all demands, ready for an engine.

        With `known_at`, they are the rules that the ledger recorded up to that instant. This differs from the engine's
        `at`: a decision recorded on Friday with effect from Monday is in the rules known on Friday, and in force on
        Monday. Takes O(events) time with `known_at`, otherwise O(effects).
        """
        return rules_from(*self._known(known_at))

    def demands(self) -> Iterator[tuple[str, Data]]:
        """Yield the id and the state of each demand, sorted by id."""
        return self._ledger.states("demand")

    def demand(self, demand_id: str) -> Data:
        """Return the state of a demand. Raises `DemandError` if there is none."""
        found = self._ledger.state("demand", demand_id)
        if found is None:
            raise DemandError(unknown_demand(demand_id, [key for key, _ in self.demands()]))
        return found

    def targets(self, demand_id: str) -> dict[int, Data]:
        """Return the entries of a demand that name something, by their number."""
        return by_number(self._ledger.states("target", f"{demand_id}/"))

    def log(self, demand_id: str) -> list[Mapping[str, Any]]:
        """Return the log entries of a demand, in order."""
        return [*by_number(self._ledger.states("log", f"{demand_id}/")).values()]

    def rule_files(self, *, known_at: datetime | None = None) -> dict[str, str]:
        """Return the text of each rule file by its path, for the rules of `rule_set`. Each demand known then has a file."""
        demands, effects = self._known(known_at)
        return rule_files(rules_from(demands, effects), [key for key, _ in demands])

    def _known(self, known_at: datetime | None) -> tuple[list[Item], list[Item]]:
        """Return the demands and the effects as known at an instant, by default now, both of the same head."""
        with self._ledger.reading() as reading:
            if known_at is None:
                return list(reading.states("demand")), list(reading.states("effect"))
            latest, states = instant_text(known_at, "known_at") or "", States()
            for event in reading.events():
                if event.recorded_at > latest:
                    break
                states.apply(event, FOLDS)
        return list(states.scan("demand")), list(states.scan("effect"))


def write_files(folder: Path, files: Mapping[str, str]) -> list[Path]:
    """Write rule files into a directory, remove those that an earlier export left there, and return the removed ones.

    Raises `DemandError`, and writes nothing, if the directory has a rule file or list that no export wrote.
    """
    try:
        return exporting.write_files(folder, files, COMMAND)
    except RuleSetError as error:
        raise DemandError(*error.problems) from None
