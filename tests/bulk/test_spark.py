"""Real Spark, with two executors as processes: every row gets the answer of the reference."""

from __future__ import annotations

import os
import shutil
import sys

import pytest

from tests.bulk.material import columns_of, expected, hidden_of, random_rows, random_rules
from tests.bulk.test_recipes import run_recipe
from withhold import Policy, RuleSet, Snapshot, SnapshotError

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
pytest.importorskip("pyspark", reason="pyspark is not installed")
if shutil.which("java") is None:
    pytest.skip("Java is not installed", allow_module_level=True)

from pyspark.sql import SparkSession  # noqa: E402  # needs pyspark
from pyspark.sql.functions import expr  # noqa: E402
from pyspark.sql.types import BooleanType, StructField, StructType  # noqa: E402

from withhold.bulk.columns import Columns  # noqa: E402
from withhold.bulk.opened import engine_of  # noqa: E402
from withhold.bulk.spark import mapper, register  # noqa: E402

pytestmark = pytest.mark.filterwarnings("default")
NAMES = ("tweets", "accounts", "countries", "subdivisions", "at", "retweet_of", "retweeted_account")
RULES = random_rules(21)
ROWS = random_rows(22, 2_000, distinct=120)
WANTED = hidden_of(expected(RULES, Policy(), ROWS))


@pytest.fixture(scope="module")
def spark():
    quick = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"  # the jobs are small, so compiling them well does not pay
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["PYSPARK_SUBMIT_ARGS"] = f"--driver-java-options '{quick}' pyspark-shell"
    session = (
        SparkSession.builder.master("local-cluster[2,1,1024]")
        .config("spark.ui.enabled", "false")
        .config("spark.task.maxFailures", "1")
        .config("spark.sql.codegen.wholeStage", "false")
        .config("spark.sql.codegen.factoryMode", "NO_CODEGEN")  # nor does compiling expressions
        .config("spark.sql.session.timeZone", "Asia/Kolkata")
        .config("spark.executor.extraJavaOptions", quick)
        .config("spark.executorEnv.PYTHONPATH", os.pathsep.join(sys.path))
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()
    for name in ("PYSPARK_PYTHON", "PYSPARK_SUBMIT_ARGS"):
        del os.environ[name]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("snapshots") / "rules.wh"
    Snapshot.compile(RULES).save(path)
    return path


@pytest.fixture(scope="module")
def frame(spark):
    """The rows in two partitions, so that each executor gets one."""
    made = spark.createDataFrame(pa.table({"row": range(len(ROWS)), **columns_of(ROWS, pa)}))
    assert made.rdd.getNumPartitions() == 2
    return made


def test_two_executors_give_the_answers_of_the_reference(spark, path, frame):
    """Called with columns, from SQL, and by `mapInArrow`."""
    hidden = register(spark, path, name="withheld_here", arguments=NAMES)
    in_sql = expr(f"withheld_here({', '.join(NAMES)})")
    mapped = frame.mapInArrow(
        mapper(path, Columns(*NAMES), name="mapped"), StructType([*frame.schema, StructField("mapped", BooleanType())])
    )
    found = mapped.select("row", "mapped", hidden(*NAMES).alias("called"), in_sql.alias("in_sql")).collect()
    ordered = sorted(found, key=lambda row: row.row)
    for way in ("mapped", "called", "in_sql"):
        assert [row[way] for row in ordered] == WANTED, way


def test_another_revision_fails_the_job(frame, path, tmp_path):
    revision = Snapshot.open(path).revision
    other = tmp_path / "rules.wh"
    Snapshot.compile(RuleSet()).save(other)
    mapped = mapper(other, Columns(*NAMES), name="mapped", revision=revision)
    with pytest.raises(Exception, match="other-revision"):  # Spark wraps it
        frame.mapInArrow(mapped, StructType([*frame.schema, StructField("mapped", BooleanType())])).collect()
    with pytest.raises(SnapshotError, match="other-revision"):
        engine_of(other, revision)


def test_what_is_not_understood_fails_the_job(spark, path):
    hidden = register(spark, path, name="withheld_now")
    rows = spark.createDataFrame(pa.table({"tweets": [1], "accounts": [2], "countries": ["XX"]}))
    with pytest.raises(Exception, match="unknown-territory"):
        rows.select(hidden("tweets", "accounts", "countries")).collect()


def test_the_recipe_runs(spark, tmp_path, monkeypatch):
    run_recipe("spark", tmp_path, monkeypatch)


@pytest.mark.parametrize(
    "arguments", [("tweets", "accounts"), (*NAMES, "tweets"), ("tweets", "accounts", "countries", "x")]
)
def test_wrong_names_of_arguments_are_refused(path, arguments):
    with pytest.raises(ValueError, match=r"\[bad-arguments\]"):
        register(None, path, arguments=arguments)
