"""`Policy(unknown_location="show", author_sees_own=True)` answers as X's published takedown rules do.

The rules are those of xai-org/x-algorithm, `visibility-filtering`, in the version with `legal_takedown_in` and
`local_laws_takedown_in`. They are written down again here; `tests/cases/x` has examples, and where we differ on purpose.
"""

from __future__ import annotations

from itertools import chain, combinations

from tests.wire.material import LAST, read_text
from withhold import Engine, Policy, Viewer
from withhold.territories import countries
from withhold.wire import rules_of

AUTHOR, OTHER = 7, 8
FIRST = 1_000
CODED = ("LegalRequest", "UnspecifiedReason", "BystanderReport")
Labels = tuple[tuple[str, str], ...]


def x_withholds(labels: Labels, country: str | None, *, by_author: bool) -> bool:
    """Return whether X's rules withhold a tweet with these labels from a viewer. `Dmca` has no code."""
    if by_author:
        return False
    codes = []
    for name, code in labels:
        if name == "Dmca":
            codes.append("xy")
        elif (
            (name == "LegalRequest" and code != "xy")
            or name == "UnspecifiedReason"
            or (name == "BystanderReport" and code not in ("xx", "xy"))
        ):
            codes.append(code)
    return any(code in ("xx", "xy", country) for code in codes)


def compare(subjects: list[Labels], places: list[str | None]) -> None:
    """Compare the answers on a tweet with each list of labels, for the author and another viewer at each place."""
    rows = [
        f"tweet,{FIRST + number},{';'.join(f'{name}:{code}' if code else name for name, code in labels)}"
        for number, labels in enumerate(subjects)
    ]
    found = read_text("takedowns", "\n".join(["kind,id,labels", *rows]))
    assert found.refused == 0
    engine = Engine(rules_of(found.events, "takedowns"), Policy(unknown_location="show", author_sees_own=True))
    ids, authors = [FIRST + number for number in range(len(subjects))], [AUTHOR] * len(subjects)
    for place in places:
        for account in (AUTHOR, OTHER):
            view = engine.view(Viewer(country=place, account_id=account), LAST)
            country = None if place is None else place.lower()
            wanted = bytes(x_withholds(labels, country, by_author=account == AUTHOR) for labels in subjects)
            assert bytes(view.mask(ids, authors)) == wanted, (place, account)


def test_every_label_in_every_country_for_its_viewers_and_those_of_its_neighbour_in_the_alphabet():
    known = list(countries())
    for at in range(0, len(known), 10):
        codes = ["xx", "xy", *map(str.lower, known[at : at + 10])]
        labels: list[Labels] = [(("Dmca", ""),), *(((name, code),) for name in CODED for code in codes)]
        compare(labels, [None, *known[at : at + 11]])


def test_every_set_of_labels_over_two_countries_xx_and_xy():
    single = [("Dmca", ""), *((name, code) for name in CODED for code in ("de", "fr", "xx", "xy"))]
    sets = list(chain.from_iterable(combinations(single, size) for size in range(len(single) + 1)))
    assert len(sets) == 8192
    compare(sets, [None, "DE", "FR", "IN"])


def test_labels_that_x_does_not_enforce_on_accounts_become_no_rule():
    for label in ("Dmca", "UnspecifiedReason:xy", "LegalRequest:xy", "BystanderReport:xx", "BystanderReport:xy"):
        found = read_text("takedowns", f"kind,id,labels\naccount,17,{label}\n")
        assert (len(rules_of(found.events, "takedowns")), found.skipped.total()) == (0, 1), label
    for label in ("LegalRequest:de", "LegalRequest:xx", "UnspecifiedReason:xx", "BystanderReport:de"):
        found = read_text("takedowns", f"kind,id,labels\naccount,17,{label}\n")
        assert (len(rules_of(found.events, "takedowns")), found.skipped.total()) == (1, 0), label
