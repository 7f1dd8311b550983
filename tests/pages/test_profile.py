"""The page “My profile” without a browser: what an agent enters there is what a seller reads first in a report."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from pypdf import PdfReader
from streamlit.testing.v1 import AppTest

from pages.kit import session
from pages.kit.navigation import PAGES_FOLDER, page_at
from tests.patience import PATIENCE_SECONDS


def press(app: AppTest, label: str) -> AppTest:
    [button] = [one for one in app.button if one.label == label]
    return button.click().run()


def fill(app: AppTest, label: str, value: str) -> None:
    [field] = [one for one in app.text_input if one.label == label]
    field.set_value(value)


def open_page(app: AppTest, name: str) -> AppTest:
    return app.switch_page(page_at(name).script.name).run()


def test_name_phone_license_and_office_of_the_profile_stand_on_the_first_page_of_a_report(
    own_small_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("DOORSTEP_HOME", str(own_small_store))
    offered: dict[str, Callable[[], bytes]] = {}

    def download(label: str, data: Callable[[], bytes], *_: Any, **__: Any) -> bool:
        offered[label] = data
        return False

    monkeypatch.setattr(st, "download_button", download)
    app = AppTest.from_file(str(PAGES_FOLDER / "shell.py"), default_timeout=PATIENCE_SECONDS)
    app.session_state[session.ROLE_KEY] = "agent"
    linked = AppTest.from_file(str(PAGES_FOLDER / "shell.py"), default_timeout=PATIENCE_SECONDS)
    linked.session_state[session.ROLE_KEY] = "agent"
    linked.run().query_params["profile_open"] = "Office"
    assert "License number" not in [one.label for one in open_page(linked, "profile").text_input], "that tab is open"
    app = open_page(app.run(), "profile")
    entered = {
        "Name": "Ana Lindqvist",
        "Office": "Harbor Realty",
        "Phone": "206-555-0142",
        "License number": "WA-88217",
    }
    for label, value in entered.items():
        fill(app, label, value)
    app = press(app, "Save the profile")
    assert not app.exception
    app = press(open_page(app, "pricing"), "Fill with a typical home")
    app = press(app, "Price this home")
    app.session_state["explained"] = "Report"
    app = app.run()
    assert not app.exception
    first = PdfReader(io.BytesIO(offered["Download the report"]())).pages[0].extract_text()
    assert [value for value in entered.values() if value not in first] == []
