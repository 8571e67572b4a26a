"""The report says what the page says, in one file in which a user's text is text."""

from __future__ import annotations

import datetime as dt
import re
from html import unescape
from pathlib import Path

import pytest

from app.bench.experiments import report, report_charts
from app.bench.experiments.experiment import Experiment
from app.bench.experiments.findings import Findings, findings_of
from app.bench.experiments.limits import LimitInvalid, limits_of
from app.bench.experiments.plan import Plan, PlannedSetup, parse_plan
from app.bench.experiments.recommend import recommend
from app.bench.experiments.report import html, recommended
from app.bench.experiments.report_charts import Panel
from app.bench.experiments.samples import sample_of
from app.bench.experiments.words import sentences
from app.bench.record import RunRecord
from backends.setup import Setup
from tests.bench.experiments.test_statistics import FASTER, SLOWER, experiment

EVIL = "</script><script>alert(1)</script>"
NOW = dt.datetime(2026, 11, 21, 12, 30, tzinfo=dt.UTC)
RECORDS = experiment(SLOWER, FASTER)


def findings(records: list[RunRecord] = RECORDS, **changes: object) -> Findings:
    setups = (
        PlannedSetup(label=EVIL, setup=Setup(kv_cache="off")),
        PlannedSetup(label="B & C", setup=Setup()),
    )
    kept = Experiment(
        created_at=NOW,
        updated_at=NOW,
        plan=Plan(
            name=EVIL,
            setups=setups,
            repeats=8,
            workload="/home/somebody/my prompts.txt",
        ),
        workload_digest="d",
        state="finished",
        seconds=90,
    )
    return findings_of(kept.model_copy(update=changes), [sample_of(one) for one in records])


@pytest.fixture(autouse=True)
def one_chart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Charts are drawn in the browser's test; here one stands for all, with text of a user's."""
    drawn = {"data": [{"name": EVIL}], "layout": {}}
    panel = Panel("Which is best", {EVIL: {"light": drawn, "dark": drawn}})
    monkeypatch.setattr(report, "panels", lambda findings: [panel])


@pytest.fixture
def page() -> str:
    return html(findings(), RECORDS[:1], now=NOW)


def text_of(page: str) -> str:
    """What a reader sees, more or less: no scripts, no styles, no tags."""
    bare = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", bare)).split())


def test_it_says_what_the_conclusion_says(page: str) -> None:
    told = text_of(page)
    for sentence in sentences(findings().conclusion):
        assert sentence in told
    assert "0.500× [" in told
    assert "intervals of ratios hold together with 95 %" in told
    assert "(last token − first token) / (tokens − tokens in the first chunk)" in told
    assert RECORDS[0].environment.hardware in told
    assert "Written on 2026-11-21 12:30 UTC" in told
    assert "took 1 min 30 s" in told


def test_text_of_a_user_is_no_markup(page: str) -> None:
    assert "alert(1)</script>" not in page
    scripts = re.findall(r"<script[^>]*>", page)
    nonces = {match for tag in scripts for match in re.findall(r'nonce="([^"]+)"', tag)}
    assert len(nonces) == 1
    assert all("nonce=" in tag for tag in scripts)
    assert f"script-src 'nonce-{nonces.pop()}'" in page


def test_it_names_nothing_that_a_browser_would_fetch(page: str) -> None:
    tags = re.sub(r"<(script|style)\b[^>]*>.*?</\1>", "", page, flags=re.DOTALL)
    assert not re.search(r"\b(src|href)=", tags)
    assert "default-src 'none'" in page


def test_the_plan_in_it_can_be_run_again_and_tells_no_folder(page: str) -> None:
    match = re.search(r'<pre id="toml">(.*?)</pre>', page, flags=re.DOTALL)
    assert match is not None
    plan = parse_plan(unescape(match.group(1)))
    assert plan == findings().experiment.plan.model_copy(update={"workload": "my prompts.txt"})
    assert "somebody" not in page


def test_it_tells_no_folder_of_the_text_that_was_scored_either() -> None:
    scored = {"quality": True, "quality_text": "/home/somebody/my text.txt"}
    plan = findings().experiment.plan.model_copy(update=scored)
    told = html(findings(plan=plan), RECORDS[:1])
    assert "my text.txt" in told
    assert "somebody" not in told


def test_the_lengths_of_a_grid_and_an_early_end_are_in_it() -> None:
    plan = findings().experiment.plan
    grid = {"workload": "lengths", "prompt_tokens_grid": (64, 512), "output_tokens_grid": (16, 32)}
    asked = Plan.model_validate(plan.model_dump() | grid | {"stop_within_percent": 3})
    told = text_of(html(findings(plan=asked), RECORDS[:1]))
    assert "Answers exactly 16, 32 tokens" in told
    assert "Prompts of about 64, 512 tokens" in told
    assert "Early end when every interval is within ± 3 %" in told


def test_what_failed_and_was_disturbed_is_in_it() -> None:
    disturbed = [one.model_copy(update={"disturbed": "other work"}) for one in RECORDS]
    found = findings(disturbed, left_out={"B & C": "The weights are broken."}, reason="Stopped.")
    told = text_of(html(found, RECORDS[:1]))
    assert "B & C was left out: The weights are broken." in told
    assert "by other work or a slow clock, also when made again (" in told
    assert "Ended early: Stopped." in told


def test_an_experiment_without_a_run_is_a_report_without_a_chart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(report, "panels", report_charts.panels)
    told = html(findings([]), [])
    assert "could not be compared" in text_of(told)
    assert len(told) < 100_000  # no chart, no Plotly


def test_a_recommendation_is_by_the_limits_that_are_given() -> None:
    found = findings()
    limits = limits_of(["tpot<=8ms"], found)
    block = recommended(recommend(found, limits, "fastest"), found)
    told = text_of(html(found, RECORDS[:1], [block]))
    assert "Use “B & C”" in told
    assert "TPOT ≤ 8" in told


@pytest.mark.parametrize(
    ("text", "metric", "limit"),
    [
        ("ttft_ns<=300ms", "ttft_ns", 3e8),
        ("ttft <= 0.3 s", "ttft_ns", 3e8),
        ("peak_memory≤8GB", "peak_memory_bytes", 8e9),
        ("decode>=20", "decode_tokens_per_second", 20),
    ],
)
def test_limits_are_read_in_the_units_people_use(text: str, metric: str, limit: float) -> None:
    assert limits_of([text], findings()) == {metric: pytest.approx(limit)}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("fast please", "is no limit"),
        ("ttft<=300", "no unit"),
        ("ttft<=3GB", "the unit “GB”"),
        ("ttft>=3s", "lower is better"),
        ("accuracy>=90%", "was not measured"),
        ("t<=3s", "may mean several"),
        ("ttft<=--s", "has no number"),
    ],
)
def test_a_limit_that_cannot_be_read_says_what_would_do(text: str, said: str) -> None:
    with pytest.raises(LimitInvalid, match=said) as refused:
        limits_of([text], findings())
    assert refused.value.remedy


def test_nothing_but_the_template_stands_between_values_and_markup() -> None:
    folder = Path(html.__code__.co_filename).with_name("report_page")
    assert "| safe" not in (folder / "page.html").read_text()
