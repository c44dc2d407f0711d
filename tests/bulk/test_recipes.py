"""The examples of the page for each data engine. An engine that is not installed is skipped."""

from __future__ import annotations

import doctest
import re
import warnings
from importlib.resources import files

import pytest

from tests.test_readme import blocks_of

pytest.importorskip("pyarrow", reason="pyarrow is not installed")

PAGE = files("withhold.bulk") / "README.md"
RECIPES: dict[str, str] = dict(
    re.findall(r"^```python (\w+)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
)


def test_there_is_a_recipe_for_each_engine() -> None:
    assert [*RECIPES] == ["polars", "spark", "duckdb", "daft", "ray", "pandas"]


@pytest.mark.parametrize("name", [name for name in RECIPES if name != "spark"])  # `test_spark.py` has a session
@pytest.mark.filterwarnings("default")
def test_the_recipe_runs(name, tmp_path, monkeypatch) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        engine = pytest.importorskip(name, reason=f"{name} is not installed")
    if name != "ray":
        run_recipe(name, tmp_path, monkeypatch)
        return
    # The smallest cluster, since it would otherwise take most of the time.
    engine.init(num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=100 << 20)
    try:
        run_recipe(name, tmp_path, monkeypatch)
    finally:
        engine.shutdown()


def run_recipe(name, tmp_path, monkeypatch):
    """Run the first example of the page, and then that of an engine."""
    monkeypatch.chdir(tmp_path)
    for block in blocks_of(PAGE, "yaml", "csv"):
        file = tmp_path / block.removeprefix("# ").partition("\n")[0]
        file.parent.mkdir(exist_ok=True)
        file.write_text(block.partition("\n")[2], encoding="utf-8")
    first = "import os\n>>> from withhold.bulk.columns import Columns\n"
    whole = f">>> {first}{blocks_of(PAGE, 'python')[0]}\n{RECIPES[name]}"
    test = doctest.DocTestParser().get_doctest(whole, {}, name, str(PAGE), 0)
    failures: list[str] = []
    doctest.DocTestRunner(verbose=False).run(test, out=failures.append)
    assert not failures, "".join(failures)
