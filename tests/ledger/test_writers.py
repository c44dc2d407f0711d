"""Writers at the same time, and writers or servers that are killed: nothing is lost, repeated or interleaved."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest

from tests import forking
from tests.ledger.material import WHO, Balances, added
from tests.ledger.server import needs_postgres
from withhold.ledger import HeadMoved, Ledger, LedgerError, verify

WRITERS = 8


def together(work):
    """Call `work` with the numbers of all writers, in threads, and return the results."""
    with ThreadPoolExecutor(WRITERS) as pool:
        return list(pool.map(work, range(WRITERS)))


def command(name):
    """Return the events of a command: three in a row."""
    return [added(name, amount) for amount in (1, 2, 3)]


def assert_each_command_was_recorded_once(ledger, names):
    """Commands follow each other whole, the chain is that of `verify`, and so are the states."""
    found = [event.data["name"] for event in ledger.events()]
    assert found[::3] == found[1::3] == found[2::3]
    assert sorted(found[::3]) == sorted(names)
    assert verify(ledger, ledger.head).states == len(names)


def test_threads_share_a_ledger(ledger):
    def work(writer):
        for number in range(5):
            ledger.append(command(f"{writer}-{number}"), **WHO)

    together(work)
    assert_each_command_was_recorded_once(
        ledger, [f"{writer}-{number}" for writer in range(WRITERS) for number in range(5)]
    )


def test_no_writer_comes_between_the_check_of_a_command_and_its_record(ledger, url):
    def work(_):
        def spend(_head, states):
            left = states.get("balance", "purse")["sum"]
            return [added("purse", -1)] if left else []

        with Ledger.open(url, [Balances()]) as own:
            for _ in range(8):
                own.write(spend, **WHO)

    ledger.append([added("purse", 20)], **WHO)
    together(work)
    assert ledger.state("balance", "purse") == {"sum": 0, "events": 21}
    verify(ledger)


def test_of_writers_that_expect_the_same_head_one_records(ledger, url):
    all_have_read = Barrier(WRITERS)

    def work(writer):
        moved = 0
        with Ledger.open(url, [Balances()]) as own:
            head = own.head
            all_have_read.wait()
            for number in range(3):
                while True:
                    try:
                        head = own.append(command(f"{writer}-{number}"), **WHO, expect=head)
                        break
                    except HeadMoved:
                        moved += 1
                        head = own.head
        return moved

    moved = sum(together(work))
    assert_each_command_was_recorded_once(
        ledger, [f"{writer}-{number}" for writer in range(WRITERS) for number in range(3)]
    )
    assert moved >= WRITERS - 1


def test_a_command_that_all_writers_send_with_one_key_is_recorded_once(ledger, url):
    def work(_):
        with Ledger.open(url, [Balances()]) as own:
            return [own.append(command(f"{number}"), **WHO, key=f"k-{number}") for number in range(4)]

    heads = together(work)
    assert heads == [heads[0]] * WRITERS
    assert_each_command_was_recorded_once(ledger, [f"{number}" for number in range(4)])


PROCESSES = """
import os, sys, traceback
import alembic.command, psycopg
from tests.ledger.material import WHO, Balances
from tests.ledger.test_writers import command
from withhold.ledger import Ledger

children = []
for writer in range(3):
    if (child := os.fork()) == 0:
        try:
            with Ledger.open(sys.argv[1], [Balances()], create=True) as ledger:
                for number in range(20):
                    ledger.append(command(f"{writer}-{number}"), **WHO)
            os._exit(0)
        finally:
            traceback.print_exc()
            os._exit(9)
    children.append(child)
assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
print("done")
"""


def test_processes_make_one_ledger_and_write_to_it(url):
    forking.run(PROCESSES, url)
    with Ledger.open(url, [Balances()]) as ledger:
        names = [f"{writer}-{number}" for writer in range(3) for number in range(20)]
        assert_each_command_was_recorded_once(ledger, names)


KILLS = """
import os, random, signal, sys, time, traceback
import alembic.command
from itertools import count
from tests.ledger.material import WHO, Balances
from tests.ledger.test_writers import assert_each_command_was_recorded_once, command
from withhold.ledger import Ledger

url, seed = sys.argv[1], int(sys.argv[2])
chance = random.Random(seed)


def write(pipe, first):
    with Ledger.open(url, [Balances()]) as ledger:
        for number in count(first):
            ledger.append(command(f"{number}"), **WHO, key=f"{number}")
            os.write(pipe, b".")


with Ledger.open(url, [Balances()], create=True):
    pass
done = 0
for _ in range(25):
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(reader)
            write(writer, done)  # the command that the kill interrupted is repeated
        finally:
            traceback.print_exc()
            os._exit(9)
    os.close(writer)
    confirmed = b""
    for _ in range(chance.randrange(3)):
        confirmed += os.read(reader, 1)
    time.sleep(chance.random() * 0.012)
    os.kill(child, signal.SIGKILL)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL, "it was still writing"
    while more := os.read(reader, 1000):
        confirmed += more
    os.close(reader)
    done += len(confirmed)
    with Ledger.open(url, [Balances()]) as ledger:
        assert ledger.head.sequence in (done * 3, done * 3 + 3), "all confirmed commands are recorded, and at most one other"
with Ledger.open(url, [Balances()]) as ledger:
    names = [f"{number}" for number in range(ledger.head.sequence // 3)]
    assert len(names) > 12
    assert_each_command_was_recorded_once(ledger, names)
print("done")
"""


@pytest.mark.parametrize("seed", range(8))
def test_25_writers_are_killed_one_after_another(seed, tmp_path):
    forking.run(KILLS, f"sqlite:///{tmp_path}/orders.db", seed)


@needs_postgres
def test_writers_go_on_after_their_server_was_killed(server):
    url = server.database()
    server.execute("CHECKPOINT")  # otherwise each start repeats all that earlier tests have written
    failures = [0] * WRITERS
    over = Event()

    def work(writer):
        """Write until the attacks are over, and return the names of the commands."""
        names: list[str] = []
        with Ledger.open(url, [Balances()]) as own:
            while not over.is_set():
                names.append(f"{writer}-{len(names)}")
                while True:
                    try:
                        own.append(command(names[-1]), **WHO, key=names[-1])
                        break
                    except LedgerError as error:
                        assert error.code == "ledger-unavailable"  # noqa: PT017
                        failures[writer] += 1
                        time.sleep(0.05)
        return names

    def attack(ledger):
        try:
            for _ in range(2):
                events = ledger.head.sequence + 60
                while ledger.head.sequence < events:
                    time.sleep(0.02)
                failures[:] = [0] * WRITERS
                server.kill()
                try:
                    assert forking.until(lambda: all(failures)), "all writers meet each kill"
                finally:
                    server.start()
        finally:
            over.set()

    with Ledger.open(url, [Balances()], create=True) as ledger:
        with ThreadPoolExecutor(1) as beside:
            attacker = beside.submit(attack, ledger)
            written = together(work)
            attacker.result()
        assert_each_command_was_recorded_once(ledger, [name for names in written for name in names])
