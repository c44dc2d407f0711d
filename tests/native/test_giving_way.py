"""Long work in C lets other threads run, and answering a miss creates no object."""

from __future__ import annotations

import sys
import threading
import time
import tracemalloc
from array import array
from collections.abc import Callable, Iterator

import pytest

from tests.native.test_view import INDIA, engine_of, rule
from withhold import engine_info, native
from withhold.snapshot.buckets import buckets_for

pytestmark = pytest.mark.skipif(not engine_info().native, reason=engine_info().why)

MANY = 1 << 18
IDS = array("q", range(1, MANY + 1))


@pytest.fixture
def waiting_for_the_lock() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(60)
    yield
    sys.setswitchinterval(before)


def read_a_large_buffer() -> None:
    engine_of(rule(tweets=[MANY + 1])).view(INDIA).mask(IDS, IDS)


def build() -> None:
    native.index.build(IDS, array("I", [MANY]), buckets_for(MANY), {}, 1)


def build_of_shared_ids() -> None:
    native.index.build(IDS[: MANY // 2] * 2, array("I", [MANY // 2] * 2), buckets_for(MANY), {}, 2)


@pytest.mark.parametrize(
    "work",
    [
        read_a_large_buffer,
        build,
        build_of_shared_ids,
        lambda: native.index.rises(memoryview(IDS).cast("B").cast("Q")),
        lambda: native.index.rises(memoryview(IDS).cast("B").cast("I")),
        lambda: native.index.highest(memoryview(IDS).cast("B").cast("I")),
    ],
)
@pytest.mark.usefixtures("waiting_for_the_lock")
def test_other_threads_run_meanwhile(work: Callable[[], object]) -> None:
    """The GIL is never requested here, so it must be released voluntarily."""
    gate, ran = threading.Lock(), threading.Event()

    def run() -> None:
        with gate:
            ran.set()

    gate.acquire()
    thread = threading.Thread(target=run)
    thread.start()
    gate.release()
    # On a busy machine this takes long. After a minute the interpreter would request the GIL.
    deadline = time.monotonic() + 50
    while not ran.is_set() and time.monotonic() < deadline:
        work()
    assert ran.is_set()
    thread.join()


def most_memory(ask: Callable[[], object]) -> int:
    """Return the peak memory in bytes: the least of several, because another thread may use memory at the same time."""
    ask()
    peaks = []
    for _ in range(5):
        tracemalloc.start()
        ask()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    return min(peaks)


def test_a_miss_creates_no_object() -> None:
    view = engine_of(rule(tweets=[MANY + 1])).view(INDIA)
    pairs = [(2**60 + at, 2**61 + at) for at in range(500)]
    ids = array("q", range(2**60, 2**60 + 500))

    def ask(size: int) -> None:
        for tweet_id, account_id in pairs[:size]:
            view.withholds(tweet_id, account_id)
            view.check(tweet_id=tweet_id, account_id=account_id)

    def filtered(size: int) -> None:
        view.filter(pairs[:size])

    def masked(size: int) -> None:
        view.mask(ids[:size], ids[:size])

    def more(of: Callable[[int], None]) -> int:
        """Return the bytes for each of 490 additional questions."""
        return (most_memory(lambda: of(500)) - most_memory(lambda: of(10))) // 490

    # A slice of a list takes a reference for each id, and a slice of a buffer takes the id. Filtering needs one more
    # list of references, and masking one more byte.
    assert more(ask) == 8
    assert more(filtered) == 8 + 8
    assert more(masked) == 8 + 8 + 1
