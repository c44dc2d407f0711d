"""The territories of an order, as its `demand.yaml` states them."""

from __future__ import annotations

import pytest

from tests.demands.material import demand
from withhold.demands.fields import overseas_notes
from withhold.errors import DemandError


@pytest.mark.parametrize(
    ("jurisdiction", "requested", "wanted", "overseas"),
    [
        ("IN", "{}", ["IN"], []),
        ("XK", "{}", ["XK"], []),
        ("FR", "{}", ["FR"], ["`FR` (France) does not include `BL`, `GF`"]),
        ("FR", "{withheld_in: [FR, RE]}", ["FR", "RE"], []),
        ("FR", "{withheld_in: FR, except_in: [RE]}", ["FR"], []),
        ("US", "{}", ["US"], ["`US` (United States) does not include `AS`, `GU`"]),
        ("CN", "{}", ["CN"], ["`CN` (China) does not include `HK`, `MO`"]),
        ("FR", "{withheld_in: [WORLD]}", ["WORLD"], []),
        ("EU", "{withheld_in: [DK, FI]}", ["DK", "FI"], ["`FI` (Finland) does not include `AX`"]),
    ],
)
def test_a_country_without_its_territories_overseas_is_a_question(jurisdiction, requested, wanted, overseas):
    fields = demand(jurisdiction=jurisdiction, requested=requested).data()
    assert fields["requested"]["withheld_in"] == wanted
    notes = overseas_notes(fields)
    assert len(notes) == len(overseas)
    assert all(map(str.startswith, notes, overseas))


def test_the_european_union_is_its_27_members():
    assert len(demand(jurisdiction="EU").data()["requested"]["withheld_in"]) == 27


@pytest.mark.parametrize("code", ["XX", "T1", "A1", "A2", "AP", "O1"])
def test_codes_of_location_data_are_refused(code):
    with pytest.raises(DemandError):
        demand(requested=f"{{withheld_in: [{code}]}}")
