"""A real page in Chromium, and what was on its screen when, on this machine's monotonic clock."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from backends.errors import MissingDependency

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PROMPT_BOX = '[data-testid="stChatInputTextArea"]:not([disabled])'

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ROUND_TRIPS = 60
_PAGE_MS = 60_000
# Notes when the text of a column's newest answer was first seen changed, once that frame was
# painted: a task posted from inside an animation frame runs after the frame.
_WATCH = """
() => {
  const shown = new Map();
  window.dynoPaints = [];
  const look = () => {
    for (const column of document.querySelectorAll('[class*="st-key-column-"]')) {
      const index = /st-key-column-(\\d+)/.exec(column.className)[1];
      const answers = column.querySelectorAll(
        '[data-testid="stChatMessageContent"][aria-label*="assistant"]');
      if (!answers.length) continue;
      const bubble = answers[answers.length - 1];
      const place = bubble.querySelector('[data-testid="stMarkdownContainer"]');
      const text = place ? place.textContent.trim() : '';
      const key = index + ':' + (answers.length - 1);
      if (!text || shown.get(key) === text) continue;
      shown.set(key, text);
      const paint = {column: +index, turn: answers.length - 1, length: text.length, ms: null};
      window.dynoPaints.push(paint);
      requestAnimationFrame(() => {
        const channel = new MessageChannel();
        channel.port1.onmessage = () => { paint.ms = performance.now(); channel.port1.close(); };
        channel.port2.postMessage(0);
      });
    }
  };
  new MutationObserver(look).observe(
    document.body, {subtree: true, childList: true, characterData: true});
}
"""


@dataclass(frozen=True, slots=True)
class Paint:
    """One change of an answer's text on the screen. `t_ns` is `time.monotonic_ns`'s clock."""

    column: int
    turn: int
    t_ns: int
    length: int


@dataclass(frozen=True, slots=True)
class ClockOffset:
    """`monotonic_ns = performance.now() * 1e6 + offset_ns`, known to `± uncertainty_ns`."""

    offset_ns: int
    uncertainty_ns: int


def chromium_path() -> str | None:
    """The system's Chromium or Chrome; Playwright brings none of its own."""
    return next((found for name in _NAMES if (found := shutil.which(name))), None)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium without a window. Raises `MissingDependency` where there is none."""
    path = chromium_path()
    if path is None:
        raise MissingDependency("There is no Chromium here.", "Debian: apt install chromium.")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise MissingDependency(
            "Playwright is not installed.", "pip install -r requirements-dev.txt"
        ) from error
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox"] if as_root else []
        )
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def new_page(browser: Browser) -> Iterator[Page]:
    """A page of a visitor who was never here: nothing cached."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    try:
        page = context.new_page()
        page.set_default_timeout(_PAGE_MS)
        yield page
    finally:
        context.close()


def send(page: Page, prompt: str) -> None:
    """Type a prompt and press Enter."""
    box = page.locator(PROMPT_BOX)
    box.fill(prompt)
    box.press("Enter")


def watch(page: Page) -> ClockOffset:
    """Begin to note paints on this page, and learn its clock. Once for each page that is opened."""
    page.evaluate(_WATCH)
    return clock_offset(page)


def clock_offset(page: Page) -> ClockOffset:
    """Ask the page for its time again and again; the quickest round trip bounds the error."""
    best: tuple[int, int] | None = None
    for _ in range(_ROUND_TRIPS):
        before = time.monotonic_ns()
        page_ns = int(page.evaluate("performance.now()") * 1e6)
        took = time.monotonic_ns() - before
        if best is None or took < best[0]:
            best = (took, before + took // 2 - page_ns)
    assert best is not None
    return ClockOffset(offset_ns=best[1], uncertainty_ns=best[0] // 2)


def paints(page: Page, offset: ClockOffset) -> list[Paint]:
    """What was painted since `watch`, in order."""
    noted: list[dict[str, Any]] = page.evaluate("window.dynoPaints")
    return [
        Paint(one["column"], one["turn"], int(one["ms"] * 1e6) + offset.offset_ns, one["length"])
        for one in noted
        if one["ms"] is not None
    ]
