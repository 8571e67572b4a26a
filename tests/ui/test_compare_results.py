"""What the Compare page shows of an experiment, on a store filled with made-up runs."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.bench.experiments.statistics import SAMPLES_FOR_AN_INTERVAL
from app.bench.record import Environment, ExperimentPlace
from app.ui.compare.details_panel import TITLES
from app.ui.server import Server
from backends.settings import ROOT
from tests.bench.experiments.made_up import NOISE, an_experiment
from tests.ui.records import WHEN, make_record

OpenResults = Callable[..., AppTest]


def fill(server: Server, id_: str, *tpot_ms: float, library: str = "1.0", **changes: Any) -> None:
    """An experiment with a run of each setup in each round, stored."""
    experiment = an_experiment(len(tpot_ms), id=id_, **changes)
    server.store.save_experiment(experiment)
    where = Environment(
        hardware="2-core CPU", device="cpu", threads=1, versions={"transformers": library}
    )
    for setup, typical in enumerate(tpot_ms):
        for round_, factor in enumerate(NOISE, 1):
            place = ExperimentPlace(id=id_, round=round_, conversation=0, turn=0, setup=setup)
            server.store.save_run(
                make_record(
                    id=f"{id_}-{setup}-{round_}",
                    setup=experiment.plan.setups[setup].setup,
                    label=experiment.plan.labels[setup],
                    tpot_ms=typical * factor,
                    ttft_ms=21 * factor,
                    created_at=WHEN + dt.timedelta(seconds=10 * round_ + setup),
                    experiment=place,
                    environment=where,
                    purpose="benchmark",
                )
            )


@pytest.fixture
def open_results(server: Server) -> OpenResults:
    """`open_results("id")` runs the entry and opens that experiment."""

    def open_(id_: str) -> AppTest:
        page = AppTest.from_file(str(ROOT / "app/ui/main.py"), default_timeout=30)
        page.switch_page("../../pages/compare.py")
        page.query_params["experiment"] = id_
        page.run()
        assert not page.exception
        return page

    return open_


def said(page: AppTest) -> str:
    kinds = [page.markdown, page.caption, page.subheader]
    text = "\n".join(str(element.value) for kind in kinds for element in kind)
    return text.replace("\u202f", " ").replace("\\", "")


def html(page: AppTest) -> str:
    return "\n".join(element.proto.body for element in page.get("html"))


def titles(page: AppTest) -> list[str]:
    figures = [json.loads(chart.proto.spec) for chart in page.get("plotly_chart")]
    return [figure["layout"]["title"]["text"].replace("<br>", " ") for figure in figures]


def test_charts_recommendation_and_figures_are_there_at_once(
    server: Server, open_results: OpenResults
) -> None:
    fill(server, "a", 6, 12, 3)
    page = open_results("a")
    front, ratios = titles(page)
    assert front.endswith("on the front of TPOT and peak memory") or front.startswith("Which")
    assert ratios.endswith("differences from fp32 · KV on are proven")
    assert "Use “bf16 · KV on”: E2E" in said(page)
    assert "KV off” (" not in said(page)
    assert "6.00 ms" in html(page).replace("\u202f", " ")
    assert "dyno-compare-ready" in html(page)


def test_every_chart_can_be_drawn(server: Server, open_results: OpenResults) -> None:
    fill(server, "b", 6, 12)
    page = open_results("b")
    for name in TITLES:
        page.segmented_control(key="details-b").set_value(name).run()
        assert not page.exception
        assert len(titles(page)) == (1 if name == "lengths" else 2), name
    assert "All prompts have the same length" not in said(page)


def test_axes_and_limits_are_chosen_and_limits_are_remembered(
    server: Server, open_results: OpenResults
) -> None:
    fill(server, "d", 6, 12)
    page = open_results("d")
    page.selectbox(key="pareto-Horizontal-d").select("ttft_ns").run()
    assert "TTFT" in titles(page)[0]
    page.multiselect(key="limits-d").select("tpot_ns").run()
    page.number_input(key="limit-tpot_ns-d").set_value(8.0).run()
    assert "TPOT ≤ 8 ms excludes “fp32 · KV off” (up to 12.24 ms)." in said(page)
    assert "missed" in html(page)
    assert page.session_state["kept-asked-d"] == ("fastest", {"tpot_ns": 8e6})  # for the report
    page.number_input(key="limit-tpot_ns-d").set_value(5.0).run()
    assert "No setup keeps the limit. Loosen TPOT ≤ 5 ms to 6.12 ms" in said(page)
    page.switch_page("../../pages/machine.py").run()
    page.switch_page("../../pages/compare.py")
    page.query_params["experiment"] = "d"
    page.run()
    assert page.number_input(key="limit-tpot_ns-d").value == 5.0


def test_code_is_drawn_once_it_is_asked_for(server: Server, open_results: OpenResults) -> None:
    """The browser's part that colours code takes longer to get ready than a chart to be drawn."""
    fill(server, "c", 6, 12)
    page = open_results("c")
    assert {code.language for code in page.code} == {"plaintext"}  # the link to share
    page.session_state["take-away-c"] = page.session_state["plan-of-c"] = True
    page.run()
    program, plan = (
        next(c.value for c in page.code if c.language == x) for x in ("python", "toml")
    )
    assert "from_pretrained" in program
    assert "repeats" in plan


def test_a_click_on_a_point_opens_the_runs_behind_it(
    server: Server, open_results: OpenResults
) -> None:
    fill(server, "e", 6, 12)
    page = open_results("e")
    assert "Runs of" not in said(page)
    point = {"curve_number": 2, "point_index": 0, "customdata": 1}
    selection = {"points": [point], "point_indices": [0], "box": [], "lasso": []}
    key = "chart-pareto-e-tpot_ns-peak_memory_bytes"
    page.session_state[key] = {"selection": selection}
    page.run()
    assert "Runs of fp32 · KV off" in said(page)
    (table,) = page.dataframe
    assert len(table.value) == len(NOISE)
    assert set(table.value["Counts"]) == {"yes"}
    rows = {"rows": [0], "columns": [], "cells": []}
    page.session_state["setup-runs-e-1"] = {"selection": rows}
    page.session_state[key] = {"selection": selection}
    page.run()
    assert not page.exception
    assert "What is prefill?" in said(page)


def test_the_runs_of_a_setup_open_without_a_mouse(
    server: Server, open_results: OpenResults
) -> None:
    fill(server, "k", 6, 12)
    page = open_results("k")
    chooser = page.selectbox(key="pareto-runs-k")
    assert chooser.value is None
    chooser.select(1).run()
    assert "Runs of fp32 · KV off" in said(page)
    key = "chart-pareto-k-tpot_ns-peak_memory_bytes"
    point = {"curve_number": 2, "point_index": 0, "customdata": 0}
    page.session_state[key] = {"selection": {"points": [point], "point_indices": [0]}}
    page.run()
    assert "Runs of fp32 · KV on" in said(page)
    page.selectbox(key="pareto-runs-k").select(1).run()
    assert "Runs of fp32 · KV off" in said(page)


def test_two_experiments_are_held_against_each_other(
    server: Server, open_results: OpenResults
) -> None:
    fill(server, "f", 6, 12)
    later = WHEN + dt.timedelta(days=1)
    fill(server, "g", 6, 18, library="2.0", created_at=later, plan={"name": "Later"})
    fill(server, "h", 6, 12, workload_digest="another", plan={"name": "Other"})
    page = open_results("g")
    assert "it asks something else" in said(page)
    chooser = page.selectbox(key="across-g")
    assert len(chooser.options) == 1
    chooser.select("f").run()
    assert titles(page)[-1] == "3 of 10 figures moved beyond the spread of runs"
    assert "version of transformers" in html(page)
    assert "2.0" in html(page)


def test_few_runs_recommend_nothing_they_do_not_know(
    server: Server, open_results: OpenResults
) -> None:
    fill(server, "i", 6, 12)
    ids = [f"i-1-{round_}" for round_ in range(SAMPLES_FOR_AN_INTERVAL, len(NOISE) + 1)]
    server.store.delete_runs(ids, None)
    page = open_results("i")
    page.multiselect(key="limits-i").select("tpot_ns").run()
    assert "needs 6 runs" in html(page)
    assert "fewer than 6 runs give no interval" in html(page)


def test_without_a_finished_run_it_says_what_comes(
    server: Server, open_results: OpenResults
) -> None:
    server.store.save_experiment(an_experiment(2, id="j", state="stopped"))
    page = open_results("j")
    assert "results appear here" in said(page)
    assert not page.get("plotly_chart")
    assert "dyno-compare-ready" in html(page)
