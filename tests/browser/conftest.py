"""Chromium and real servers for the browser tests. They are skipped where there is no Chromium,
and fail there when REQUIRE_BROWSER_TESTS is set, so that CI cannot pass without them."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from backends.settings import ROOT
from tests.browser.chat_page import ChatPage
from tests.browser.server import AppServer
from tests.needs import lacking

RESULTS = ROOT / "test-results"
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
_FAILED = pytest.StashKey[bool]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The browser tests come last: Playwright keeps this thread's event loop to itself."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
    items.sort(key=lambda item: here in item.path.parents)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    report = yield
    if report.when == "call":
        item.stash[_FAILED] = report.failed
    return report


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if path is None:
        lacking("BROWSER", "no Chromium is on the PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def start_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., AppServer]]:
    """Starts servers that end with the module: `start_server(data_dir=None, **environment)`."""
    servers: list[AppServer] = []

    def start(data_dir: Path | None = None, **environment: str) -> AppServer:
        folder = data_dir or tmp_path_factory.mktemp("data")
        servers.append(AppServer(folder, **environment))
        return servers[-1].start()

    yield start
    for server in servers:
        server.close()


@pytest.fixture(scope="module")
def server(start_server: Callable[..., AppServer]) -> AppServer:
    """One server for a module's tests; each opens a conversation of its own in it."""
    return start_server()


@pytest.fixture
def new_context(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """Makes browser contexts: each is a browser of its own, without the others' cookies."""
    contexts: list[BrowserContext] = []

    def make(**options: Any) -> BrowserContext:
        defaults = {"viewport": {"width": 1400, "height": 900}, "color_scheme": "light"}
        contexts.append(browser.new_context(**{**defaults, **options}))
        contexts[-1].set_default_timeout(20_000)
        return contexts[-1]

    yield make
    if request.node.stash.get(_FAILED, False):
        _keep_pictures(request.node.name, contexts)
    for context in contexts:
        context.close()


@pytest.fixture
def chat(new_context: Callable[..., BrowserContext], server: AppServer) -> ChatPage:
    """A page of the module's server in a fresh browser, not opened yet."""
    return ChatPage(new_context().new_page(), server.url)


def _keep_pictures(test: str, contexts: list[BrowserContext]) -> None:
    RESULTS.mkdir(exist_ok=True)
    pages: list[Page] = [page for context in contexts for page in context.pages]
    for number, page in enumerate(pages):
        name = re.sub(r"[^\w-]+", "-", f"failed-{test}-{number}")
        page.screenshot(path=RESULTS / f"{name}.png", full_page=True)
