"""Features never know a home's own price, a later one, or one of the test set; missing facts are filled as promised."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.prepare.features.columns import columns_of, stack, take
from core.prepare.features.derived import DerivedFacts
from core.prepare.features.facts import FactImputer, find_facts
from core.prepare.features.neighbours import Rule
from core.prepare.features.pipeline import baseline_features, feature_pipeline


def market(size: int, seed: int) -> pd.DataFrame:
    """Invented homes of two zipcodes, sold over two years, some without area, coordinates or year."""
    rng = np.random.default_rng(seed)
    north = rng.random(size) < 0.5
    area = rng.uniform(600, 4000, size)
    homes = pd.DataFrame(
        {
            "property_id": pd.Series([str(n) for n in range(size)], dtype="str"),
            "zipcode": pd.Series(np.where(north, "00101", "00102"), dtype="str"),
            "property_type": pd.Series(rng.choice(["single_family", "condo"], size), dtype="str"),
            "latitude": np.where(north, 40.05, 40.0) + rng.normal(0, 0.01, size),
            "longitude": -100 + rng.normal(0, 0.01, size),
            "living_area_sqft": area,
            "bedrooms": np.round(area / 700) + rng.integers(0, 2, size),
            "year_built": rng.integers(1900, 2010, size).astype(float),
            "year_renovated": np.where(rng.random(size) < 0.2, 2012.0, np.nan),
            "sale_date": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 730, size), unit="D"),
            "sale_price": np.round(200 * area * np.where(north, 1.3, 1.0) * rng.lognormal(0, 0.1, size)),
        }
    ).astype({"sale_date": "datetime64[us]"})
    homes.loc[rng.random(size) < 0.1, "living_area_sqft"] = np.nan
    homes.loc[rng.random(size) < 0.1, ["latitude", "longitude"]] = np.nan
    return homes


def features(homes: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    pipeline = feature_pipeline(find_facts(homes), rule)
    matrix = pipeline.fit_transform(homes, np.log(homes["sale_price"].to_numpy()))
    return pd.DataFrame(matrix, columns=pipeline[-1].get_feature_names_out(), index=homes.index)


def test_no_later_price_moves_a_feature_of_an_earlier_sale() -> None:
    homes = market(600, 1)
    later = homes["sale_date"] > pd.Timestamp("2021-01-15")
    changed = homes.assign(sale_price=homes["sale_price"].where(~later, homes["sale_price"] * 7 + 1))
    before, after = features(homes, Rule.EARLIER), features(changed, Rule.EARLIER)
    pd.testing.assert_frame_equal(before[~later], after[~later], check_exact=True)
    assert not before[later].equals(after[later]), "the change must be visible to later sales, or the test sees nothing"


@settings(max_examples=20)
@given(row=st.integers(0, 299), rule=st.sampled_from(list(Rule)))
def test_no_sale_sees_its_own_price(row: int, rule: Rule) -> None:
    homes = market(300, 2)
    prices = homes["sale_price"]
    changed = homes.assign(sale_price=prices.where(homes.index != row, prices * 9))
    columns = [name for name in features(homes, rule).columns if name != "trend"]
    before, after = features(homes, rule).loc[row, columns], features(changed, rule).loc[row, columns]
    assert isinstance(before, pd.Series)
    assert isinstance(after, pd.Series)
    if rule is Rule.EARLIER:
        pd.testing.assert_series_equal(before, after, check_exact=True)
    else:
        # Under the random split's premise a later sale may speak for an earlier one, and the running trend that its
        # level is measured against has seen this sale: it moves the others by a trace, never by the price itself.
        near = ["zipcode_level", "near_level"]
        assert (before[near] - after[near]).abs().max() < 0.1 * np.log(9)


def test_test_prices_reach_nothing_under_either_rule() -> None:
    homes = market(600, 3)
    test = np.arange(600) % 5 == 0
    for rule in Rule:
        train = homes[~test]
        pipeline = feature_pipeline(find_facts(train), rule)
        pipeline.fit_transform(train, np.log(train["sale_price"].to_numpy()))
        changed = homes[test].assign(sale_price=1.0)
        np.testing.assert_array_equal(pipeline.transform(homes[test]), pipeline.transform(changed))


def test_the_pace_of_the_market_knows_no_later_sale_and_not_the_homes_own_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.prepare.features.facts._LISTED_MIN", 100)
    homes = market(600, 14)
    waited = np.random.default_rng(14).integers(5, 90, len(homes))
    homes["list_date"] = homes["sale_date"] - pd.to_timedelta(waited, unit="D")
    later = homes["sale_date"] >= pd.Timestamp("2021-01-15")
    longer = homes.assign(list_date=homes["list_date"].mask(later, homes["list_date"] - pd.Timedelta(days=200)))
    for rule in Rule:
        before, after = features(homes, rule), features(longer, rule)
        pace = [name for name in map(str, before) if name.startswith("pace_")]
        assert len(pace) == 3
        on_the_day = homes["sale_date"] <= pd.Timestamp("2021-01-15")
        pd.testing.assert_frame_equal(before.loc[on_the_day, pace], after.loc[on_the_day, pace], check_exact=True)
        assert not before.loc[~on_the_day, pace].equals(after.loc[~on_the_day, pace]), "later sales must see the change"


def test_a_fact_that_only_older_sales_record_is_none_of_todays_homes() -> None:
    homes = market(1_500, 16).sort_values("sale_date", ignore_index=True)
    old = np.arange(len(homes)) < 0.85 * len(homes)
    older = homes.assign(property_type=homes["property_type"].where(old), bedrooms=homes["bedrooms"].where(old))
    assert {"property_type", "bedrooms"} <= {*find_facts(homes).all}
    assert not {"property_type", "bedrooms"} & {*find_facts(older).all}
    # What only newer sales record is known of the homes that are for sale.
    newer = homes.assign(property_type=homes["property_type"].where(~old))
    assert "property_type" in find_facts(newer).all


def test_few_list_dates_are_no_pace_of_the_market() -> None:
    homes = market(300, 15)
    listed = homes.assign(list_date=homes["sale_date"] - pd.Timedelta(days=20))
    assert not find_facts(listed).listed


def test_without_list_dates_a_market_has_no_pace() -> None:
    assert not [name for name in map(str, features(market(300, 15), Rule.EARLIER)) if name.startswith("pace_")]


def test_evidence_tells_a_dear_area_from_a_cheap_one() -> None:
    homes = market(800, 4)
    table = features(homes, Rule.OTHERS)
    north = homes["zipcode"] == "00101"
    gap = table.loc[north, "zipcode_level"].median() - table.loc[~north, "zipcode_level"].median()
    assert gap == pytest.approx(np.log(1.3), abs=0.08)
    located = homes["latitude"].notna()
    gap = table.loc[north & located, "near_level"].median() - table.loc[~north & located, "near_level"].median()
    assert gap == pytest.approx(np.log(1.3), abs=0.08)


def test_first_sale_of_a_market_has_no_evidence() -> None:
    homes = market(300, 5).sort_values("sale_date", ignore_index=True)
    first = features(homes, Rule.EARLIER).iloc[0]
    assert first["zipcode_sales"] == 0
    assert first["near_sales"] == 0
    assert np.isnan(first["near_level"])


def test_missing_area_becomes_the_median_of_type_and_zipcode_and_is_marked() -> None:
    homes = market(400, 6)
    facts = find_facts(homes)
    imputer = FactImputer(facts).fit(homes)
    filled = imputer.transform(homes)
    row = np.flatnonzero(homes["living_area_sqft"].isna())[0]
    kind, code = homes.loc[row, "property_type"], homes.loc[row, "zipcode"]
    alike = homes[(homes["property_type"] == kind) & (homes["zipcode"] == code)]
    assert filled["living_area_sqft"][row] == alike["living_area_sqft"].median()
    assert filled["missing_living_area_sqft"][row] == 1.0
    assert np.isfinite(filled["living_area_sqft"]).all()


def test_without_a_known_zipcode_what_is_missing_is_the_median_of_the_suburb() -> None:
    homes = market(400, 6)
    suburb = pd.Series(np.where(np.arange(400) % 4 == 0, "Richmond", "Carlton"), dtype="str")
    homes = homes.assign(neighbourhood=suburb, bedrooms=homes["bedrooms"].where(suburb == "Carlton", 9.0))
    imputer = FactImputer(find_facts(homes)).fit(homes)
    asked = homes.iloc[[0, 1]].assign(bedrooms=np.nan, living_area_sqft=np.nan, property_type="condo")
    alike = homes[(homes["property_type"] == "condo") & (homes["neighbourhood"] == "Carlton")]
    for zipcode in (np.nan, "99999"):
        filled = imputer.transform(asked.assign(zipcode=zipcode))["bedrooms"]
        assert filled.tolist() == [9.0, alike["bedrooms"].median()]
    both = imputer.transform(asked.assign(zipcode="00101"))["bedrooms"]
    same = homes[(homes["property_type"] == "condo") & (homes["zipcode"] == "00101")]
    assert (both == same["bedrooms"].median()).all(), "the first area code comes first"


def test_a_type_of_which_hardly_any_home_records_a_fact_does_not_have_it() -> None:
    homes = market(400, 6).assign(property_type="single_family", lot_area_sqft=5_000.0)
    homes.loc[:99, "property_type"] = "condo"
    # Two condos have the lot of their whole building; that tells nothing about condos.
    homes.loc[2:99, "lot_area_sqft"] = np.nan
    homes.loc[:1, "lot_area_sqft"] = 90_000.0
    imputer = FactImputer(find_facts(homes)).fit(homes)
    assert imputer.never_of("condo") == {"lot_area_sqft"}
    assert imputer.never_of("single_family") == frozenset()
    assert (imputer.transform(homes)["lot_area_sqft"][2:100] == 5_000.0).all()


def test_imputation_learns_from_training_rows_only() -> None:
    homes = market(400, 7)
    imputer = FactImputer(find_facts(homes)).fit(homes.iloc[:300])
    blank = homes.iloc[300:].assign(living_area_sqft=np.nan)
    huge = blank.assign(bedrooms=blank["bedrooms"] * 100)
    np.testing.assert_array_equal(
        imputer.transform(blank)["living_area_sqft"], imputer.transform(huge)["living_area_sqft"]
    )


def test_missing_coordinates_become_the_middle_of_the_area() -> None:
    homes = market(400, 8)
    filled = FactImputer(find_facts(homes)).fit(homes).transform(homes)
    row = homes.index[homes["latitude"].isna()][0]
    middle = homes.loc[homes["zipcode"] == homes.loc[row, "zipcode"], "latitude"].median()
    assert filled["latitude"][row] == middle


def test_missing_coordinates_become_the_middle_of_the_smaller_area_whichever_code_names_it() -> None:
    # Codes of single buildings in towns, as in Singapore; and suburbs in wider postal areas, as in Melbourne.
    homes = market(400, 8).dropna(subset=["latitude", "longitude"])
    small = "B" + (np.arange(len(homes)) % 80).astype(str).astype(object)
    homes["latitude"] = 40 + 0.01 * (np.arange(len(homes)) % 80)
    homes["longitude"] = -100.0
    for smaller, wider in (("zipcode", "neighbourhood"), ("neighbourhood", "zipcode")):
        coded = homes.assign(one=small, town="one town")
        coded = coded.drop(columns="zipcode").rename(columns={"one": smaller, "town": wider})
        imputer = FactImputer(find_facts(coded)).fit(coded)
        filled = imputer.transform(coded.assign(latitude=np.nan, longitude=np.nan))
        np.testing.assert_array_equal(filled["latitude"], homes["latitude"])
        coded[smaller] = "new"
        elsewhere = imputer.transform(coded.assign(latitude=np.nan, longitude=np.nan))
        assert (elsewhere["latitude"] == homes["latitude"].median()).all()


def test_renovation_after_the_sale_is_not_known_to_its_buyer() -> None:
    homes = market(50, 9).assign(year_built=1950.0, year_renovated=2021.0, latitude=40.0, longitude=-100.0)
    homes["sale_date"] = pd.Series(pd.to_datetime(["2020-06-01"] * 25 + ["2021-06-01"] * 25), dtype="datetime64[us]")
    columns = columns_of(homes, homes.columns.tolist())
    derived = DerivedFacts(find_facts(homes)).fit(columns).transform(columns)
    assert list(derived["renovated"]) == [0.0] * 25 + [1.0] * 25
    assert derived["effective_age"][0] == 70
    assert derived["effective_age"][-1] == 0


def test_market_without_coordinates_types_or_renovations_still_has_features() -> None:
    homes = market(300, 10).drop(columns=["latitude", "longitude", "property_type", "year_renovated"])
    assert np.isfinite(features(homes, Rule.OTHERS).drop(columns="trend").to_numpy()).all()
    baseline = baseline_features(find_facts(homes)).fit_transform(homes)
    assert baseline.shape[0] == 300


def test_unknown_category_and_zipcode_are_priced_like_rare_ones() -> None:
    homes = market(400, 11)
    pipeline = feature_pipeline(find_facts(homes), Rule.EARLIER)
    pipeline.fit_transform(homes, np.log(homes["sale_price"].to_numpy()))
    strange = homes.head(3).assign(
        property_type=pd.Series(["castle"] * 3, dtype="str"), zipcode=pd.Series(["99999"] * 3, dtype="str")
    )
    assert pipeline.transform(strange).shape == (3, pipeline.transform(homes).shape[1])


def test_homes_taken_and_stacked_have_the_features_they_had_in_their_table() -> None:
    homes = market(300, 12)
    pipeline = feature_pipeline(find_facts(homes), Rule.EARLIER)
    pipeline.fit_transform(homes, np.log(homes["sale_price"].to_numpy()))
    filled = pipeline[0].transform(homes)
    some = stack([take(filled, [7, 7]), take(filled, np.arange(3)), filled])
    expected = pipeline.transform(homes)[[7, 7, 0, 1, 2, *range(300)]]
    np.testing.assert_array_equal(pipeline[1:].transform(some), expected)


def test_missing_rooms_follow_the_size_that_is_given() -> None:
    """A home of 3,600 sq ft is not given the two bedrooms of the median home of 1,400."""
    rng = np.random.default_rng(5)
    area = rng.uniform(700, 3_500, 800)
    sales = pd.DataFrame(
        {
            "zipcode": rng.choice(["1", "2"], 800),
            "living_area_sqft": area,
            "bedrooms": np.round(area / 600 + rng.normal(0, 0.4, 800)).clip(1),
            "bathrooms": np.round(area / 450 * 4 + rng.normal(0, 1, 800)).clip(4) / 4,
            "year_built": rng.integers(1950, 2015, 800).astype(float),
            "sale_date": pd.Timestamp("2024-01-01"),
        }
    )
    facts = find_facts(sales)
    imputer = FactImputer(facts).fit(sales)
    asked = sales.iloc[:4].assign(living_area_sqft=[800.0, 1_600.0, 3_400.0, np.nan], bedrooms=np.nan, bathrooms=np.nan)
    asked["year_built"] = np.nan
    filled = imputer.transform(asked)
    assert filled["bedrooms"][:3].tolist() == sorted(filled["bedrooms"][:3])
    assert filled["bedrooms"][0] <= 2
    assert filled["bedrooms"][2] >= 5
    assert (filled["bedrooms"] % 1 == 0).all()
    assert (filled["bathrooms"] % 0.25 == 0).all()
    # What does not follow size, and a home whose size is not known either, get the plain median.
    assert np.ptp(filled["year_built"][[0, 1, 2]][filled["zipcode"][:3] == filled["zipcode"][0]]) == 0
    usual = sales[sales["zipcode"] == filled["zipcode"][3]].median(numeric_only=True)
    assert filled["bedrooms"][3] == usual["bedrooms"]


def test_home_of_unknown_type_is_filled_from_its_area() -> None:
    sales = pd.DataFrame(
        {
            "zipcode": ["1"] * 60 + ["2"] * 60,
            "property_type": (["condo"] * 40 + ["house"] * 20) * 2,
            "lot_area_sqft": np.r_[np.full(60, 1_000.0), np.full(60, 9_000.0)] + np.arange(120) % 3,
            "sale_date": pd.Timestamp("2024-01-01"),
        }
    )
    imputer = FactImputer(find_facts(sales)).fit(sales)
    filled = imputer.transform(sales.iloc[[0, 60]].assign(property_type=np.nan, lot_area_sqft=np.nan))
    assert filled["lot_area_sqft"].tolist() == [1_001.0, 9_001.0]
