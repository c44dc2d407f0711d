"""A fold for tests, and functions that fill a ledger."""

from __future__ import annotations

from withhold.ledger import Event, NewEvent, States


class Balances:
    """A fold that adds up numbers by name. The event `cleared` removes a name."""

    name = "balances"
    version = 1

    def apply(self, event: Event, states: States) -> None:
        name = event.data["name"]
        if event.kind == "cleared":
            states.put("balance", name, None)
        elif event.kind == "added":
            before = states.get("balance", name) or {"sum": 0, "events": 0}
            states.put("balance", name, {"sum": before["sum"] + event.data["amount"], "events": before["events"] + 1})


def added(name: str, amount: int = 1, **more: object) -> NewEvent:
    return NewEvent("added", {"name": name, "amount": amount, **more})


WHO = {"actor": "asha", "tool": "tests 1"}
