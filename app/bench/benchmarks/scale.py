"""Does the app stay quick with a hundred thousand runs in its store? In Chromium, on a real server.

The runs are made up and lie in a folder of their own. What a page takes is seen by the page itself:
from navigation, or from a click, until nothing on it changes any more.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from rich.console import Console

from app.bench.benchmarks.browser import PROMPT_BOX, chromium, new_page
from app.bench.benchmarks.intervals import mean_interval
from app.bench.benchmarks.made_up_runs import LARGE_RUNS, Filled, fill
from app.bench.benchmarks.records import BenchmarkRecord, Target
from app.bench.benchmarks.server_process import ServerProcess
from app.bench.store import Store
from backends.errors import DynoError
from backends.settings import Settings

if TYPE_CHECKING:
    from playwright.sync_api import Page

COMPARE = Target("compare_seconds", "s", "lower", bar=1.5)
FILTER = Target("filter_seconds", "s", "lower", bar=0.5)
RSS = Target("app_rss_mb", "MB", "lower", bar=400.0)
LIST = Target("compare_list_seconds", "s", "lower")
RELOAD = Target("compare_reload_seconds", "s", "lower")
TARGETS = (COMPARE, FILTER, RSS, LIST, RELOAD)

_READY = ".dyno-compare-ready"
_QUIET_MS = 400
# Before anything else on the page: notes when its content last changed, and when a click or a key
# came. Attributes are left out, but for the one that says whether the script runs.
_WATCH = """
() => {
  window.dynoChanged = 0;
  const changed = () => { window.dynoChanged = performance.now(); };
  new MutationObserver(changed).observe(document, {
    subtree: true, childList: true, characterData: true,
    attributeFilter: ['data-test-script-state', 'd', 'transform']});
  for (const kind of ['pointerdown', 'keydown'])
    document.addEventListener(kind, () => { window.dynoAsked = performance.now(); }, true);
}
"""
_IS_SETTLED = """
(quiet) => performance.now() - window.dynoChanged > quiet
  && !document.querySelector('[data-test-script-state="running"]')
"""


@dataclass(slots=True)
class _Seen:
    """What was seen over all servers."""

    listed: list[float] = field(default_factory=list)
    opened: list[float] = field(default_factory=list)
    reloaded: list[float] = field(default_factory=list)
    filtered: dict[str, list[float]] = field(default_factory=dict)
    rss_mb: list[float] = field(default_factory=list)


def measure(console: Console, runs: int, repeats: int) -> list[BenchmarkRecord]:
    """Fill a store with `runs`, then start `repeats` servers on it, one after the other."""
    with tempfile.TemporaryDirectory(prefix="dyno-bench-") as scratch:
        folder = Path(scratch) / "data"
        console.print(f"Making up {runs:,} runs", highlight=False)
        filled = _filled(folder, runs)
        seen = _Seen()
        try:
            with chromium() as browser:
                for _ in range(repeats):
                    with ServerProcess(folder) as server, new_page(browser) as page:
                        server.wait_answering()
                        server.wait_preloaded()  # by then the cores are the page's alone
                        _look_or_say_why_not(server, page, filled, seen)
        except DynoError as error:
            reason = f"{error.message} {error.remedy}".strip()
            return [target.not_measured(reason) for target in TARGETS]
    return _records(filled, seen)


def _filled(folder: Path, runs: int) -> Filled:
    store = Store.open(Settings(data_dir=folder, database_url=None))
    try:
        if store.problem is not None:
            raise store.problem
        return fill(store, runs)
    finally:
        store.close()


def _look_or_say_why_not(server: ServerProcess, page: Page, filled: Filled, seen: _Seen) -> None:
    from playwright.sync_api import Error

    try:
        _look(server, page, filled, seen)
    except Error as error:
        said = error.message.splitlines()[0]
        raise DynoError(f"A page did not get ready: {said}", detail=server.log_tail()) from error


def _look(server: ServerProcess, page: Page, filled: Filled, seen: _Seen) -> None:
    """One visit: the chat first, as everybody does; the list; the large experiment; the runs."""
    page.add_init_script(f"({_WATCH})()")
    page.goto(server.url)
    page.locator(PROMPT_BOX).wait_for()
    _settle(page)
    page.get_by_role("link", name="Compare").first.click()
    large = page.locator(f".st-key-open-experiment-{filled.large_experiment} button")
    large.wait_for()
    seen.listed.append(_since_asked(page, "performance.now()"))
    _settle(page)
    large.click()
    page.locator(_READY).first.wait_for(state="attached")
    _settle(page)
    seen.opened.append(_since_asked(page, "window.dynoChanged"))
    for name in ("Over time", "Spread of the runs", "Against the reference"):
        button = page.get_by_role("radio", name=name).or_(page.get_by_role("button", name=name))
        _note(seen, f"chart “{name}”", page, button.first.click)
    page.reload()
    page.locator(_READY).first.wait_for(state="attached")
    _settle(page)
    seen.reloaded.append(float(page.evaluate("window.dynoChanged")) / 1e3)
    seen.rss_mb.append(psutil.Process(server.pid).memory_info().rss / 1e6)
    page.goto(f"{server.url}/runs")
    box = page.get_by_label("Setup", exact=True)
    box.wait_for()
    _settle(page)
    for text in ("INT8", "KV off", ""):
        box.fill(text)
        _note(seen, f"setup “{text}”", page, lambda: box.press("Enter"))


def _note(seen: _Seen, what: str, page: Page, act: Callable[[], None]) -> None:
    act()
    _settle(page)
    seen.filtered.setdefault(what, []).append(_since_asked(page, "window.dynoChanged"))


def _since_asked(page: Page, moment: str) -> float:
    """Seconds from the last click or key to a moment of the page's clock."""
    return float(page.evaluate(f"{moment} - window.dynoAsked")) / 1e3


def _settle(page: Page) -> None:
    """Return when nothing has changed for a while."""
    time.sleep(_QUIET_MS / 1e3 / 2)
    page.wait_for_function(_IS_SETTLED, arg=_QUIET_MS, polling=50)


def _records(filled: Filled, seen: _Seen) -> list[BenchmarkRecord]:
    large = min(LARGE_RUNS, filled.runs // 2)
    slowest = max(seen.filtered, key=lambda name: mean_interval(seen.filtered[name])[0])
    notes = {
        COMPARE: f"from the click in the list until the page no longer changes, an experiment of "
        f"{large:,} runs, first opening in a server of {filled.runs:,}",
        FILTER: f"the slowest of {len(seen.filtered)} filters and charts: {slowest}",
        RSS: "resident memory of the app's process with that page open",
        LIST: "from the click on Compare until an experiment can be chosen",
        RELOAD: "the same page loaded anew by the browser, until it no longer changes",
    }
    samples = {
        COMPARE: seen.opened,
        FILTER: seen.filtered[slowest],
        RSS: seen.rss_mb,
        LIST: seen.listed,
        RELOAD: seen.reloaded,
    }
    records = []
    for target in TARGETS:
        mean, low, high = mean_interval(samples[target])
        note = f"{notes[target]}; mean, highest {max(samples[target]):.3g} {target.unit}"
        interval = (low, high)
        records.append(
            target.measured(mean, n=len(samples[target]), interval=interval, reason=note)
        )
    return records
