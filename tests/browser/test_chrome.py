"""Nothing of the framework lies over the product: no advert, no hint in the way of a field, no refusal in its words."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PHONE, Server, running_server, visit

DESK = (1440, 900)
SIZES = pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
# A folder in HOME for which Streamlit 1.67 shows its advert, unless it is headless (its web/skills.py lists them).
FOLDER = ".cursor"
ADVERT = "[data-testid^='stSkillsNudge']"
# The only text of the framework inside number fields; Streamlit draws it while what was typed is not yet sent.
INSTRUCTIONS = "[data-testid='InputInstructions']"

PDF = "application/pdf"


@pytest.fixture(scope="module")
def at_a_desk(small_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server as a person starts it, who has such a folder, with a small simulated market and its model."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "person" / FOLDER).mkdir(parents=True)
    home = Path(shutil.copytree(small_home, folder / "home"))
    settings = {"HOME": str(folder / "person"), "STREAMLIT_SERVER_HEADLESS": "false"}
    with running_server(home, settings=settings) as running:
        yield running


def seen(page: Page) -> str:
    return page.locator("body").inner_text()


@pytest.mark.parametrize(("size", "path"), [(DESK, ""), (PHONE, "pricing")], ids=["desk", "phone"])
def test_no_advert_covers_the_page(chromium: Browser, at_a_desk: Server, size: tuple[int, int], path: str) -> None:
    with visit(chromium, at_a_desk, size) as opened:
        page = opened.open(path, role="Agent")
        # It would come with the first answer of the server; a while later nothing of it may have come.
        page.wait_for_timeout(1_000)
        expect(page.locator(ADVERT)).to_have_count(0)
        assert "Help agents write better apps" not in seen(page)
        opened.shot(f"chrome-{path or 'home'}-{size[0]}")


def test_the_address_is_printed_once_and_is_where_the_server_answers(chromium: Browser, at_a_desk: Server) -> None:
    with visit(chromium, at_a_desk, DESK) as opened:
        opened.open("pricing", role="Agent")
    assert [line for line in at_a_desk.log().splitlines() if "http" in line] == [
        f"Doorstep is running at {at_a_desk.url}"
    ]


@SIZES
def test_a_click_anywhere_in_a_number_field_that_was_typed_into_reaches_it(
    chromium: Browser, at_a_desk: Server, size: tuple[int, int]
) -> None:
    with visit(chromium, at_a_desk, size) as opened:
        page = opened.open("pricing", role="Agent")
        field = page.get_by_label("Living area (sq ft) *")
        field.click()
        field.press_sequentially("1680")
        # Streamlit puts its instructions into a wide field now. Were they not there, there would be nothing to test.
        if size == DESK:
            expect(page.locator(INSTRUCTIONS)).to_be_attached()
        assert "Press Enter" not in seen(page)
        opened.shot(f"chrome-field-{size[0]}")
        place = field.bounding_box()
        assert place is not None
        for share in (0.05, 0.25, 0.45, 0.65, 0.85):
            spot = (place["x"] + share * place["width"], place["y"] + place["height"] / 2)
            assert field.evaluate("(field, [x, y]) => field === document.elementFromPoint(x, y)", spot), share
            page.mouse.click(*spot)
            expect(field).to_be_focused()
        page.keyboard.press("End")
        page.keyboard.type("5")
        expect(field).to_have_value("16805")


def test_a_field_with_a_limit_still_counts_its_characters(chromium: Browser, at_a_desk: Server) -> None:
    with visit(chromium, at_a_desk, DESK) as opened:
        page = opened.open("sales_data", role="Analyst")
        page.locator("input[type=file]").first.set_input_files(
            {"name": "sales.csv", "mimeType": "text/csv", "buffer": b"price,date,zip\n300000,2024-05-01,98103\n"}
        )
        opened.settle()
        page.get_by_label("Name of the market").fill("Harbour")
        expect(page.locator(INSTRUCTIONS)).to_have_text("7/80", use_inner_text=True)


# Both pages have the same field: each is brought a file in one of the two ways.
@pytest.mark.parametrize(
    ("path", "role", "way"), [("sales_data", "Analyst", "dropped"), ("pricing", "Agent", "chosen")]
)
def test_a_file_of_another_type_is_refused_in_our_own_words(
    chromium: Browser, at_a_desk: Server, path: str, role: str, way: str
) -> None:
    with visit(chromium, at_a_desk, DESK) as opened:
        page = opened.open(path, role=role)
        if path == "pricing":
            page.get_by_role("tab", name="Many at once").click()
        {"chosen": choose, "dropped": drop}[way](page, "sales.pdf", b"%PDF-1.7\n")
        opened.settle()
        if path == "pricing":
            page.get_by_role("button", name="Price the file").click()
            opened.settle()
        refusal = page.get_by_test_id("stAlert").filter(has_text="sales.pdf looks like a PDF document")
        expect(refusal).to_contain_text(
            "Doorstep reads CSV and TSV files, Excel and OpenDocument workbooks, Parquet and JSON records."
        )
        expect(refusal).to_contain_text("Ask for the table itself as CSV")
        for words in ("not allowed", "application/pdf"):
            assert words not in seen(page)
        opened.shot(f"chrome-refused-{path}")


def choose(page: Page, name: str, content: bytes) -> None:
    page.locator("input[type=file]").last.set_input_files({"name": name, "mimeType": PDF, "buffer": content})


def drop(page: Page, name: str, content: bytes) -> None:
    carried = page.evaluate_handle(
        """([name, type, bytes]) => {
            const carried = new DataTransfer();
            carried.items.add(new File([new Uint8Array(bytes)], name, {type}));
            return carried;
        }""",
        [name, PDF, list(content)],
    )
    page.get_by_test_id("stFileUploaderDropzone").last.dispatch_event("drop", {"dataTransfer": carried})
