"""The chat page as a user meets it: where things are and what can be done, in one place.

Found by roles, names and stable keys, never by layout.
"""

from __future__ import annotations

import re
import time
from urllib.parse import parse_qs, urlparse

from playwright.sync_api import Locator, Page, expect

from app.bench.conversation import Column, Comparison
from backends.request import Sampling
from backends.setup import Setup

ANSWER_MS = 60_000


def comparison(
    *setups: Setup, tokens: int = 16, fixed: bool = True, race: bool = False
) -> Comparison:
    """Columns of a few tokens, so that a test waits for no more than it looks at."""
    chosen = setups or (Setup(), Setup(kv_cache="off"))
    return Comparison(
        columns=tuple(Column(setup=setup) for setup in chosen),
        sampling=Sampling(max_new_tokens=tokens, fixed_length=fixed),
        race=race,
    )


class ChatPage:
    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url

    # Opening

    def open(self, shown: Comparison | None = None, query: str = "") -> ChatPage:
        """Go to the page, with a comparison's permalink if one is given."""
        query = f"?s={shown.to_permalink()}" if shown is not None else query
        self.page.goto(self.url + query)
        return self.wait_drawn()

    def wait_drawn(self) -> ChatPage:
        expect(self.prompt).to_be_visible(timeout=ANSWER_MS)
        return self.settled()

    def settled(self) -> ChatPage:
        """Wait until no script runs and the drawing is no longer stale."""
        app = self.page.get_by_test_id("stApp")
        expect(app).to_have_attribute(
            "data-test-script-state", re.compile("notRunning|script-compile-error"), timeout=20_000
        )
        return self

    # What is there

    @property
    def prompt(self) -> Locator:
        return self.page.get_by_test_id("stChatInputTextArea")

    @property
    def stop_button(self) -> Locator:
        return self.page.locator(".st-key-stop").get_by_role("button")

    def column(self, index: int) -> Locator:
        return self.page.locator(f".st-key-column-{index}")

    @property
    def columns(self) -> Locator:
        return self.page.locator("[class*='st-key-column-']")

    def title(self, index: int) -> Locator:
        return self.column(index).get_by_role("heading", level=2)

    def answers(self, index: int) -> Locator:
        return self.column(index).get_by_label("Chat message from assistant")

    def prompts(self, index: int) -> Locator:
        return self.column(index).get_by_label("Chat message from user")

    def answer_text(self, index: int, turn: int = -1) -> str:
        """What the bubble says, remarks included."""
        return self.answers(index).nth(turn).inner_text(timeout=5_000)

    def figures(self, index: int) -> Locator:
        """The rows of figures of a column's answers, without rows that still wait."""
        return self.column(index).get_by_role("list", name=re.compile("Figures of"))

    def figure(self, index: int, title: str, turn: int = -1) -> str:
        """What one figure of an answer says, such as "34 ms", read as a screen reader reads it."""
        row = self.figures(index).nth(turn)
        cell = row.get_by_role("listitem", name=re.compile(re.escape(title)))
        spoken = " ".join((cell.get_attribute("aria-label") or "").split())
        found = re.search(rf"{re.escape(title)}[^:]*: ([^;]*)", spoken)
        assert found, spoken
        return found.group(1)

    def tokens(self, index: int, title: str, turn: int = -1) -> int:
        """A figure that counts tokens."""
        return int("".join(re.findall(r"\d", self.figure(index, title, turn))))

    def conversation_id(self) -> str:
        return self._query("c")

    def permalink(self) -> str:
        return self._query("s")

    def _query(self, name: str) -> str:
        return parse_qs(urlparse(self.page.url).query).get(name, [""])[0]

    # What can be done

    def send(self, text: str) -> ChatPage:
        self.prompt.fill(text)
        self.prompt.press("Enter")
        return self

    def wait_started(self) -> ChatPage:
        expect(self.stop_button).to_be_visible()
        return self

    def wait_asked(self, turns: int = 1) -> ChatPage:
        """Wait until the first column shows this many prompts."""
        expect(self.prompts(0)).to_have_count(turns)
        return self

    def wait_done(self) -> ChatPage:
        """Wait until nothing is answered any more and the page is drawn."""
        expect(self.stop_button).to_have_count(0, timeout=ANSWER_MS)
        expect(self.prompt).to_be_enabled(timeout=ANSWER_MS)
        return self.settled()

    def ask(self, text: str) -> ChatPage:
        """Send and wait for every answer."""
        turns = self.prompts(0).count()
        return self.send(text).wait_asked(turns + 1).wait_done()

    def wait_streaming(self, index: int, characters: int = 1) -> str:
        """Wait until a column's newest answer has some text."""
        deadline = time.monotonic() + ANSWER_MS / 1000
        while True:
            text = self.streamed(index)
            if len(text) >= characters:
                return text
            assert time.monotonic() < deadline, f"no text in column {index}"
            self.page.wait_for_timeout(20)

    def streamed(self, index: int, answer: int = -1) -> str:
        """The text of an answer alone, of the newest unless said; empty while there is none."""
        markdown = self.answers(index).nth(answer).get_by_test_id("stMarkdown")
        if markdown.count() == 0:
            return ""
        return (markdown.first.text_content() or "").replace("\xa0", " ").strip()

    def click(self, name: str, inside: Locator | None = None) -> ChatPage:
        (inside or self.page).get_by_role("button", name=name, exact=True).first.click()
        return self

    def open_menu(self, index: int) -> Locator:
        """A column's menu; returns where its content is."""
        self.page.locator(f".st-key-head-{index}").get_by_role("button").first.click()
        return self._popover()

    def open_popover(self, name: str | re.Pattern[str]) -> Locator:
        self.page.locator(".st-key-toolbar").get_by_role("button", name=name).first.click()
        return self._popover()

    def _popover(self) -> Locator:
        body = self.page.get_by_test_id("stPopoverBody").last
        expect(body).to_be_visible()
        return body

    def close_popover(self) -> ChatPage:
        if self.page.get_by_test_id("stPopoverBody").count():
            self.page.keyboard.press("Escape")
            expect(self.page.get_by_test_id("stPopoverBody")).to_have_count(0)
        return self
