"""An address reads the same, however a source spells it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.collect.addresses import address_key
from core.serve.words import readable_address


@pytest.mark.parametrize(
    ("spelled", "written"),
    [
        ("180 N. MIRAGE COURT", "180 N Mirage Ct"),
        ("180 north mirage ct", "180 N Mirage Ct"),
        ("180 North Mirage Court", "180 N Mirage Ct"),
        ("180 Mirage Court #102", "180 Mirage Ct #102"),
        ("180 Mirage Court Apt 4", "180 Mirage Ct Apt 4"),
        ("180 Mirage Court, Seattle", "180 Mirage Ct, Seattle"),
        ("12 Main Street North", "12 Main St N"),
        ("9 Court Road", "9 Court Rd"),
        ("9 North Street", "9 North St"),
        ("9 Avenue Road", "9 Avenue Rd"),
        ("5 St. James Place", "5 St James Pl"),
        ("7 The Avenue", "7 The Ave"),
        ("406 Ang Mo Kio Avenue 10", "406 Ang Mo Kio Ave 10"),
        ("12 Jalan Bukit", "12 Jalan Bukit"),
        ("14 Rue de la Paix", "14 Rue de la Paix"),
        ("22 Park Lane", "22 Park Ln"),
        ("8 Broadway", "8 Broadway"),
        ("Court", "Court"),
        ("", ""),
    ],
)
def test_street_types_and_directions_are_short_and_names_stay(spelled: str, written: str) -> None:
    assert readable_address(spelled) == written


_STREETS = st.builds(
    " ".join,
    st.tuples(
        st.sampled_from(["12", "180", "7B"]),
        st.sampled_from(["North", "N", "N.", "", "Southwest"]),
        st.sampled_from(["Mirage", "Court", "Saint Paul", "Old Mill", "Avenue"]),
        st.sampled_from(["Street", "St.", "AVE", "Road", "Court", "Way", "Park"]),
        st.sampled_from(["", "#4", "Apt 4", "North"]),
    ),
)


@given(_STREETS)
def test_it_is_the_same_home_and_written_once_for_all(address: str) -> None:
    written = readable_address(address)
    assert address_key(written) == address_key(address)
    assert readable_address(written) == written
