"""How the pages look: pictures of each in both themes and two widths, and what a picture cannot
tell (names, contrast, scrolling)."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from app.bench.conversation import Comparison
from tests.browser.chat_page import ChatPage, comparison
from tests.browser.conftest import RESULTS
from tests.browser.server import AppServer

WIDE, NARROW = 1400, 800
NewContext = Callable[..., BrowserContext]

# Text and the first opaque background under it, as the browser drew them.
_COLOURS = """element => {
  const parse = text => (text.match(/[\\d.]+/g) || []).map(Number);
  let under = element, background = [0, 0, 0, 0];
  while (under && (background.length === 4 && background[3] === 0)) {
    background = parse(getComputedStyle(under).backgroundColor);
    under = under.parentElement;
  }
  const text = parse(getComputedStyle(element).color);
  let opacity = text[3] ?? 1;
  for (let one = element; one; one = one.parentElement) opacity *= getComputedStyle(one).opacity;
  return [background.map((c, i) => text[i] * opacity + c * (1 - opacity)), background];
}"""
_NAMELESS = """() => [...document.querySelectorAll("button, [role=button], a[href]")]
  .filter(e => e.checkVisibility && e.checkVisibility())
  .filter(e => !(e.getAttribute("aria-label") || e.getAttribute("title") || e.innerText.trim()
    || (e.labels && e.labels.length)
    || e.getAttribute("aria-labelledby")))
  .map(e => e.outerHTML.slice(0, 160))"""
_UNLABELLED = """() => [...document.querySelectorAll("input, textarea, select")]
  .filter(e => e.checkVisibility && e.checkVisibility() && e.type !== "hidden")
  .filter(e => !(e.getAttribute("aria-label") || e.getAttribute("title") || e.placeholder
    || (e.labels && e.labels.length) || e.getAttribute("aria-labelledby")))
  .map(e => e.outerHTML.slice(0, 160))"""


@pytest.fixture(params=["light", "dark"])
def theme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[WIDE, NARROW])
def width(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def page(new_context: NewContext, theme: str, width: int) -> Page:
    context = new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
    return context.new_page()


@pytest.fixture(scope="module")
def answered(server: AppServer, browser: object) -> dict[str, str]:
    """Where the first test's conversation is kept, so that the others look at the same one."""
    return {}


def keep_picture(page: Page, name: str, theme: str, width: int) -> None:
    """The whole page: it scrolls inside the window, so the window is made as high as it is."""
    RESULTS.mkdir(exist_ok=True)
    page.mouse.move(0, 0)
    height = page.evaluate('document.querySelector("[data-testid=stMain]").scrollHeight')
    page.set_viewport_size({"width": width, "height": max(900, height)})
    page.wait_for_timeout(300)  # charts follow the window's size
    page.screenshot(path=RESULTS / f"{name}-{theme}-{width}.png")
    page.set_viewport_size({"width": width, "height": 900})


def assert_whole(page: Page) -> None:
    """Nothing that no page may show: a traceback, a sideways scrollbar, a control without name."""
    text = page.locator("body").inner_text()
    for word in ("Traceback", "Error:", "Exception", "This page failed", "undefined", "NaN"):
        assert word not in text, f"“{word}” on the page"
    for box in ("document.documentElement", 'document.querySelector("[data-testid=stMain]")'):
        wide = page.evaluate(f"{box}.scrollWidth - {box}.clientWidth")
        assert wide <= 0, f"{box} is {wide} pixels too wide"
    assert page.evaluate(_NAMELESS) == []
    assert page.evaluate(_UNLABELLED) == []


def contrast(element: Locator) -> float:
    """WCAG's ratio of an element's text to what is behind it."""
    text, background = element.evaluate(_COLOURS)
    lighter, darker = sorted((_luminance(text), _luminance(background)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(rgb: list[float]) -> float:
    linear = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in rgb[:3]]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_empty_chat(page: Page, server: AppServer, theme: str, width: int) -> None:
    chat = ChatPage(page, server.url).open()
    keep_picture(page, "chat-empty", theme, width)
    assert_whole(page)
    column = 0 if chat.column(0).is_visible() else 1
    assert contrast(chat.title(column)) >= 4.5
    assert contrast(page.get_by_text("Or start from a comparison")) >= 4.5
    assert (
        contrast(page.get_by_role("button", name="New conversation").or_(chat.prompt).last) >= 4.5
    )


def test_the_chat_with_answers(
    page: Page, server: AppServer, theme: str, width: int, answered: dict[str, str]
) -> None:
    chat = ChatPage(page, server.url)
    if "at" in answered:
        page.goto(answered["at"])
        chat.wait_drawn()
    else:
        shown = Comparison(columns=comparison().columns)
        chat.open(shown).ask("What is the KV cache?").ask("Tell me a short story about a fox.")
        answered["at"] = page.url
    expect(page.get_by_test_id("stPlotlyChart")).to_be_visible()
    keep_picture(page, "chat-answers", theme, width)
    assert_whole(page)
    row = chat.figures(0).last
    for cell in row.locator(".dyno-value, .dyno-label").all():
        assert contrast(cell) >= 4.5, cell.inner_text()
    assert contrast(chat.answers(0).last.get_by_test_id("stMarkdown").first) >= 7


def test_the_runs_page(
    page: Page, server: AppServer, theme: str, width: int, answered: dict[str, str]
) -> None:
    if not answered:
        chat = ChatPage(page, server.url)
        chat.open(comparison()).ask("What is decode?")
        answered["at"] = page.url
    page.goto(f"{server.url}runs")
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()
    ChatPage(page, server.url).settled()
    keep_picture(page, "runs", theme, width)
    assert_whole(page)


def test_the_machine_page(page: Page, server: AppServer, theme: str, width: int) -> None:
    page.goto(f"{server.url}machine")
    expect(page.get_by_role("heading", name="What works here")).to_be_visible()
    ChatPage(page, server.url).settled()
    keep_picture(page, "machine", theme, width)
    assert_whole(page)


def test_a_narrow_page_shows_one_column_and_tabs_that_change_it(
    new_context: NewContext, server: AppServer
) -> None:
    page = new_context(viewport={"width": NARROW, "height": 900}).new_page()
    chat = ChatPage(page, server.url).open(comparison())
    expect(chat.title(0)).to_be_visible()
    expect(chat.title(1)).to_be_hidden()
    tabs = page.locator(".st-key-narrow-tabs")
    tabs.get_by_text("KV off").click()
    expect(chat.title(1)).to_be_visible()
    expect(chat.title(0)).to_be_hidden()
    page.set_viewport_size({"width": WIDE, "height": 900})
    expect(chat.title(0)).to_be_visible()
    expect(chat.title(1)).to_be_visible()
    expect(tabs).to_be_hidden()


def test_icon_buttons_say_what_they_do(new_context: NewContext, server: AppServer) -> None:
    chat = ChatPage(new_context().new_page(), server.url)
    chat.open(comparison()).ask("What is decode?")
    main = chat.page.get_by_role("main")
    assert main.get_by_role("button", name=re.compile(r"^\w+ icon")).all_inner_texts() == []
    for name in ("Setup menu", "Answer again", "Edit the prompt", "Copy the answer as Markdown"):
        button = main.get_by_role("button", name=name, exact=True)
        expect(button).to_have_count(2)
        box = button.first.bounding_box()
        assert box is not None
        assert box["width"] < 70, f"{name} shows its icon alone"
