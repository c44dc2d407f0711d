"""The pytest plugin: collects case files, and gives tests an engine over the rules.

pytest imports this in every session, also in those that have nothing to do with rules, so all that reads and decides is
imported where it is first needed.
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
        "withhold_rules", "A rule file, a directory of them, or a snapshot, for the fixtures of withhold.", default=""
    )
    parser.addini("withhold_root", "A folder outside of which no file of rules is opened.", default="")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.File | None:
    if file_path.name.lower().endswith(CASES):
        collector: pytest.File = CasesFile.from_parent(parent, path=file_path, **_odd_name(file_path, parent))
        return collector
    return None


def _odd_name(path: Path, parent: pytest.Collector) -> dict[str, Any]:
    """Return how a file is named if pytest would print its name as it is, and a terminal or a CI system misread that."""
    from withhold.errors import escaped

    relative = os.path.relpath(path, parent.config.rootpath).replace(os.sep, "/")
    if relative == escaped(relative):
        return {}
    return {"name": _item_name(path.name), "nodeid": _item_name(relative)}


def _item_name(text: str) -> str:
    """Return a name that pytest prints and takes back: `::` would be the end of it."""
    from withhold.errors import escaped

    return re.sub(":(?=:)", ": ", escaped(text))


class CasesFile(pytest.File):
    """A case file: an item for each case."""

    def collect(self) -> Iterator[pytest.Item]:
        from withhold.errors import CaseError, RuleSetWarning
        from withhold.testing.running import Runner
        from withhold.testing.suite import is_meant_for_us, read_case_file

        library = _library(self.config)
        # Others may call files so too: what has no key that is nearly `rules` or `cases` is none of ours.
        if not is_meant_for_us(self.path, library.surroundings(self.path), ("rules", "cases")):
            return
        try:
            file = read_case_file(self.path, library)
            _warn((*file.rules.warnings, *file.warnings))
        except (CaseError, RuleSetWarning) as error:  # a warning is raised where warnings are made errors
            raise self.CollectError(str(error)) from None
        runner = Runner(file, library.engine(file))
        for case in file.cases:
            yield CaseItem.from_parent(self, name=_item_name(case.it), case=case, runner=runner)


class CaseItem(pytest.Item):
    """One case."""

    def __init__(self, *, case: Case, runner: Runner, **of_pytest: Any) -> None:
        super().__init__(**of_pytest)
        self._case = case
        self._runner = runner

    def runtest(self) -> None:
        from withhold.testing.running import failure, in_short

        result = self._runner.run(self._case)
        if not result.passed:
            raise CaseFailedError(failure(result, self._runner.engine), Crash(self._case.place, in_short(result)))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show what the case expected and got; anything else that went wrong, as pytest does."""
        if isinstance(excinfo.value, CaseFailedError):
            return excinfo.value
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        from withhold.errors import escaped

        return Path(escaped(str(self.path))), self._case.place.line - 1, escaped(self._case.it)


class Crash(NamedTuple):
    """What pytest says of a failure on one line, behind the name of the item."""

    place: Place
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class CaseFailedError(AssertionError):
    """A case got another answer than it expects; pytest prints it by `toterminal`, and sums it up by `reprcrash`."""

    def __init__(self, text: str, reprcrash: Crash) -> None:
        super().__init__(text)
        self.reprcrash = reprcrash

    def toterminal(self, writer: Any) -> None:
        writer.line(str(self))


def _library(config: pytest.Config) -> Library:
    """Return the rule sets of the session, with the root that the ini option `withhold_root` names."""
    from withhold.testing.suite import Library

    if _LIBRARY not in config.stash:
        named = config.getini("withhold_root")
        root = _around(config) / named if named else None
        if root is not None and not root.is_dir():
            raise pytest.UsageError(f"the ini option `withhold_root`: {root} is no folder")
        config.stash[_LIBRARY] = Library(root, config.rootpath)
    return config.stash[_LIBRARY]


def _around(config: pytest.Config) -> Path:
    """Return the folder that paths of ini options are relative to."""
    return config.inipath.parent if config.inipath else config.rootpath


def _warn(problems: Iterable[Problem]) -> None:
    """Tell what was read otherwise than it was written, each at its line: pytest tells what is told twice once."""
    from withhold.errors import Place, RuleSetWarning, escaped

    for problem in problems:
        if isinstance(problem.place, Place):
            # In brackets a name stands for no file, of which pytest would print the line as it is.
            file = f"<{escaped(problem.place.file)}>"
            warnings.warn_explicit(str(problem), RuleSetWarning, file, problem.place.line)


@pytest.fixture(scope="session")
def withhold_rules(pytestconfig: pytest.Config) -> RuleSet:
    """The rule set at the ini option `withhold_rules`, which is relative to the ini file, as `withhold_root` is."""
    from withhold.errors import Problem, RuleSetError, quoted
    from withhold.sources.files import unreadable

    named, option = pytestconfig.getini("withhold_rules"), "the ini option `withhold_rules`"
    if not named:
        problem = Problem("no-rules", "no rules are named", option, "set it to a rule file, a directory or a snapshot")
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
