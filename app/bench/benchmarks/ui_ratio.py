"""What drawing costs: decode speed of a run that a page shows, against one that nobody watches.

The same server, engine, prompt and length; each run has a conversation of its own. A viewer
without a screen costs what the app's drawing costs; Chromium on the same machine, what a user at
this machine pays.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

from app.bench.benchmarks.browser import PROMPT_BOX, chromium, new_page, send
from app.bench.benchmarks.engines import SHORT_PROMPT, decode_speed, interleaved
from app.bench.benchmarks.records import BenchmarkRecord, Target
from app.bench.benchmarks.server_process import ServerProcess
from app.bench.benchmarks.viewer import Viewer
from app.bench.compare import paired_ratio
from app.bench.conversation import Column, Comparison
from backends.errors import DynoError
from backends.request import Sampling
from backends.setup import Setup

UI_RATIO = Target("ui_ratio", "ratio", "higher", bar=0.95)
UI_RATIO_CHROMIUM = Target("ui_ratio_chromium", "ratio", "higher")
TARGETS = (UI_RATIO, UI_RATIO_CHROMIUM)

_TOKENS = 256

Show = Callable[[str], None]


def measure(server: ServerProcess, model: str, pairs: int) -> list[BenchmarkRecord]:
    """Both ratios, each from `pairs` interleaved pairs."""
    comparison = Comparison(
        columns=(Column(setup=Setup(model=model)),),
        sampling=Sampling(max_new_tokens=_TOKENS, fixed_length=True),
    )
    return [
        _screenless(server, comparison, pairs),
        _chromium(server, comparison, pairs),
    ]


def _screenless(server: ServerProcess, comparison: Comparison, pairs: int) -> BenchmarkRecord:
    def show(conversation: str) -> None:
        with Viewer(server.port) as viewer:
            viewer.ask(c=conversation)
            viewer.wait_drawn()
            server.start_turn(conversation, SHORT_PROMPT)
            viewer.ask(c=conversation)
            viewer.wait_drawn()

    try:
        return _ratio(UI_RATIO, server, comparison, pairs, show)
    except DynoError as error:
        return UI_RATIO.not_measured(f"{error.message} {error.remedy}")


def _chromium(server: ServerProcess, comparison: Comparison, pairs: int) -> BenchmarkRecord:
    try:
        with chromium() as browser, new_page(browser) as page:

            def show(conversation: str) -> None:
                page.goto(f"{server.url}/?c={conversation}")
                send(page, SHORT_PROMPT)
                server.finished_turn(conversation, 0)
                page.locator(PROMPT_BOX).wait_for()
                page.goto("about:blank")

            return _ratio(UI_RATIO_CHROMIUM, server, comparison, pairs, show)
    except DynoError as error:
        return UI_RATIO_CHROMIUM.not_measured(f"{error.message} {error.remedy}")


def _ratio(
    target: Target, server: ServerProcess, comparison: Comparison, pairs: int, show: Show
) -> BenchmarkRecord:
    """Watched over unwatched; `show` starts the turn and follows it on a page to its end."""

    def unwatched(conversation: str) -> None:
        server.start_turn(conversation, SHORT_PROMPT)

    speeds: dict[Show, list[float]] = {show: [], unwatched: []}
    for one in speeds:
        _speed(server, comparison, one)  # loads the engine, fills the page's caches
    for order in interleaved((show, unwatched), pairs):
        for one in order:
            speeds[one].append(_speed(server, comparison, one))
    ratio = paired_ratio(speeds[show], speeds[unwatched])
    return target.measured(
        ratio.ratio,
        n=ratio.n,
        interval=(ratio.low, ratio.high),
        reason=f"{_TOKENS} tokens; nobody watching: {median(speeds[unwatched]):.4g} tokens/s",
    )


def _speed(server: ServerProcess, comparison: Comparison, start: Show) -> float:
    conversation = server.start_conversation(comparison)
    start(conversation)
    (run,) = server.finished_turn(conversation, 0).values()
    return decode_speed(run)
