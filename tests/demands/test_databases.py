"""Commands on demands give the same events, states and rules in each database as in memory."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from tests.demands.material import ASHA, HOUR, PROTECTED, RAVI, START, MemoryLedger, demand, entries
from withhold.demands.commands import Resolution, TargetDecision, approve, decide, lift, receive, resolve, revoke
from withhold.demands.intake.entries import Kind
from withhold.demands.proof import prove
from withhold.demands.register import Register, open_ledger
from withhold.demands.transitions import Ruling, TargetState
from withhold.errors import DemandError
from withhold.ledger import verify

MANY = [(f"account:{number}", Kind.ACCOUNT) for number in range(1, 121)]
MANY[40] = ("account:@someone", Kind.ACCOUNT)
KINDS = ("demand", "target", "effect", "subject", "log", "policy")


def run(ledger, tick):
    """Run commands of every kind, an hour apart. Refused ones are part of it."""
    receive(ledger, ASHA, demand(), entries(MANY))
    receive(ledger, ASHA, demand("IN-C1", type="court"), entries(MANY[:60]))
    tick()
    resolve(ledger, ASHA, "IN-D1", [Resolution(41, bound="account:7")])
    override = {"protected-account": "counsel advised it"}
    for each in ("IN-D1", "IN-C1"):
        with suppress(DemandError):
            decide(ledger, ASHA, each, [(None, TargetDecision(Ruling.WITHHOLD))], PROTECTED)
        decide(ledger, ASHA, each, [(None, TargetDecision(Ruling.WITHHOLD, override=override))], PROTECTED)
        tick()
        approve(ledger, RAVI, each, None, PROTECTED)
    tick()
    lift(ledger, ASHA, "IN-D1", "reviewed", {*range(10, 50)} - {41})
    tick()
    decide(ledger, ASHA, "IN-D1", [(TargetState.LIFTED, TargetDecision(Ruling.SUSPEND))], PROTECTED)
    with suppress(DemandError):
        lift(ledger, ASHA, "IN-C1", "reviewed")
    tick()
    revoke(ledger, ASHA, "IN-C1", "letter of 12 February")


def test_a_database_has_what_memory_has(url):
    memory: Any = MemoryLedger()

    def later():
        memory.now += HOUR

    run(memory, later)
    moment = [START]

    def tick():
        moment[0] += HOUR

    with open_ledger(url, create=True, clock=lambda: moment[0]) as ledger:
        run(ledger, tick)
        assert [(event.kind, event.actor, event.recorded_at, event.data) for event in ledger.events()] == [
            (event.kind, event.actor, event.recorded_at, event.data) for event in memory.events()
        ]
        for kind in KINDS:
            assert dict(ledger.states(kind)) == dict(memory.states(kind))
        verify(ledger)
        mine, theirs = Register(ledger), Register(memory)
        assert mine.rule_set().digest == theirs.rule_set().digest
        assert mine.rule_files() == theirs.rule_files()
        for hours in range(8):
            then = START + hours * HOUR
            assert mine.rule_set(known_at=then).digest == theirs.rule_set(known_at=then).digest
        proofs = (prove(each, "account:12").covered for each in (ledger, memory))
        assert len({tuple((covered.rule, covered.revision) for covered in found) for found in proofs}) == 1
    with open_ledger(url, read_only=True) as ledger:
        assert ledger.head.sequence == memory.head.sequence
        assert Register(ledger).demand("IN-C1")["revoked"] is not None
