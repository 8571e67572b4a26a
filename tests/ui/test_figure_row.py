"""The row of figures: fixed order, the same for every column, safe, and never a dash."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from app.bench.record import MemoryLedger, TokenUsage
from app.ui.figure_row import figures_html
from tests.ui.records import make_record

LABELS = ["TTFT", "TPOT", "Decode", "Tokens", "Memory", "Cost"]


class _Texts(HTMLParser):
    """Collects what stands in elements of a class, and every tag."""

    def __init__(self, css_class: str) -> None:
        super().__init__()
        self.wanted, self.depth, self.found, self.tags = css_class, 0, [""], set[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if self.depth or self.wanted in (dict(attrs).get("class") or "").split():
            self.depth += 1

    def handle_endtag(self, tag: str) -> None:
        if self.depth:
            self.depth -= 1
            if not self.depth:
                self.found.append("")

    def handle_data(self, data: str) -> None:
        if self.depth:
            self.found[-1] += data


def texts(html: str, css_class: str) -> list[str]:
    parser = _Texts(css_class)
    parser.feed(html)
    return [text.replace("\u202f", " ") for text in parser.found[:-1]]


def test_six_figures_in_a_fixed_order() -> None:
    html = figures_html(make_record())
    assert texts(html, "dyno-label") == LABELS
    assert texts(html, "dyno-value") == [
        "21ms",
        "6.0ms",
        "167tok/s",
        "34 → 11",
        "58MB",
        "$1.91/ 1M",
    ]


def test_the_empty_row_takes_the_same_space() -> None:
    html = figures_html(None)
    assert texts(html, "dyno-label") == LABELS
    assert len(texts(html, "dyno-value")) == len(LABELS)
    assert 'aria-hidden="true"' in html


def test_columns_share_unit_and_decimals() -> None:
    fast, slow = make_record(tpot_ms=6.1), make_record(id="b" * 32, tpot_ms=31)
    rows = [texts(figures_html(run, peers=[fast, slow]), "dyno-value") for run in (fast, slow)]
    assert [row[1] for row in rows] == ["6.1ms", "31.0ms"]


def test_only_the_best_are_marked() -> None:
    html = figures_html(make_record(), {"ttft_ns", "peak_memory_bytes"})
    best = re.findall(r'class="dyno-figure dyno-best"[^>]*aria-label="([^"]*)"', html)
    assert [text.split(":")[0] for text in best] == ["Time to first token (TTFT)", "Peak memory"]
    assert all("best of these setups" in text for text in best)
    assert "dyno-best" not in figures_html(make_record())


def test_each_figure_tells_formula_and_provenance() -> None:
    tips = texts(figures_html(make_record()), "dyno-tip")
    assert len(tips) == len(LABELS)
    assert "Time per output token (TPOT): 6.0 ms" in tips[1]
    assert "(last token − first token)" in tips[1]
    assert "Measured in this run" in tips[1]
    assert "Derived from what was measured" in tips[2]
    assert "$1.91 per million answers" in tips[5]


def test_what_was_not_measured_has_a_phrase_and_its_reason() -> None:
    run = make_record(
        tokens=1, price=None, memory=MemoryLedger(reason="no smaps in this container")
    )
    html = figures_html(run)
    assert texts(html, "dyno-value") == [
        "21ms",
        "not measured",
        "not measured",
        "34 → 1",
        "not measured",
        "no price",
    ]
    assert "not measured: no smaps in this container" in texts(html, "dyno-tip")[4]
    assert "Measured in this run" not in texts(html, "dyno-tip")[4]


def test_estimates_are_marked() -> None:
    usage = TokenUsage(
        prompt_tokens=34, prompt_tokens_computed=34, output_tokens=1280, kind="estimated"
    )
    html = figures_html(make_record(usage=usage))
    assert texts(html, "dyno-value")[3] == "≈34 → 1 280"
    assert "Estimated" in texts(html, "dyno-tip")[3]


def test_names_and_reasons_are_escaped() -> None:
    nasty = '"><script>alert(1)</script>'
    run = make_record(label=nasty, memory=MemoryLedger(reason=nasty), price=None)
    html = figures_html(run, label=nasty)
    parser = _Texts("dyno-figures")
    parser.feed(html)
    assert parser.tags <= {"div", "span", "b", "i"}
    assert "<script" not in html


def test_what_a_server_keeps_to_itself_is_not_told_rather_than_not_measured() -> None:
    memory = MemoryLedger(reason="not told: a server does not say what it holds")
    usage = TokenUsage(prompt_tokens=None, prompt_tokens_computed=None, output_tokens=None)
    html = figures_html(make_record().model_copy(update={"memory": memory, "usage": usage}))
    assert html.count(">not told<") == 2
    assert "a server does not say what it holds" in html
    assert "the server does not count tokens" in html
