"""Codes name wider areas, addresses name streets, and a level with few sales is drawn to the next wider one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.demo.city import NOISE, STRUCTURAL, MarketModel, simulate
from core.prepare.features.area_evidence import MarketEvidence
from core.prepare.features.area_levels import STREET, area_levels, street_of
from core.prepare.features.columns import Columns
from core.prepare.features.facts import FactColumns, find_facts
from core.prepare.features.neighbours import Rule
from core.prepare.features.pipeline import feature_pipeline
from core.prepare.features.postal_codes import wider_areas

CODED = FactColumns((), (), ("zipcode",), located=False, renovation=False, addressed=True)


@pytest.mark.parametrize(
    ("code", "wider"),
    [
        ("98103", ("981",)),
        ("98103-1234", ("981", "98103")),
        ("560406", ("56", "5604")),
        ("3067", ("30",)),
        ("NE3 5RD", ("NE3", "NE3 5")),
        ("ne35rd", ("NE3", "NE3 5")),
        ("SW1A 1AA", ("SW1A", "SW1A 1")),
        ("1012 AB", ("10", "1012")),
        ("M5V 2T6", ("M5V",)),
        ("Abbotsford", ()),
        ("", ()),
    ],
)
def test_a_postal_code_names_wider_areas(code: str, wider: tuple[str, ...]) -> None:
    assert wider_areas(code) == wider


@pytest.mark.parametrize("address", ["12 North Main Street", "7 N Main St, Apt 4", "1/12 N. Main St.", "12A N MAIN ST"])
def test_homes_of_one_street_share_it_whatever_their_number(address: str) -> None:
    assert street_of(address) == "N MAIN ST"


def test_streets_of_one_name_in_two_areas_differ() -> None:
    homes: Columns = {
        "zipcode": np.array(["98103", "98199", np.nan], dtype=object),
        "address": np.array(["1 Elm St", "2 Elm St", "3 Elm St"], dtype=object),
    }
    streets = area_levels(homes, CODED)[STREET]
    assert streets[0] != streets[1]
    assert pd.isna(streets[2])


def evidence_of(codes: list[str], y: list[float], rule: Rule = Rule.EARLIER) -> tuple[MarketEvidence, Columns]:
    facts = FactColumns((), (), ("zipcode",), located=False, renovation=False)
    days = pd.date_range("2020-01-01", periods=len(codes)).to_numpy()
    homes: Columns = {"zipcode": np.array(codes, dtype=object), "sale_date": days}
    return MarketEvidence(facts, rule).fit(homes, np.array(y)), homes


def test_a_code_without_sales_takes_the_level_of_its_wider_area() -> None:
    step, _ = evidence_of(["10101", "20101"] * 40, [1.0, 2.0] * 40)
    new: Columns = {
        "zipcode": np.array(["10199", "20199"], dtype=object),
        "sale_date": pd.to_datetime(["2021-01-01"] * 2).to_numpy(),
    }
    found = step.transform(new)
    assert (found["zipcode_sales"] == 0).all()
    assert found["zipcode_level"][1] - found["zipcode_level"][0] > 0.5
    assert step.knows({name: areas[:1] for name, areas in area_levels(new, step.facts).items()})


@pytest.mark.parametrize("rule", list(Rule))
def test_no_level_or_price_of_an_area_has_the_own_price_in_it(rule: Rule) -> None:
    codes, prices = ["10101", "10102", "20101"] * 20, list(np.linspace(1.0, 2.0, 60))
    (step, homes), own = evidence_of(codes, prices, rule), np.arange(60)
    changed, _ = evidence_of(codes, [*prices[:-1], 99.0], rule)
    first, second = step.evidence(homes, own), changed.evidence(homes, own)
    for name in first:
        if name.endswith(("_level", "_price")):
            # The trend is one of the whole market's sales; under EARLIER no later sale moves it.
            tolerance = 1e-9 if rule is Rule.EARLIER else 0.5
            assert abs(first[name][-1] - second[name][-1]) < tolerance, name


def test_a_market_with_coordinates_keeps_its_columns() -> None:
    table = simulate(MarketModel(parcels=600), 3, sales=600).drop(columns=[STRUCTURAL, NOISE])
    log_price = np.log(table["sale_price"].to_numpy())
    for dropped, wanted in (([], False), (["latitude", "longitude"], True)):
        homes = table.drop(columns=dropped)
        pipeline = feature_pipeline(find_facts(homes), Rule.OTHERS)
        pipeline.fit_transform(homes, log_price)
        names = [str(name) for name in pipeline[-1].get_feature_names_out()]
        assert any("wider" in name or name.endswith("_price") for name in names) is wanted
        assert not any("address" in name for name in names)


def test_half_a_market_without_coordinates_leaves_them_to_the_other_half() -> None:
    table = simulate(MarketModel(parcels=600), 3, sales=600).drop(columns=[STRUCTURAL, NOISE])
    blank = np.arange(len(table)) % 10 < 6
    assert find_facts(table.assign(latitude=table["latitude"].mask(blank))).located
    assert not find_facts(table.assign(latitude=table["latitude"].mask(np.arange(len(table)) % 10 < 9))).located
