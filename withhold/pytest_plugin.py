"""The pytest plugin: it collects case files, and provides fixtures for a rule set and an engine.

pytest imports this module in every session, even without rules, so the rest of the library is imported only when it
is needed.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from withhold.sources.files import CASES

if TYPE_CHECKING:
    from withhold.engine import Engine
    from withhold.errors import Place, Problem
    from withhold.model import RuleSet
    from withhold.testing.cases import Case
    from withhold.testing.running import Runner
    from withhold.testing.suite import Library

_LIBRARY: pytest.StashKey[Library] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini(
        "withhold_rules",
        "A rule file, a directory of rule files, or a snapshot, for the fixtures of withhold.",
        default="",
    )
    parser.addini("withhold_root", "No rule file outside this directory is opened.", default="")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.File | None:
    if file_path.name.lower().endswith(CASES):
        collector: pytest.File = CasesFile.from_parent(parent, path=file_path, **_escaped_name(file_path, parent))
        return collector
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    escaped_name = _escaped_name(path, parent)
    return Folder.from_parent(parent, path=path, **escaped_name) if escaped_name else None


class Folder(pytest.Directory):
    """A directory with an escaped name."""

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        return pytest.Dir.collect(self)  # type: ignore[arg-type]  # `Dir` is final


def _escaped_name(path: Path, parent: pytest.Collector) -> dict[str, Any]:
    """Return an escaped name and node id if a terminal or a CI system would misread the name of a file or directory."""
    from withhold.errors import escaped

    relative = os.path.relpath(path, parent.config.rootpath).replace(os.sep, "/")
    if relative == escaped(relative):
        return {}
    return {"name": _item_name(path.name), "nodeid": _item_name(relative)}


def _item_name(text: str) -> str:
    """Return a name that pytest can print and accept as an argument. `::` would end the name there."""
    from withhold.errors import escaped

    return re.sub(":(?=:)", ": ", escaped(text))


class CasesFile(pytest.File):
    """A case file, which collects an item for each case."""

    def collect(self) -> Iterator[pytest.Item]:
        from withhold.errors import CaseError, RuleSetWarning
        from withhold.testing.running import Runner
        from withhold.testing.suite import may_have_keys, read_case_file

        library = _library(self.config)
        # Other tools may use this file name ending too: their files have no key similar to `rules` or `cases`.
        if not may_have_keys(self.path, library.surroundings(self.path), ("rules", "cases")):
            return
        try:
            file = read_case_file(self.path, library)
            _warn((*file.rules.warnings, *file.warnings))
        except (CaseError, RuleSetWarning) as error:  # warnings are raised if they are configured as errors
            raise self.CollectError(str(error)) from None
        runner = Runner(file, library.engine(file))
        for case in file.cases:
            yield CaseItem.from_parent(self, name=_item_name(case.name), case=case, runner=runner)


class CaseItem(pytest.Item):
    """One case."""

    def __init__(self, *, case: Case, runner: Runner, **of_pytest: Any) -> None:
        super().__init__(**of_pytest)
        self._case = case
        self._runner = runner

    def runtest(self) -> None:
        from withhold.testing.running import failure, summary

        result = self._runner.run(self._case)
        if not result.passed:
            raise CaseFailedError(failure(result, self._runner.engine), Crash(self._case.place, summary(result)))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return the failure of a case. pytest itself represents other errors."""
        if isinstance(excinfo.value, CaseFailedError):
            return excinfo.value
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        from withhold.errors import escaped

        return Path(escaped(str(self.path))), self._case.place.line - 1, escaped(self._case.name)


class Crash(NamedTuple):
    """The summary of a failure that pytest prints after the name of the item."""

    place: Place
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class CaseFailedError(AssertionError):
    """A case got an unexpected answer. pytest prints it with `toterminal`, and its summary from `reprcrash`."""

    def __init__(self, text: str, reprcrash: Crash) -> None:
        super().__init__(text)
        self.reprcrash = reprcrash

    def toterminal(self, writer: Any) -> None:
        writer.line(str(self))


def _library(config: pytest.Config) -> Library:
    """Return the rule sets of the session, with the root from the ini option `withhold_root`."""
    from withhold.testing.suite import Library

    if _LIBRARY not in config.stash:
        named = config.getini("withhold_root")
        root = _around(config) / named if named else None
        if root is not None and not root.is_dir():
            raise pytest.UsageError(f"the ini option `withhold_root`: {root} is not a directory")
        config.stash[_LIBRARY] = Library(root, here=config.rootpath)
    return config.stash[_LIBRARY]


def _around(config: pytest.Config) -> Path:
    """Return the directory to which paths in ini options are relative."""
    return config.inipath.parent if config.inipath else config.rootpath


def _warn(problems: Iterable[Problem]) -> None:
    """Warn about values that were not read as written, each at its line. pytest deduplicates repeated warnings."""
    from withhold.errors import Place, RuleSetWarning, escaped

    for problem in problems:
        if isinstance(problem.place, Place):
            # With the brackets it is not the name of a file. Otherwise pytest would print that line of the file
            # unescaped.
            file = f"<{escaped(problem.place.file)}>"
            warnings.warn_explicit(str(problem), RuleSetWarning, file, problem.place.line)


@pytest.fixture(scope="session")
def withhold_rules(pytestconfig: pytest.Config) -> RuleSet:
    """The rule set at the path in the ini option `withhold_rules`.

    Like `withhold_root`, it is relative to the ini file.
    """
    from withhold.errors import Problem, RuleSetError, quoted
    from withhold.sources.files import unreadable

    named, option = pytestconfig.getini("withhold_rules"), "the ini option `withhold_rules`"
    if not named:
        problem = Problem("no-rules", "it is not set", option, "set it to a rule file, a directory or a snapshot")
        return pytest.fail(str(problem), pytrace=False)
    try:
        rules = _library(pytestconfig).rules(_around(pytestconfig) / named)
    except RuleSetError as error:
        raise pytest.fail.Exception(f"{option}: {error}", pytrace=False) from None
    except (OSError, ValueError) as error:
        problem = unreadable(error, option, f" the rules at {quoted(named)}")
        raise pytest.fail.Exception(str(problem), pytrace=False) from None
    _warn(rules.warnings)
    return rules


@pytest.fixture(scope="session")
def withhold_engine(withhold_rules: RuleSet) -> Engine:
    """An engine over `withhold_rules`, with the default policy and the clock of the machine."""
    from withhold.engine import Engine

    return Engine(withhold_rules)
