"""The Runs page: empty, listing, filtering, opening, deleting with undo."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.bench.record import ErrorNote
from app.ui.run_detail import environment_rows, figure_rows, setup_rows, timeline_rows
from app.ui.server import Server
from tests.ui.records import CACHE_OFF, make_record

OpenPage = Callable[[str], AppTest]


@pytest.fixture
def three_runs(server: Server) -> None:
    now = dt.datetime.now(dt.UTC)
    runs: list[dict[str, Any]] = [
        {"label": "bf16 · KV on", "created_at": now},
        {
            "label": "bf16 · KV off",
            "setup": CACHE_OFF,
            "status": "stopped",
            "created_at": now - dt.timedelta(hours=1),
        },
        {
            "label": "bf16 · KV on",
            "status": "failed",
            "tokens": 0,
            "created_at": now - dt.timedelta(days=20),
            "error": ErrorNote(type="EngineCrashed", message="It was killed.", remedy="Ask again."),
        },
    ]
    for i, run in enumerate(runs):
        server.store.save_run(make_record(id=f"{i:032x}", **run))


def select(page: AppTest, *rows: int, generation: int = 0) -> AppTest:
    selection = {"rows": list(rows), "columns": [], "cells": []}
    page.session_state[f"runs-table-{generation}"] = {"selection": selection}
    return page.run()


def captions(page: AppTest) -> list[str]:
    return [caption.value for caption in page.caption]


def test_without_runs_the_page_teaches(open_page: OpenPage) -> None:
    page = open_page("runs")
    assert not page.exception
    assert not page.dataframe
    assert [button.label for button in page.main.button] == ["Ask something in the chat"]


@pytest.mark.usefixtures("three_runs")
def test_runs_are_listed_newest_first(open_page: OpenPage) -> None:
    page = open_page("runs")
    assert not page.exception
    table = page.dataframe[0].value
    assert list(table["Status"]) == ["finished", "stopped", "failed"]
    assert table["TTFT"].iloc[0] == 21
    assert "3 runs" in captions(page)


@pytest.mark.usefixtures("three_runs")
@pytest.mark.parametrize(
    ("key", "value", "left"),
    [
        ("runs-status", "stopped", 1),
        ("runs-purpose", "chat", 3),
        ("runs-model", "bundled", 3),
        ("runs-days", "Last 7 days", 2),
    ],
)
def test_filters(open_page: OpenPage, key: str, value: str, left: int) -> None:
    page = open_page("runs")
    page.selectbox(key=key).set_value(value).run()
    assert not page.exception
    assert len(page.dataframe[0].value) == left


@pytest.mark.usefixtures("three_runs")
def test_filter_by_part_of_the_setup_and_clear_it(open_page: OpenPage) -> None:
    page = open_page("runs")
    page.text_input(key="runs-setup").set_value("kv OFF").run()
    assert list(page.dataframe[0].value["Setup"]) == ["bf16 · KV off"]
    page.text_input(key="runs-setup").set_value("no such setup").run()
    assert not page.dataframe
    next(button for button in page.button if button.label == "Clear the filters").click().run()
    assert len(page.dataframe[0].value) == 3


@pytest.mark.usefixtures("three_runs")
def test_open_a_failed_run(open_page: OpenPage) -> None:
    page = select(open_page("runs"), 2)
    assert not page.exception
    assert [tab.label for tab in page.tabs] == [
        "Figures",
        "Timeline",
        "Environment",
        "Setup",
        "Raw",
    ]
    assert "It was killed." in page.error[0].value
    assert "Ask again." in page.error[0].value


@pytest.mark.usefixtures("three_runs")
def test_delete_and_undo(open_page: OpenPage) -> None:
    page = select(open_page("runs"), 0, 1)
    delete = page.button(key="runs-delete")
    assert delete.label == "Delete 2 runs"
    delete.click().run()
    assert not page.exception
    assert len(page.dataframe[0].value) == 1
    assert "Deleted 2 runs." in captions(page)
    page.button(key="runs-undo").click().run()
    assert len(page.dataframe[0].value) == 3
    assert "Deleted 2 runs." not in captions(page)


def test_what_another_visitor_ran_is_not_shown(open_page: OpenPage, server: Server) -> None:
    server.store.save_run(make_record(visitor="someone else"))
    assert not open_page("runs").dataframe


def test_rows_of_a_record_say_how_and_why() -> None:
    run = make_record(tokens=0, price=None)
    rows = {row[0]: row[1:] for row in figure_rows(run)}
    assert rows["Time to first token (TTFT)"][0] == "not measured: no token was produced"
    assert rows["Cost"][0] == "no price"
    assert rows["Peak memory"][1] == "measured: smaps"


def test_the_timeline_is_in_order_from_being_asked_for() -> None:
    rows = timeline_rows(make_record())
    assert [name for name, _ in rows] == [
        "Asked for",
        "Device was free for it",
        "Engine took the request",
        "First token",
        "Last token",
        "Engine free again",
        "Device free again",
    ]
    assert rows[3][1] == "22\u202fms"
    assert rows[-1][1] == "not reached"


def test_environment_and_setup_leave_nothing_unsaid() -> None:
    run = make_record(contended=True)
    environment = {row[0]: row[1] for row in environment_rows(run)}
    assert environment["Shared the device"] == "yes, in a race"
    assert "$0.084 per hour (a price list, 2026-07-01)" in environment["Price"]
    assert "Model revision" not in environment
    setup = {row[0]: row[1] for row in setup_rows(run)}
    assert setup["KV cache"] == "dynamic"
    assert setup["Fixed length"] == "no"
    assert setup["Threads"] == "default"
