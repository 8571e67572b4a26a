"""An experiment from the form to its result, in the real app with the bundled model."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page, expect

from app.ui.server import OWNER
from backends.setup import Setup
from tests.browser.chat_page import ChatPage, comparison
from tests.browser.server import AppServer
from tests.browser.test_looks import assert_whole

RUN_MS = 60_000


def fill(page: Page, label: str, text: str) -> None:
    field = page.get_by_label(label, exact=True).first
    field.fill(text)
    field.press("Tab")


def test_an_experiment_from_the_form_to_its_result(
    new_context: Callable[..., BrowserContext], server: AppServer
) -> None:
    page = new_context(viewport={"width": 800, "height": 900}, color_scheme="dark").new_page()
    two = comparison(Setup(), Setup(kv_cache="off"))
    page.goto(f"{server.url}compare?s={two.to_permalink()}")
    page.get_by_text("Paste", exact=True).click()
    fill(page, "One prompt a line", "What is prefill?\nWhat is decode?")
    fill(page, "Rounds", "2")
    fill(page, "Tokens of each answer", "4")
    expect(page.get_by_text("2 setups × 2 prompts × 2 rounds = 8 runs")).to_be_visible()
    assert_whole(page)
    page.get_by_role("button", name="Start", exact=True).click()

    expect(page.get_by_text(re.compile(r"of 8 runs"))).to_be_visible()
    expect(page).to_have_url(re.compile("experiment="))
    page.reload()
    expect(page.get_by_text(re.compile("^finished · 2 setups"))).to_be_visible(timeout=RUN_MS)
    ChatPage(page, server.url).settled()
    expect(page.get_by_test_id("stPlotlyChart").first).to_be_visible(timeout=RUN_MS)
    assert_whole(page)
    store = server.store()
    (made,) = store.experiments(OWNER)
    samples = store.samples(made.id)
    store.close()
    assert {one.place.pair for one in samples if one.place.round} == {
        (round_, prompt, 0) for round_ in (1, 2) for prompt in (0, 1)
    }

    page.get_by_role("button", name="All experiments").click()
    page.get_by_role("button", name=made.plan.name).click()
    expect(page).to_have_url(re.compile(f"experiment={made.id}"))
