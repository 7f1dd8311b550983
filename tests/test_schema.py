"""The canonical record: names are unique, and every column gets its one dtype."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.collect.columns.candidates import field_of_header
from core.collect.vocabulary import load_vocabulary
from core.errors import MappingError
from core.schema import (
    AREAS,
    FIELD_BY_NAME,
    FIELDS,
    SQFT_PER_SQM,
    FieldKind,
    Source,
    conform,
    is_extra,
    keeping_names,
    label_of,
    local_names,
    use_names,
)

DTYPES = {
    FieldKind.NUMBER: "float64",
    FieldKind.FLAG: "float64",
    FieldKind.CATEGORY: "str",
    FieldKind.TEXT: "str",
    FieldKind.DATE: "datetime64[us]",
}


def test_no_two_fields_share_a_name_or_a_label() -> None:
    assert len({field.name for field in FIELDS}) == len({field.label for field in FIELDS}) == len(FIELDS)


@pytest.mark.parametrize(
    ("currency", "code", "part"),
    [
        ("USD", "Zipcode", "Neighborhood"),
        ("AUD", "Postcode", "Suburb"),
        ("GBP", "Postcode", "Neighbourhood"),
        ("CHF", "Postal code", "Neighborhood"),
    ],
)
def test_areas_are_called_what_people_of_the_market_call_them(currency: str, code: str, part: str) -> None:
    vocabulary = load_vocabulary()
    for field, name in local_names(currency).items():
        assert name == {"zipcode": code, "neighbourhood": part}[field]
        assert field_of_header(name, Source.TAX, vocabulary) == field, "a file headed so is read so"


def test_units_are_those_the_screens_know() -> None:
    assert {field.unit for field in FIELDS} == {"", "sqft", "money", "year", "degrees"}
    assert all(field.unit == "sqft" for field in FIELDS if field.name.endswith("_sqft"))


def test_a_square_metre_is_the_international_foot_squared() -> None:
    assert pytest.approx(1 / 0.3048**2, rel=1e-15) == SQFT_PER_SQM


@pytest.mark.parametrize("name", list(FIELD_BY_NAME))
def test_a_column_the_table_lacks_is_added_as_missing_in_its_dtype(name: str) -> None:
    made = conform(pd.DataFrame(index=pd.RangeIndex(2)), [name])
    assert made[name].dtype == DTYPES[FIELD_BY_NAME[name].kind]
    assert made[name].isna().all()


def test_conform_orders_limits_and_converts() -> None:
    frame = pd.DataFrame(
        {
            "zipcode": ["98103", None],
            "bedrooms": [3, 4],
            "waterfront": [True, False],
            "sale_date": pd.to_datetime(["2024-05-01", "NaT"]).astype("datetime64[ns]"),
            "x_storey": [1, 2],
            "x_roof": ["tile", None],
        },
        index=[7, 9],
    )
    made = conform(frame, ["x_roof", "x_storey", "waterfront", "bedrooms", "sale_date", "zipcode"])
    assert made.dtypes.astype("str").tolist() == ["str", "float64", "float64", "float64", "datetime64[us]", "str"]
    assert made.index.tolist() == [7, 9]
    assert made["zipcode"].isna().tolist() == [False, True]
    assert made["waterfront"].tolist() == [1.0, 0.0]


def test_conform_leaves_the_given_table_alone() -> None:
    frame = pd.DataFrame({"bedrooms": [3, 4]})
    made = conform(frame)
    made["bedrooms"] = 0.0
    assert frame["bedrooms"].tolist() == [3, 4]
    assert frame["bedrooms"].dtype == "int64"


def test_an_unknown_column_is_refused_with_the_remedy() -> None:
    with pytest.raises(MappingError, match=r"'sqft' is not a field.*'x_sqft'"):
        conform(pd.DataFrame({"sqft": [1.0]}))


@given(st.lists(st.one_of(st.none(), st.floats(allow_nan=False)), max_size=8), st.lists(st.text(), max_size=8))
def test_conforming_twice_changes_nothing(numbers: list[float | None], texts: list[str]) -> None:
    size = min(len(numbers), len(texts))
    frame = pd.DataFrame(
        {"bedrooms": pd.Series(numbers[:size], dtype="float64"), "address": pd.Series(texts[:size], dtype="str")}
    )
    once = conform(frame)
    pd.testing.assert_frame_equal(conform(once), once)
    assert np.array_equal(once["address"].to_numpy(dtype=object), np.array(texts[:size], dtype=object))


def test_labels_are_words() -> None:
    assert label_of("living_area_sqft") == "Living area"
    assert label_of("x_storey_range") == "Storey range"
    assert is_extra("x_storey")
    assert not is_extra("storey")


def test_what_is_made_later_in_a_thread_of_its_own_has_the_names_of_the_screen_that_offers_it() -> None:
    """A download is made when it is pressed, in another thread, where no market is at hand."""
    with ThreadPoolExecutor(1) as other:
        try:
            use_names({"zipcode": "Postcode"})
            later = keeping_names(lambda: label_of("zipcode"))
        finally:
            use_names({})
        assert other.submit(label_of, "zipcode").result() == "Zipcode"
        assert other.submit(later).result() == "Postcode"


def test_the_areas_are_listed_once() -> None:
    assert AREAS == ("living_area_sqft", "lot_area_sqft")
    a_list = re.compile(
        r"""^[^#\n]*= (?:frozenset\()?[({\[]["'](?:living|lot)_area_sqft["'], ["'](?:living|lot)_area_sqft["'][)}\]]""",
        re.M,
    )
    sources = Path(__file__).parents[1].glob("core/**/*.py")
    assert [path.name for path in sources if a_list.search(path.read_text(encoding="utf-8"))] == []
