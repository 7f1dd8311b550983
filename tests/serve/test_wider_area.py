"""A home in a postal code without sales: placed by the wider area that the code names, and no surer than that."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from core.prepare.features.facts import FactColumns, FactImputer
from core.problem import Problem
from core.serve.agent.form_facts import unknown_area_words
from core.serve.agent.nearest_sales import nearest_sales
from core.serve.estimate import Estimate, LiveMarket, estimate
from core.serve.estimate_many import estimate_many
from core.workflows.pricing.desk import Desk


@pytest.fixture(scope="module")
def live(small_desk: Desk) -> LiveMarket:
    assert small_desk.live_market is not None
    return small_desk.live_market


@pytest.fixture(scope="module")
def today(live: LiveMarket) -> date:
    return live.bundle.model.profile.last_sale + timedelta(days=1)


@pytest.fixture(scope="module")
def home(live: LiveMarket) -> dict[str, object]:
    """A typical home without coordinates in the largest zipcode, and no neighborhood."""
    profile = live.bundle.model.profile
    code = next(iter(profile.area_codes["zipcode"]))
    left_out = {"latitude", "longitude", "neighbourhood"}
    return {name: one for name, one in profile.typical["zipcode"][code].items() if name not in left_out} | {
        "zipcode": code
    }


def test_a_code_without_sales_is_priced_by_its_wider_area_says_so_and_is_no_surer(
    live: LiveMarket, home: dict[str, object], today: date, problem: Problem
) -> None:
    model, wider = live.bundle.model, str(home["zipcode"])[:3]
    new = f"{wider} XX"
    known, unknown, short = (
        estimate(live, home | {"zipcode": code}, today, problem, 0.8) for code in (home["zipcode"], new, wider)
    )
    assert isinstance(known, Estimate)
    assert isinstance(unknown, Estimate)
    assert isinstance(short, Estimate)
    assert (short.low, short.point, short.high) == (unknown.low, unknown.point, unknown.high)
    assert unknown.high / unknown.low > known.high / known.low
    [flag] = [one for one in unknown.flags if one.field == "location"]
    assert f"no sale known in {new}" in flag.value
    assert flag.limit == f"filled with the middle of the wider area {wider}"
    assert "no sale" not in next(one for one in short.flags if one.field == "location").value
    assert unknown_area_words(model, "zipcode", home | {"zipcode": wider}).startswith(f"{wider} is a wider area")
    assert f"the wider area {wider} counts instead" in unknown_area_words(model, "zipcode", home | {"zipcode": new})
    assert nearest_sales(live, home | {"zipcode": new}, today, problem)
    many = estimate_many(live, pd.DataFrame([home | {"zipcode": new}]), today, problem, 0.8)
    assert not many.not_priced


def test_the_smallest_area_known_places_a_home_and_its_own_code_is_kept_where_homes_have_it() -> None:
    facts = FactColumns((), (), ("zipcode", "neighbourhood"), located=True, renovation=False)
    homes = pd.DataFrame(
        {
            "zipcode": ["2311 AA", "2311 AB", "2312 AA", "2312 AB", "2312 AC"],
            "neighbourhood": "Leiden",
            "latitude": [52.1, 52.2, 52.6, 52.8, np.nan],
            "longitude": 4.5,
            "sale_date": pd.Timestamp("2024-01-01"),
        }
    )
    step = FactImputer(facts).fit(homes)
    codes = ["2311 AA", "2312 XX", "2312xx", "2312", "2312 AC", "2399 AA"]
    asked = pd.DataFrame({"zipcode": codes, "neighbourhood": "Leiden", "latitude": np.nan, "longitude": np.nan})
    filled = step.transform(asked.assign(sale_date=pd.Timestamp("2024-06-01")))
    np.testing.assert_allclose(filled["latitude"], [52.1, 52.7, 52.7, 52.7, 52.7, 52.4])
    assert filled["zipcode"].tolist() == ["2311 AA", "2312", "2312", "2312", "2312 AC", "2399 AA"]
    places = [step.wider_area({"zipcode": code, "neighbourhood": "Leiden"}) for code in codes]
    assert places == ["", "2312", "2312", "2312", "2312", ""]
