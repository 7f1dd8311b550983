"""The mapping as a file on the command line: written, read back, corrected, shown, and kept with the version."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from core.cli.session import FAILED, OK
from core.store import open_store
from tests.collect.table_files import as_xlsx
from tests.test_cli import run

ROWS = 120
USD = ("--currency", "USD")


@pytest.fixture(autouse=True)
def _sqlite(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)


def sales() -> pd.DataFrame:
    count = range(ROWS)
    return pd.DataFrame(
        {
            "Objektnummer": [f"K{n:04}" for n in count],
            "Straße": [f"{n} Königsallee" for n in count],
            "Kaufdatum": [f"{1 + n % 27:02}.{1 + n % 12:02}.2024" for n in count],
            "Kaufpreis": [f"{(250_000 + 1_377 * n):,}".replace(",", ".") for n in count],
            "Wohnfläche m²": [f"{60 + n % 90},5" for n in count],
            "Zimmer": [1 + n % 5 for n in count],
            "Zustand": [("gut", "mittel", "neu")[n % 3] for n in count],
        }
    )


def written(folder: Path, form: str) -> Path:
    path = folder / f"verkauf.{form.partition('-')[0]}"
    frame = sales()
    if form == "xlsx":
        rows = [list(frame), *frame.astype("str").to_numpy().tolist()]
        path.write_bytes(as_xlsx(rows, ("Info", "Verkauf")))
    elif form == "json":
        path.write_text(json.dumps({"value": frame.to_dict("records")}), encoding="utf-8")
    else:
        path.write_bytes(frame.to_csv(index=False, sep=";").encode(form.partition("-")[2]))
    return path


def rows_of(home: Path, market: str) -> str:
    with open_store(home) as store:
        version = store.versions.latest(market)
        assert version is not None
        buffer = io.StringIO()
        store.versions.load(version.version_id).to_csv(buffer)
        return f"{version.sha256}\n{buffer.getvalue()}"


def unnamed(mapping: dict[str, Any]) -> dict[str, Any]:
    """A mapping without the display names of its columns."""
    return mapping | {"rules": [rule | {"label": ""} for rule in mapping["rules"]]}


@pytest.mark.parametrize("form", ["csv-cp1252", "csv-utf-16", "xlsx", "json"])
def test_the_guess_written_to_a_file_and_read_back_gives_the_same_version(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    path, mapping, home = written(tmp_path, form), tmp_path / "mapping.json", tmp_path / "store"
    code, out, err = run(capsys, "ingest", path, "--write-mapping", mapping, "--home", home, "--quiet")
    assert (code, err) == (OK, "")
    assert out.endswith("nothing was imported\n")
    with open_store(home) as store:
        assert store.markets.list() == []
    document = json.loads(mapping.read_text(encoding="utf-8"))
    assert {rule["column"]: rule["field"] for rule in document["rules"]}["Kaufpreis"] == "sale_price"
    as_guessed, as_read = ("--home", tmp_path / "a", "--quiet"), ("--home", tmp_path / "b", "--quiet")
    code, guessed, _ = run(capsys, "ingest", path, "--market", "G", *USD, "--json", *as_guessed)
    assert code == OK
    code, again, err = run(capsys, "ingest", path, "--market", "G", *USD, "--json", "--mapping", mapping, *as_read)
    assert (code, err) == (OK, "")
    assert rows_of(tmp_path / "a", "g") == rows_of(tmp_path / "b", "g")
    assert json.loads(again)["mappings"] == {path.name: document}
    # The file offers the readable name of each column of the market's own, to be changed; a guess names none.
    assert unnamed(json.loads(guessed)["mappings"][path.name]) == unnamed(document)


def test_the_encoding_chosen_is_in_the_mapping_and_used_when_it_is_read_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = sales().rename(columns={"Straße": "Ulica"}).drop(columns=["Wohnfläche m²"])
    frame["Ulica"] = [f"{n} Łódź" for n in range(ROWS)]
    path, mapping = tmp_path / "sprzedaz.csv", tmp_path / "m.json"
    path.write_bytes(frame.to_csv(index=False).encode("cp1250"))
    home = ("--home", tmp_path / "store", "--quiet", "--json")
    assert run(capsys, "ingest", path, "--market", "Found", *USD, *home)[0] == OK
    assert "Łódź" not in rows_of(tmp_path / "store", "found"), "the test needs an encoding that is not found"
    code, _, _ = run(capsys, "ingest", path, "--encoding", "cp1250", "--write-mapping", mapping, *home)
    assert code == OK
    assert json.loads(mapping.read_text(encoding="utf-8"))["encoding"] == "cp1250"
    code, printed, _ = run(capsys, "ingest", path, "--mapping", mapping, "--market", "Chosen", *USD, *home)
    assert code == OK
    assert json.loads(printed)["mappings"]["sprzedaz.csv"]["encoding"] == "cp1250"
    assert "0 Łódź" in rows_of(tmp_path / "store", "chosen")


def test_a_column_is_corrected_on_top_of_the_guess_and_of_a_mapping(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, mapping = written(tmp_path, "csv-utf-8"), tmp_path / "m.json"
    home = ("--home", tmp_path / "store", "--quiet")
    code, _, err = run(capsys, "ingest", path, "--map", "Zimmer=x_rooms", "--write-mapping", mapping, *home)
    assert (code, err) == (OK, "")
    code, printed, err = run(
        capsys,
        "ingest",
        path,
        "--mapping",
        mapping,
        "--map",
        "Zustand=",
        "--market",
        "G",
        "--currency",
        "USD",
        "--json",
        *home,
    )
    assert (code, err) == (OK, "")
    held = json.loads(printed)["mappings"][path.name]
    fields = {rule["column"]: rule["field"] for rule in held["rules"]}
    assert fields["Zimmer"] == "x_rooms"
    assert "Zustand" not in fields
    assert ["Zustand", "picked by you"] in held["ignored"]
    with open_store(tmp_path / "store") as store:
        version = store.versions.latest("g")
        assert version is not None
        loaded = store.versions.load(version.version_id)
    assert "x_rooms" in loaded
    assert "x_zustand" not in loaded


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--map", "Zimer=bedrooms"), "has no column 'Zimer'. The nearest is 'Zimmer'. Columns: Objektnummer"),
        (
            ("--map", "Zimmer=bedroms"),
            "'bedroms', which is not a field. The nearest is 'bedrooms'. Fields: property_",
        ),
        (("--map", "Zimmer"), "names no column and field"),
        (("--mapping", "nowhere.json"), "nowhere.json cannot be read"),
        (("--write-mapping", "nowhere/m.json"), "cannot be written"),
        (("--write-mapping", "{path}"), "is one of the files to import"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line_and_imports_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, str], words: str
) -> None:
    path = written(tmp_path, "csv-utf-8")
    before = path.read_bytes()
    option, value = arguments
    given = (option, value.format(path=path))
    code, out, err = run(capsys, "ingest", path, *given, "--market", "G", *USD, "--home", tmp_path / "store", "--quiet")
    assert (code, out) == (FAILED, "")
    assert err.count("\n") == 1
    assert words in err
    assert path.read_bytes() == before
    with open_store(tmp_path / "store") as store:
        assert store.markets.list() == []


def test_a_file_whose_price_is_not_recognized_is_made_one_of_sales_by_naming_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "verkauf.csv"
    path.write_text(sales().rename(columns={"Kaufpreis": "Zqx"}).to_csv(index=False, sep=";"), encoding="utf-8")
    home = ("--home", tmp_path / "store", "--quiet")
    code, _, _ = run(capsys, "ingest", path, "--market", "G", *USD, *home)
    assert code == FAILED
    code, out, _ = run(capsys, "ingest", path, "--write-mapping", tmp_path / "m.json", *home)
    assert code == OK
    code, out, err = run(capsys, "ingest", path, "--market", "G", *USD, "--map", "Zqx=sale_price", *home)
    assert (code, err) == (OK, "")
    assert f"{ROWS} sales" in out


def test_files_brought_together_have_one_mapping_file_and_a_correction_can_name_its_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, roll, mapping = written(tmp_path, "csv-utf-8"), tmp_path / "roll.csv", tmp_path / "m.json"
    facts = {"Objektnummer": [f"K{n:04}" for n in range(ROWS)], "Baujahr": [1950 + n % 70 for n in range(ROWS)]}
    pd.DataFrame(facts).to_csv(roll, index=False)
    home = ("--home", tmp_path / "store", "--quiet")
    code, _, err = run(capsys, "ingest", path, roll, "--map", "Objektnummer=extra", "--market", "G", *USD, *home)
    assert code == FAILED
    assert '"verkauf.csv:Objektnummer=extra"' in err
    code, _, err = run(capsys, "ingest", path, roll, "--write-mapping", mapping, *home)
    assert (code, err) == (OK, "")
    assert list(json.loads(mapping.read_text(encoding="utf-8"))["files"]) == ["verkauf.csv", "roll.csv"]
    named = ("--map", f"{roll}:Baujahr=x_baujahr")
    code, printed, err = run(
        capsys,
        "ingest",
        path,
        roll,
        "--mapping",
        mapping,
        *named,
        "--market",
        "G",
        "--currency",
        "USD",
        "--json",
        *home,
    )
    assert (code, err) == (OK, "")
    held = json.loads(printed)["mappings"]
    assert [rule["field"] for rule in held["roll.csv"]["rules"] if rule["column"] == "Baujahr"] == ["x_baujahr"]
    code, _, err = run(capsys, "ingest", path, "--mapping", tmp_path / "m.json", "--market", "H", *USD, *home)
    assert (code, err) == (OK, "")


def test_a_date_format_of_ones_own_in_the_mapping_file_is_used_and_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = sales()
    frame["Kaufdatum"] = frame["Kaufdatum"].str.replace(".", "~")
    path, mapping = tmp_path / "verkauf.csv", tmp_path / "m.json"
    frame.to_csv(path, index=False, sep=";")
    home = ("--home", tmp_path / "store", "--quiet")
    assert run(capsys, "ingest", path, "--write-mapping", mapping, *home)[0] == OK
    document = json.loads(mapping.read_text(encoding="utf-8"))
    document["rules"].append(
        {"column": "Kaufdatum", "field": "sale_date", "parse": "date", "date_format": "DD~MM~YYYY"}
    )
    mapping.write_text(json.dumps(document), encoding="utf-8")
    code, out, err = run(capsys, "ingest", path, "--mapping", mapping, "--market", "G", *USD, *home)
    assert (code, err) == (OK, "")
    assert f"{ROWS} sales" in out
    assert "2024-01-01" in rows_of(tmp_path / "store", "g")
    mapping.write_text(json.dumps(document).replace("DD~MM~YYYY", "YYYY~MM~DD"), encoding="utf-8")
    code, _, err = run(capsys, "ingest", path, "--mapping", mapping, "--market", "H", *USD, *home)
    assert code == FAILED
    assert "Column 'Kaufdatum': the date format '%Y~%m~%d' reads none of its 120 cells" in err


def test_a_mapping_keeps_of_its_inferences_only_what_the_new_file_shows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = sales().rename(columns={"Kaufpreis": "Sale price in thousands"})
    frame["Sale price in thousands"] = [250 + 7 * n % 97 for n in range(ROWS)]
    path, mapping = tmp_path / "verkauf.csv", tmp_path / "m.json"
    frame.to_csv(path, index=False, sep=";")
    home = ("--home", tmp_path / "store", "--quiet")
    assert run(capsys, "ingest", path, "--write-mapping", mapping, *home)[0] == OK
    document = json.loads(mapping.read_text(encoding="utf-8"))
    [price] = [rule for rule in document["rules"] if rule["field"] == "sale_price"]
    assert price["scale"] == 1000.0
    [scale] = [one for one in document["inferences"] if "1,000" in one["claim"]]
    assert scale["n"] == ROWS
    document["inferences"].append({**scale, "claim": "made up"})
    mapping.write_text(json.dumps(document), encoding="utf-8")
    frame.head(60).to_csv(path, index=False, sep=";")
    code, printed, _ = run(capsys, "ingest", path, "--mapping", mapping, "--market", "G", *USD, "--json", *home)
    assert code == OK
    claims = [(one["claim"], one["n"]) for one in json.loads(printed)["mappings"][path.name]["inferences"]]
    assert (scale["claim"], 60) in claims
    assert "made up" not in [claim for claim, _ in claims]


def test_a_version_keeps_how_its_files_were_read_and_mapped_and_what_was_inferred(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "verkauf.csv"
    frame = sales().rename(columns={"Kaufpreis": "Sale price in thousands"})
    frame["Sale price in thousands"] = [250 + 7 * n % 97 for n in range(ROWS)]
    path.write_bytes(frame.to_csv(index=False, sep=";").encode("cp1252"))
    home = ("--home", tmp_path / "store", "--quiet")
    code, printed, _ = run(capsys, "ingest", path, "--market", "G", *USD, "--json", *home)
    assert code == OK
    code, text, _ = run(capsys, "versions", "--market", "G", *home)
    assert code == OK
    assert "verkauf.csv: delimited text, cp1252, separated by semicolon, header in line 1" in text
    assert "Sale price in thousands: in units of 1,000 (its header says so; seen in 120 rows)" in text
    code, out, _ = run(capsys, "versions", "--json", *home)
    [version] = json.loads(out)["versions"]
    [file] = version["files"]
    [(name, shown)] = json.loads(printed)["mappings"].items()
    kept = file["mapping"]
    assert (file["file"], {**kept, "inferences": []}) == (name, {**shown, "inferences": []})
    # What came to light of the columns after they were mapped stays on record, too.
    assert all(one in kept["inferences"] for one in shown["inferences"])
    latest = version["version"]
    code, text, _ = run(capsys, "undo-version", latest, "--reason", "the wrong county", *home)
    assert (code, text) == (
        OK,
        f"data version {latest} of g is undone; no data is in use, so nothing is priced until sales are imported\n",
    )
    code, _, err = run(capsys, "undo-version", latest, "--reason", "again", *home)
    assert code == FAILED
    assert "so there is nothing to undo. Nothing was changed." in err
    assert ": the wrong county" in run(capsys, "versions", *home)[1]
    code, out, _ = run(capsys, "use-version", latest, "--json", *home)
    assert (code, json.loads(out)) == (OK, {"market": "g", "in_use": latest, "sales": version["sales"]})
    code, _, err = run(capsys, "use-version", latest, "--role", "agent", *home)
    assert code == FAILED
    assert "(agent) may not" in err


def test_columns_of_persons_are_left_out_by_name_and_a_text_is_kept_where_a_correction_asks_for_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = sales().assign(Agent=[f"Smith {n}" for n in range(ROWS)])
    frame["Remarks"] = [f"Home number {n} with a garden behind the house" for n in range(ROWS)]
    path, mapping = tmp_path / "verkauf.csv", tmp_path / "m.json"
    frame.to_csv(path, index=False, sep=";")
    home = ("--home", tmp_path / "store", "--quiet")
    code, out, _ = run(capsys, "ingest", path, "--write-mapping", mapping, *home)
    assert code == OK
    left_out = dict(json.loads(mapping.read_text(encoding="utf-8"))["ignored"])
    assert {"Agent", "Remarks"} <= set(left_out)
    assert all(left_out[column] in out for column in ("Agent", "Remarks"))
    code, printed, err = run(capsys, "ingest", path, "--mapping", mapping, "--market", "G", *USD, "--json", *home)
    assert (code, err) == (OK, "")
    assert dict(json.loads(printed)["mappings"][path.name]["ignored"]) == left_out
    code, _, err = run(capsys, "ingest", path, "--map", "Agent=x_agent", "--market", "H", *USD, *home)
    assert code == FAILED
    assert "column 'Agent' was left out (personal data" in err
    kept = ("--map", "Remarks=x_words", "--map", "Agent=")
    code, printed, err = run(capsys, "ingest", path, *kept, "--market", "H", *USD, "--json", *home)
    assert (code, err) == (OK, "")
    assert "Remarks" not in dict(json.loads(printed)["mappings"][path.name]["ignored"])
    assert "Home number 7 with a garden" in rows_of(tmp_path / "store", "h")


def test_a_new_market_takes_the_currency_its_prices_are_written_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home, path = tmp_path / "home", tmp_path / "verkauf.csv"
    sales().assign(Kaufpreis=[f"{250_000 + 1_377 * n} €" for n in range(ROWS)]).to_csv(path, index=False, sep=";")
    code, out, _ = run(capsys, "ingest", path, "--market", "Köln", "--home", home)
    assert (code, "prices are in EUR ('€' in 120 of 120 cells" in out) == (OK, True)
    wrong = ("ingest", path, "--market", "Wien", *USD, "--home", home)
    code, _, err = run(capsys, *wrong)
    assert (code, "written in EUR, but those of the market are in USD" in err) == (FAILED, True)
    code, out, _ = run(capsys, *wrong, "--misread", path.name)
    assert (code, "written in EUR, but those of the market are in USD" in out) == (OK, True)
    with open_store(home) as store:
        assert {market.name: market.currency for market in store.markets.list()} == {"Köln": "EUR", "Wien": "USD"}


@pytest.mark.parametrize(
    ("chosen", "unit"), [(["--area-unit", "sqm"], "sqm"), (["--area-unit", "sqft"], "sqft"), ([], "sqft")]
)
def test_the_area_unit_of_a_market_is_that_of_areas_without_one_now_and_later(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], chosen: list[str], unit: str
) -> None:
    frame = sales().assign(**{"Wohnfläche": [380 + n % 90 for n in range(ROWS)]}).drop(columns="Wohnfläche m²")
    home = tmp_path / "store"
    for name, part, options in (("one.csv", frame[:60], chosen), ("two.csv", frame[60:], [])):
        part.to_csv(tmp_path / name, index=False, sep=";")
        given = ("--market", "Köln", "--currency", "EUR", *options)
        code, out, err = run(capsys, "ingest", tmp_path / name, *given, "--home", home, "--json", "--quiet")
        assert (code, err) == (OK, "")
        rules = {rule["field"]: rule for rule in json.loads(out)["mappings"][name]["rules"]}
        assert rules["living_area_sqft"]["unit"] == unit


def test_the_unit_in_which_a_market_shows_areas_is_changed_by_the_option_and_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, home = tmp_path / "sales.csv", tmp_path / "store"
    sales().to_csv(path, index=False, sep=";")
    given = ("ingest", path, "--market", "Rhein", "--currency", "EUR", "--home", home, "--quiet")

    def shown() -> tuple[str, float]:
        with open_store(home) as store:
            [market] = store.markets.list()
            version = store.versions.latest(market.market_id)
            assert version is not None
            return market.area_unit, store.versions.load(version.version_id)["living_area_sqft"].sum()

    assert run(capsys, *given)[0] == OK
    before = shown()
    assert before[0] == "sqm"
    code, out, _ = run(capsys, *given, "--area-unit", "sqft")
    assert (code, shown()) == (OK, ("sqft", before[1]))
    assert "areas of Rhein are shown in sq ft from now on" in out
    assert "from now on" not in run(capsys, *given, "--area-unit", "sqft")[1]
    assert "--area-unit sqft changes that back" in run(capsys, *given, "--area-unit", "sqm")[1]
    assert shown() == before


def test_a_template_is_written_once(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    target, home = tmp_path / "tax.xlsx", tmp_path / "home"
    assert run(capsys, "template", "tax", target, "--home", home, "--quiet")[0] == OK
    assert "Assessed value (USD)" in pd.read_excel(target, engine="calamine").columns
    code, _, error = run(capsys, "template", "tax", target, "--home", home, "--quiet")
    assert code == FAILED
    assert "exists and is not replaced" in error
    assert (
        "must end in .xlsx or .csv"
        in run(capsys, "template", "tax", tmp_path / "tax.ods", "--home", home, "--quiet")[2]
    )


def test_a_name_in_the_mapping_file_becomes_that_of_the_market(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path, home, mapping = tmp_path / "sales.csv", tmp_path / "home", tmp_path / "mapping.json"
    sales().assign(ppltn_qty=[n * 37 % 101 for n in range(ROWS)]).to_csv(path, index=False)
    assert run(capsys, "ingest", path, "--write-mapping", mapping, "--home", home, "--quiet")[0] == OK
    written_names = mapping.read_text(encoding="utf-8")
    assert '"label": "Ppltn qty"' in written_names
    mapping.write_text(written_names.replace("Ppltn qty", "Population"), encoding="utf-8")
    code, _, error = run(
        capsys,
        "ingest",
        path,
        "--mapping",
        mapping,
        "--market",
        "Rhein",
        "--currency",
        "USD",
        "--home",
        home,
        "--quiet",
    )
    assert code == OK, error
    with open_store(home) as store:
        assert store.column_names.of("rhein") == {"x_ppltn_qty": "Population"}
    assert (
        run(
            capsys,
            "ingest",
            path,
            "--market",
            "Rhein",
            "--currency",
            "USD",
            "--write-mapping",
            mapping,
            "--home",
            home,
            "--quiet",
        )[0]
        == OK
    )
    assert '"label": "Population"' in mapping.read_text(encoding="utf-8")


@pytest.mark.parametrize("written", ["sign", "code", "column"])
def test_of_a_file_in_two_currencies_only_the_rows_in_the_markets_go_in_once_somebody_agrees(
    written: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home, path = ("--home", tmp_path / "home"), tmp_path / "verkauf.csv"
    amounts = [250_000 + 1_377 * n for n in range(ROWS)]
    codes = ["EUR" if n % 2 else "GBP" for n in range(ROWS)]
    texts = {
        "sign": [f"{'€' if code == 'EUR' else '£'}{amount}" for code, amount in zip(codes, amounts, strict=True)],
        "code": [f"{amount} {code}" for code, amount in zip(codes, amounts, strict=True)],
        "column": [str(amount) for amount in amounts],
    }
    frame = sales().assign(Kaufpreis=texts[written])
    frame = frame.assign(Währung=codes) if written == "column" else frame
    frame.to_csv(path, index=False, sep=";")
    code, out, _ = run(capsys, "ingest", path, "--write-mapping", tmp_path / "mapping.json", *home)
    assert (code, "prices are in several currencies: " in out, "60 in GBP" in out) == (OK, True, True)
    code, _, err = run(capsys, "ingest", path, "--market", "Köln", "--currency", "EUR", *home)
    assert (code, "prices are in several currencies: 60 in GBP, 60 in EUR" in err) == (FAILED, True)
    accept = ("--misread", path.name, "--json")
    code, out, _ = run(capsys, "ingest", path, "--market", "Köln", "--currency", "EUR", *accept, *home)
    account = json.loads(out)["files"][0]
    assert (code, account["accepted"], account["rejected"]) == (OK, 60, 60)
    assert account["reasons"]["price_other_currency"] == 60
    with open_store(tmp_path / "home") as store:
        version = store.versions.latest(store.markets.list()[0].market_id)
        assert version is not None
        prices = store.versions.load(version.version_id, ["sale_price"])["sale_price"]
    assert sorted(prices) == amounts[1::2]


def test_a_few_prices_in_another_currency_are_left_out_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "verkauf.csv"
    sales().assign(Kaufpreis=[f"{'$' if n == 7 else '€'}{250_000 + 1_377 * n}" for n in range(ROWS)]).to_csv(
        path, index=False, sep=";"
    )
    code, out, _ = run(capsys, "ingest", path, "--market", "Köln", "--home", tmp_path / "home")
    assert (code, "119 accepted" in out, "price_other_currency 1" in out) == (OK, True, True)
