"""Ids that were rounded as floating-point numbers are refused, and exact ids are not (A4)."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.minting import YEARS, cast, judged, minted, rates
from tests.sources.writing import RULE, refusal, reported, write
from withhold import RuleSet, RuleSetWarning

#: Generates one exact id.
Mint = Callable[[random.Random], int]
CSV = f"{RULE}  ids_file: ids.csv\n"


def load_csv(folder: Path, ids: list[int]) -> RuleSet:
    write(folder, {"in.yaml": CSV, "ids.csv": "kind,id\n" + "".join(f"tweet,{number}\n" for number in ids)})
    return RuleSet.load(folder)


def in_javascript(number: int) -> int:
    """Return an id as JavaScript parses and prints it: the shortest digits that denote the same double."""
    mantissa, _, exponent = repr(float(number)).partition("e")
    digits, _, decimals = mantissa.partition(".")
    return int(digits + decimals + "0" * (int(exponent) - len(decimals)))


def in_a_spreadsheet(number: int) -> int:
    """Return an id with zeros after its first fifteen digits."""
    unit: int = 10 ** (len(str(number)) - 15)
    return number // unit * unit


def uniform(rng: random.Random) -> int:
    return rng.randrange(2**58, 2**61)


def as_minted(rng: random.Random) -> int:
    """Return a snowflake of the years whose ids lose the most digits."""
    return minted(rng, rng.randrange(2016, 2027))


def test_what_the_two_do_to_an_id() -> None:
    assert in_javascript(601430178305220608) == 601430178305220600
    assert in_a_spreadsheet(1355667106821046272) == 1355667106821040000


@pytest.mark.parametrize("written", ["601430178305220600", "1355667106821040000", "1355667106821046300"])
@pytest.mark.parametrize("name", ["in.yaml", "in.json"])
def test_a_single_rounded_id_is_told_at_its_place(tmp_path: Path, written: str, name: str) -> None:
    rule = f'{{"id": "a", "reason": "terms", "withheld_in": "IN",\n"tweets": [1101, {written}]}}'
    text = f'{{"rules": [{rule}]}}'
    write(tmp_path, {name: text})
    error = refusal(tmp_path)
    assert reported(error, tmp_path) == [f"{name}:2:18 lossy-id"]
    assert error.problems[0].message == f"id `{written}` looks rounded to the precision of a floating-point number"
    assert str(error.hint).endswith("if they are exact, quote the id")
    assert (error.read, error.refused) == (0, 1)

    write(tmp_path, {name: text.replace(written, f'"{written}"')})
    assert int(written) in RuleSet.load(tmp_path)["a"].tweets, "as the hint says"


@pytest.mark.parametrize("spoilt", [in_javascript, in_a_spreadsheet])
@pytest.mark.parametrize("size", [1, 3, 30, 2000])
@pytest.mark.parametrize("mint", [uniform, as_minted])
def test_a_list_that_went_through_a_float_is_refused(
    tmp_path: Path, spoilt: Callable[[int], int], size: int, mint: Mint
) -> None:
    rng = random.Random(size + 10)
    write(tmp_path, {"in.yaml": CSV})
    exact = [mint(rng) for _ in range(size)]
    ids = list(map(spoilt, exact))
    assert ids != exact
    write(tmp_path, {"ids.csv": "kind,id\n" + "".join(f"tweet,{number}\n" for number in ids)})
    assert {problem.code for problem in refusal(tmp_path).problems} <= {"lossy-id", "more-problems"}


@pytest.mark.parametrize("mint", [uniform, as_minted])
@pytest.mark.parametrize("seed", range(3))
def test_a_long_list_of_exact_ids_is_read(tmp_path: Path, mint: Mint, seed: int) -> None:
    """Some of them look rounded by chance, especially generated ids, which often end in zero bits."""
    rng = random.Random(seed)
    ids = sorted({mint(rng) for _ in range(20_000)})
    assert any(in_javascript(number) == number for number in ids)
    assert list(load_csv(tmp_path, ids)["a"].tweets) == ids


@pytest.mark.parametrize("mint", [uniform, as_minted])
@pytest.mark.parametrize("size", [4, 100, 250, 1000])
def test_lists_of_exact_ids_are_read(mint: Mint, size: int) -> None:
    """About one list in 5,000 is refused by mistake. With more mistakes, users would turn the check off."""
    refused = doubtful = 0
    lists = 50_000 // size
    for seed in range(lists):
        rng = random.Random(seed)
        lost, suspected = judged(mint(rng) for _ in range(size))
        refused += lost
        doubtful += suspected
    assert refused <= max(1, lists / 2000)
    assert doubtful <= lists / 100 or size < 100, "in short lists, each id that looks rounded is reported"


@pytest.mark.parametrize("size", [50, 500, 5000])
def test_a_list_of_which_a_tenth_went_through_a_float_is_refused(tmp_path: Path, size: int) -> None:
    rng = random.Random(size)
    ids = [uniform(rng) if at % 10 else in_javascript(uniform(rng)) for at in range(size)]
    write(tmp_path, {"in.yaml": CSV, "ids.csv": "kind,id\n" + "".join(f"tweet,{number}\n" for number in ids)})
    assert {problem.code for problem in refusal(tmp_path).problems} <= {"lossy-id", "more-problems"}


def test_small_ids_are_never_suspect(tmp_path: Path) -> None:
    """A double represents every integer below 2**53 exactly, including round ones."""
    ids = [10, 1000, 12_000_000, 2**53 - 992, 9_007_199_254_740_990]
    assert list(load_csv(tmp_path, ids)["a"].tweets) == sorted(ids)


def test_quoted_ids_do_not_count(tmp_path: Path) -> None:
    ids = [in_a_spreadsheet(uniform(random.Random(seed))) for seed in range(50)]
    rule = {"id": "a", "tweets": [str(number) for number in ids], "withheld_in": "IN", "reason": "terms"}
    write(tmp_path, {"in.json": json.dumps({"rules": [rule]})})
    assert len(RuleSet.load(tmp_path)["a"].tweets) == 50


def test_one_file_is_judged_on_its_own(tmp_path: Path) -> None:
    """A list that a spreadsheet has rounded must not go unnoticed beside a long exact one."""
    rng = random.Random(1)
    good = RULE + f"  tweets: [{', '.join(str(uniform(rng)) for _ in range(3000))}]\n"
    bad = (
        RULE.replace("id: a", "id: b")
        + f"  tweets: [{', '.join(str(in_a_spreadsheet(uniform(rng))) for _ in range(4))}]\n"
    )
    write(tmp_path, {"a.yaml": good, "b.yaml": bad})
    error = refusal(tmp_path)
    assert {problem.partition(":")[0] for problem in reported(error, tmp_path)} == {"b.yaml"}
    assert (len(error.problems), error.read, error.refused) == (4, 1, 1)


@pytest.mark.parametrize("name", ["in.yaml", "ids.csv"])
def test_one_id_among_a_few_that_looks_rounded_is_worth_a_warning(tmp_path: Path, name: str) -> None:
    """One exact id in 256 looks rounded by chance: too many to refuse, and too few to ignore."""
    ids = [1355667106821046301 + 2 * number for number in range(9)] + [1355667106821046300]
    rule = "rules:\n- id: a\n  reason: terms\n  withheld_in: IN\n"
    inline = f"  tweets: {ids}\n" if name == "in.yaml" else "  ids_file: ids.csv\n"
    write(tmp_path, {"in.yaml": rule + inline, "ids.csv": "kind,id\n" + "".join(f"tweet,{id_}\n" for id_ in ids)})
    with pytest.warns(RuleSetWarning, match="1355667106821046300"):
        rules = RuleSet.load(tmp_path)
    assert [(problem.code, problem.severity) for problem in rules.warnings] == [("lossy-id", "warning")]
    assert str(rules.warnings[0].place).endswith(f"{name}:5:{12 + 9 * 21}" if name == "in.yaml" else "ids.csv:11:7")
    assert len(rules["a"].tweets) == 10


def in_yaml(ids: list[int], **more: str) -> str:
    return f"{RULE}  tweets: {ids}\n" + "".join(f"  {key}: {value}\n" for key, value in more.items())


SHORT = [1355670000000000000, 906000000000000000, 1355667100000000000, 9100000000000000]


@pytest.mark.parametrize("number", SHORT)
@pytest.mark.parametrize("name", ["in.yaml", "in.json", "ids.csv", "ids.txt"])
def test_c5_an_id_of_eight_digits_and_zeros_is_refused_in_any_list(tmp_path: Path, number: int, name: str) -> None:
    """It is `1.35567E+18`, written out. At most one exact id in 10,000,000,000 has this form."""
    rng = random.Random(5)
    ids = [*(minted(rng, 2019) for _ in range(99)), number]
    rule = {"id": "a", "reason": "terms", "withheld_in": "IN"}
    if name == "ids.csv":
        write(tmp_path, {"in.yaml": CSV, name: "kind,id\n" + "".join(f"tweet,{id_}\n" for id_ in ids)})
    elif name == "ids.txt":
        write(tmp_path, {"in.yaml": CSV.replace("ids.csv", "{tweets: ids.txt}"), name: "\n".join(map(str, ids))})
    else:
        write(tmp_path, {name: json.dumps({"rules": [rule | {"tweets": ids}]})})
    (problem,) = refusal(tmp_path).problems
    assert problem.code == "lossy-id"
    assert f"id `{number}` looks rounded" in problem.message


def test_c5_small_numbers_may_end_in_any_number_of_zeros(tmp_path: Path) -> None:
    """Sequential ids of accounts reached a few billion, as did the ids of tweets in the first days of snowflakes."""
    ids = [1, 12_345_678, 100_000_000, 1_000_000_000, 4_900_000_000, 29_700_000_000, 5 * 10**12, 9 * 10**15]
    write(tmp_path, {"in.yaml": in_yaml(ids)})
    assert list(RuleSet.load(tmp_path)["a"].tweets) == ids


@pytest.mark.parametrize(("year", "size"), [(2013, 90), (2016, 90), (2018, 60), (2020, 40), (2021, 20), (2022, 40)])
@pytest.mark.parametrize("name", ["in.yaml", "ids.csv"])
def test_c5_a_list_of_cast_ids_is_refused_once(tmp_path: Path, year: int, size: int, name: str) -> None:
    rng = random.Random(size)
    ids = [cast(minted(rng, year)) for _ in range(size)]
    text = in_yaml(ids) if name == "in.yaml" else CSV
    write(tmp_path, {"in.yaml": text, "ids.csv": "kind,id\n" + "".join(f"tweet,{id_}\n" for id_ in ids)})
    error = refusal(tmp_path)
    (problem,) = error.problems
    assert problem.code == "lossy-id"
    assert f"{size} of {size} long ids" in problem.message
    assert (error.read, error.refused) == (0, 1)


def test_c5_fewer_cast_ids_are_worth_a_warning_and_three_cannot_be_told(tmp_path: Path) -> None:
    rng = random.Random(1)
    cast_ids = [cast(minted(rng, 2021)) for _ in range(8)]
    write(tmp_path, {"in.yaml": in_yaml(cast_ids)})
    with pytest.warns(RuleSetWarning, match="8 of 8 long ids"):
        RuleSet.load(tmp_path)
    three = [1356123456789012480, 1499841440712732672, 1674250481848266752]
    write(tmp_path, {"in.yaml": in_yaml([*three, *(minted(rng, 2021) for _ in range(97))])})
    assert RuleSet.load(tmp_path).warnings == ()


@pytest.mark.parametrize("year", [2024, 2026])
def test_c5_a_few_cast_ids_of_today_are_refused(tmp_path: Path, year: int) -> None:
    """Since September 2023 the low bits of ids are arbitrary, no longer mostly zero."""
    rng = random.Random(year)
    write(tmp_path, {"in.yaml": in_yaml([cast(minted(rng, year)) for _ in range(10)])})
    assert {problem.code for problem in refusal(tmp_path).problems} == {"lossy-id"}


def test_c5_quoted_ids_and_those_that_somebody_vouches_for_are_exempt(tmp_path: Path) -> None:
    rng = random.Random(3)
    ids = [*(cast(minted(rng, 2021)) for _ in range(100)), *SHORT]
    write(
        tmp_path,
        {
            "in.json": json.dumps(
                {"rules": [{"id": "a", "reason": "terms", "withheld_in": "IN", "tweets": list(map(str, ids))}]}
            )
        },
    )
    assert len(RuleSet.load(tmp_path)["a"].tweets) == len(ids)

    (tmp_path / "in.json").unlink()
    override = {"override": "{rounded-ids: compared with the order}"}
    write(tmp_path, {"in.yaml": in_yaml(ids, **override)})
    assert len(RuleSet.load(tmp_path)["a"].tweets) == len(ids)

    listed = "".join(f"tweet,{id_}\n" for id_ in ids)
    write(tmp_path, {"in.yaml": f"{CSV}  override: {override['override']}\n", "ids.csv": f"kind,id\n{listed}"})
    assert len(RuleSet.load(tmp_path)["a"].tweets) == len(ids)
    other = RULE.replace("rules:\n", "").replace("id: a", "id: b") + f"  tweets: {ids}\n"
    write(tmp_path, {"in.yaml": f"{CSV}  override: {override['override']}\n{other}"})
    assert (refusal(tmp_path).read, refusal(tmp_path).refused) == (1, 1), "the other rule has no override"


@pytest.mark.parametrize("year", YEARS)
def test_c5_exact_lists_of_each_year_are_read_and_cast_ones_are_not(year: int) -> None:
    """A small sample of the measurement by `python -m tests.minting`, which uses a million ids."""
    assert rates(year, lists=10, size=500) == (0, 0)
    assert rates(year, lists=200, size=20)[0] == 0
    cast_lists, _ = rates(year, lists=10, size=200, way=cast)
    assert cast_lists == 1


def test_c5_old_ids_in_a_list_do_not_make_new_ones_suspect(tmp_path: Path) -> None:
    """More ids of 2016 than of 2021 end in zero bits, so the expected share is the mean over the list."""
    rng = random.Random(4)
    ids = [minted(rng, year) for year in (2012, 2016, 2021) for _ in range(2000)]
    assert list(load_csv(tmp_path, ids)["a"].tweets) == sorted(set(ids))


def test_c5_an_id_that_went_through_a_single_precision_float_is_refused_alone(tmp_path):
    """`int(numpy.float32(id))` keeps 24 bits."""
    cast = 1355667050722230272
    write(
        tmp_path,
        {"in.yaml": f"rules:\n- {{id: a, tweets: [1355667106821046273, {cast}], withheld_in: IN, reason: terms}}\n"},
    )
    (problem,) = refusal(tmp_path).problems
    assert problem.code == "lossy-id"
    assert f"id `{cast}` looks rounded to the precision of a 32-bit floating-point number" in problem.message
