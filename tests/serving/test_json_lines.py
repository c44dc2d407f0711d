"""Records in files: they survive rotation, full disks, killed processes and forks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

import pytest

from tests.forking import run, until
from withhold import Problem
from withhold.serving.decision_log import JsonLines
from withhold.serving.log_record import LoggedPage, read_log

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")

BEGIN = """
import os, sys, time
from logging.handlers import RotatingFileHandler
from pathlib import Path
from withhold import Engine, Rule, RuleSet, Viewer
from withhold.serving.decision_log import DecisionLog, JsonLines

folder = Path(sys.argv[1])
view = Engine(RuleSet([Rule(id="in-1", accounts=[17], withheld_in=["IN"], reason="terms")])).view(Viewer(country="IN"))
page = view.filter([(20, 17), (21, 18)])
def sink(name="log.jsonl"):
    return JsonLines(lambda: RotatingFileHandler(folder / name.format(os.getpid()), encoding="utf-8"))
def adds_up(log):
    found = log.counts()
    assert found.pages == sum(found[1:]), found
    return found
"""


def records(path: Path) -> tuple[int, list[Problem]]:
    """Return the number of records in a file, and the problems."""
    with path.open("rb") as file:
        found = list(read_log(file, path.name))
    return sum(isinstance(each, LoggedPage) for each in found), [each for each in found if isinstance(each, Problem)]


def writer(path: Path, **options: Any) -> Callable[[], RotatingFileHandler]:
    return lambda: RotatingFileHandler(path, encoding="utf-8", **options)


def test_records_are_lines_of_ascii(tmp_path: Path) -> None:
    with JsonLines(writer(tmp_path / "log.jsonl")) as sink:
        sink.write({"rule": "a\nb\u2028ü\ud800"})
        sink.write({})
    first, second = (tmp_path / "log.jsonl").read_bytes().splitlines()
    assert (json.loads(first), second) == ({"rule": "a\nb\u2028ü\ud800"}, b"{}")
    assert first.isascii()


def test_a_file_is_rotated_between_records(tmp_path: Path) -> None:
    with JsonLines(writer(tmp_path / "log.jsonl", maxBytes=50, backupCount=9)) as sink:
        for number in range(10):
            sink.write({"number": number})
    files = sorted(tmp_path.iterdir())
    assert len(files) > 2
    lines = [json.loads(line)["number"] for file in files for line in file.read_text("utf-8").splitlines()]
    assert sorted(lines) == list(range(10))


def test_a_path_that_cannot_be_written_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        JsonLines(writer(tmp_path / "nowhere" / "log.jsonl"))


@pytest.mark.parametrize("torn", [b'{"version":1,"at":"20', b'{"version":1}'])
def test_a_torn_line_is_ended_before_the_next_record(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(b"{}\n" + torn)
    with JsonLines(writer(path)) as sink:
        sink.write({"number": 1})
        sink.write({"number": 2})
    assert path.read_bytes() == b"{}\n" + torn + b'\n{"number":1}\n{"number":2}\n'


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_a_full_device_raises_and_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    sink = JsonLines(writer(Path("/dev/full")))
    for _ in range(3):
        with pytest.raises(OSError, match="No space left"):
            sink.write({"number": 1})
    assert capfd.readouterr().err == ""


def test_a_record_that_is_not_json_raises_and_the_next_one_is_written(tmp_path: Path) -> None:
    with JsonLines(writer(tmp_path / "log.jsonl")) as sink:
        with pytest.raises(TypeError, match="not JSON serializable"):
            sink.write({"number": object()})
        sink.write({"number": 1})
    assert (tmp_path / "log.jsonl").read_text() == '{"number":1}\n'


@pytest.mark.skipif(sys.platform == "win32", reason="this system does not limit the sizes of files")
def test_a_disk_that_is_full_for_a_while_costs_only_what_it_had_no_room_for(tmp_path: Path) -> None:
    run(
        BEGIN
        + """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
with DecisionLog(sink(), interval=3600) as log:
    log.page(view, page)
    log.flush()
    size = (folder / "log.jsonl").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + size // 2, most))  # half of the next record
    for _ in range(3):
        log.page(view, page)
    log.flush()
    assert adds_up(log).failed == 3
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    for _ in range(2):
        log.page(view, page)
    log.flush()
    assert adds_up(log)[:2] == (6, 3)
print("done")
""",
        tmp_path,
    )
    read, problems = records(tmp_path / "log.jsonl")
    assert read == 3
    assert all(problem.code == "bad-log-record" for problem in problems)
    lines = (tmp_path / "log.jsonl").read_bytes().splitlines()
    assert b'"left_out":{"failed":3}' in lines[-2]


@needs_fork
def test_a_killed_process_leaves_whole_records(tmp_path: Path) -> None:
    script = (
        BEGIN
        + """
log = DecisionLog(sink(), interval=0.002)
print("begun", flush=True)
while True:
    log.page(view, page)
    time.sleep(0.0001)
"""
    )
    path = tmp_path / "log.jsonl"
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE) as process:
        assert until(lambda: path.exists() and path.stat().st_size > 20_000)
        process.send_signal(signal.SIGKILL)
    before, problems = records(path)
    assert before > 20
    assert len(problems) <= 1, "the last one may be cut off"
    run(BEGIN + 'log = DecisionLog(sink())\nlog.page(view, page)\nlog.close()\nprint("done")', tmp_path)
    after, problems = records(path)
    assert after == before + 1
    assert len(problems) <= 1


def test_the_end_of_a_process_writes_what_waits(tmp_path: Path) -> None:
    run(
        BEGIN
        + """
def requests():
    log = DecisionLog(sink(), interval=3600)
    for _ in range(7):
        log.page(view, page)
requests()
print("done")
""",
        tmp_path,
    )
    assert records(tmp_path / "log.jsonl") == (7, [])


def test_the_end_of_a_process_does_not_wait_for_a_sink_that_hangs(tmp_path: Path) -> None:
    run(
        BEGIN
        + """
import withhold.watching
withhold.watching._CLOSE_PATIENCE = 0.05
class Stuck:
    def write(self, record):
        time.sleep(600)
log = DecisionLog(Stuck(), interval=3600)
log.page(view, page)
print("done")
""",
        tmp_path,
    )


@needs_fork
def test_each_forked_process_writes_its_own_file(tmp_path: Path) -> None:
    run(
        BEGIN
        + """
log = DecisionLog(sink("{}.jsonl"), interval=0.005)
log.page(view, page)
children = []
for count in (2, 3):
    child = os.fork()
    if not child:
        for _ in range(count):
            log.page(view, page)
        while log.counts().logged < count:  # by the thread of the child
            time.sleep(0.001)
        assert adds_up(log).pages == count
        os._exit(0)
    children.append(child)
assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]
log.close()
assert adds_up(log)[:2] == (1, 1)
print("done")
""",
        tmp_path,
    )
    found = [records(file) for file in tmp_path.iterdir()]
    assert sorted(found, key=lambda each: each[0]) == [(1, []), (2, []), (3, [])]
