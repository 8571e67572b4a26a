"""The report opens from disk in a browser without a network, and its charts can be used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from app.bench.experiments.report import html
from tests.bench.experiments.test_report import EVIL, RECORDS, findings

NewContext = Callable[..., BrowserContext]

_TITLE_IS_NO_LONGER = """colour =>
  getComputedStyle(document.querySelector("#chart-0 .gtitle")).fill !== colour"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "experiment.html"
    path.write_text(html(findings(), RECORDS[:1]), encoding="utf-8")
    return path


def opened(new_context: NewContext, file: Path, **options: object) -> tuple[Page, list[str]]:
    """The page, and everything it asked for or complained about but itself."""
    page = new_context(offline=True, **options).new_page()
    heard: list[str] = []
    page.on("request", lambda request: heard.append(request.url))
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("dialog", lambda dialog: (heard.append("dialog"), dialog.dismiss()))
    page.goto(file.as_uri())
    heard.remove(file.as_uri())
    return page, heard


def ink(page: Page) -> str:
    """The colour of a chart's title."""
    title = page.locator("#chart-0 .gtitle").first
    return str(title.evaluate("element => getComputedStyle(element).fill"))


def test_charts_draw_without_a_network_and_text_of_a_user_stays_text(
    new_context: NewContext, file: Path
) -> None:
    page, heard = opened(new_context, file)
    charts = page.locator(".chart")
    expect(page.locator(".chart .main-svg .gtitle").first).to_be_visible()
    assert charts.count() >= 5
    for index in range(charts.count()):
        expect(charts.nth(index).locator(".gtitle").first).to_be_visible()
    expect(page.get_by_role("heading", level=1, name=EVIL)).to_be_visible()
    assert heard == []


def test_a_choice_draws_another_chart(new_context: NewContext, file: Path) -> None:
    page, heard = opened(new_context, file)
    axis = page.locator("#chart-0 .xtitle")
    before = axis.text_content() or ""
    page.locator("select[data-chooses='0']").select_option(index=1)
    expect(axis).not_to_have_text(before)
    assert heard == []


def test_it_follows_the_theme_and_is_light_on_paper(new_context: NewContext, file: Path) -> None:
    page, _ = opened(new_context, file, color_scheme="dark")
    expect(page.locator("#chart-0 .gtitle").first).to_be_visible()
    dark = ink(page)
    page.emulate_media(color_scheme="light")
    page.wait_for_function(_TITLE_IS_NO_LONGER, arg=dark)
    light = ink(page)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(_TITLE_IS_NO_LONGER, arg=light)
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert ink(page) == light
