"""Charts of an experiment draw its own numbers, prove nothing by themselves, and stay small."""

from __future__ import annotations

import csv
import io
from typing import Any, get_args

import pytest

from app.bench.experiments import charts
from app.bench.experiments.charts import ChartName
from app.bench.experiments.charts.thin import MOST_POINTS, thinned, thinning_words
from app.bench.experiments.figure_text import figure_text, ratio_words
from app.bench.experiments.findings import Findings, findings_of
from app.bench.experiments.samples import PassResult, SetupFigure
from app.bench.experiments.statistics import moves
from app.bench.export import rows_csv
from app.charts import colors
from tests.bench.experiments.made_up import MS, NOISE, an_experiment, findings, runs, sample

MB = 1_000_000
ONE = {"ttft_ns": 20 * MS, "tpot_ns": 5 * MS, "e2e_ns": 100 * MS, "peak_memory_bytes": 80 * MB}
TWO = {"ttft_ns": 20 * MS, "tpot_ns": 9 * MS, "e2e_ns": 164 * MS, "peak_memory_bytes": 40 * MB}
WORSE = {name: value * 3 for name, value in ONE.items()}


def drawn_points(figure: Any) -> int:
    return sum(len(trace.x) for trace in figure.data if trace.x is not None)


def by_name(figure: Any, name: str) -> Any:
    return next(trace for trace in figure.data if trace.name == name)


def texts(figure: Any) -> list[str]:
    """Headings, and the words beside or at points."""
    writing = [trace for trace in figure.data if getattr(trace, "mode", "") == "text"]
    written = [text for trace in writing for text in trace.text]
    noted = [note.text for note in figure.layout.annotations]
    return [text.replace("\u202f", " ").strip() for text in noted + written]


def test_a_pareto_point_is_the_median_with_its_interval() -> None:
    figure: Any = charts.pareto_chart(findings(ONE, TWO), "tpot_ns", "peak_memory_bytes")
    trace = by_name(figure, "fp32 · KV on")
    assert trace.x[0] == pytest.approx(5.0)
    assert trace.y[0] == pytest.approx(80.0)
    assert trace.error_x.array[0] == pytest.approx(0.1)
    assert trace.error_x.arrayminus[0] == pytest.approx(0.1)
    assert list(trace.customdata) == [0]
    assert "n = 8" in trace.hovertemplate
    assert "measured" in trace.hovertemplate
    assert figure.layout.xaxis.title.text == "TPOT (ms) · lower is better"
    # Placed by its middle: Plotly's own choice would differ from where its box was found free.
    assert {note.yanchor for note in figure.layout.annotations} == {"middle"}


def test_pareto_shows_who_stands_how() -> None:
    figure: Any = charts.pareto_chart(findings(ONE, TWO, WORSE), "tpot_ns", "peak_memory_bytes")
    title = figure.layout.title.text.replace("<br>", " ")
    assert title == "2 of 3 setups are on the front of TPOT and peak memory"
    opacities = [trace.marker.opacity for trace in figure.data[1:]]
    assert opacities[:2] == [1, 1]
    assert opacities[2] < 0.5
    rows = charts.pareto_rows(findings(ONE, TWO, WORSE), "tpot_ns", "peak_memory_bytes")
    assert [row.standing for row in rows] == ["on the front", "on the front", "dominated"]


def test_without_intervals_pareto_is_hollow() -> None:
    few = findings(ONE, TWO, noise=(1.0, 1.01))
    figure: Any = charts.pareto_chart(few, "tpot_ns", "peak_memory_bytes")
    assert all(trace.marker.symbol.endswith("-open") for trace in figure.data[1:])
    assert not figure.data[1].error_x.visible
    assert "?" in figure.layout.title.text
    assert "fewer than 6 runs" in figure.data[1].hovertemplate


def test_the_front_is_steps_between_the_worst_ends() -> None:
    figure: Any = charts.pareto_chart(findings(ONE, TWO), "tpot_ns", "peak_memory_bytes")
    steps = list(zip(figure.data[0].x, figure.data[0].y, strict=True))
    assert steps[1:-1] == [pytest.approx(one) for one in ((5, 80), (9, 80), (9, 40))]
    assert steps[0][1] > 80
    assert steps[-1][0] > 9


def test_axes_are_the_figures_that_two_setups_have() -> None:
    only_one = findings(ONE | {"cost_per_million_tokens": 0.2}, TWO)
    names = [one.metric for one in charts.axes(only_one)]
    assert names == ["ttft_ns", "tpot_ns", "e2e_ns", "peak_memory_bytes"]
    assert charts.default_axes(only_one) == ("tpot_ns", "peak_memory_bytes")
    assert charts.default_axes(findings({"ttft_ns": 1.0})) is None


def test_figures_of_passes_can_be_axes() -> None:
    shares = [
        SetupFigure("accuracy", "Accuracy", "share", "higher", 0.9, 0.8, 0.95, 60),
        SetupFigure("accuracy", "Accuracy", "share", "higher", 0.7, 0.6, 0.8, 60),
    ]
    passes = [PassResult("quality", {index: (one,) for index, one in enumerate(shares)})]
    figure: Any = charts.pareto_chart(findings(ONE, TWO, passes=passes), "tpot_ns", "accuracy")
    assert list(by_name(figure, "fp32 · KV on").y) == [pytest.approx(90)]
    assert figure.layout.yaxis.title.text == "Accuracy (%) · higher is better"


def test_ratios_are_in_colour_only_where_they_are_proven() -> None:
    figure: Any = charts.ratio_chart(findings(ONE, TWO))
    title = figure.layout.title.text.replace("<br>", " ")
    assert title == "3 of 4 differences from fp32 · KV on are proven"
    said = [text for text in texts(figure) if not text.startswith("<b>")]
    assert said == ["no difference shown", "1.80× slower", "1.64× slower", "2.00× smaller"]
    grey, coloured, _ = figure.data
    assert grey.marker.color != colors.LIGHT[1]
    assert coloured.marker.color == colors.LIGHT[1]
    assert figure.layout.xaxis.type == "log"
    assert list(coloured.x) == [pytest.approx(one) for one in (1.8, 1.64, 0.5)]


def test_ratios_are_worded_from_the_larger_side() -> None:
    assert ratio_words("ttft_ns", 1.27) == "1.27× slower"
    assert ratio_words("peak_memory_bytes", 0.5) == "2.00× smaller"
    assert ratio_words("decode_tokens_per_second", 0.5) == "2.00× slower"
    assert ratio_words("peak_memory_bytes", 1.0031) == "1.003× larger"


def test_few_pairs_are_not_compared() -> None:
    figure: Any = charts.ratio_chart(findings(ONE, TWO, noise=(1.0, 1.02, 0.99)))
    assert "not compared" in texts(figure)
    assert "faster" not in " ".join(texts(figure))


def test_the_heat_map_is_coloured_only_where_a_difference_is_proven() -> None:
    figure: Any = charts.heat_map(findings(ONE, TWO))
    (cells,) = figure.data
    assert list(cells.z[0]) == [None] * 4, "the reference"
    assert cells.z[1][0] is None, "the same TTFT"
    assert cells.z[1][1] < 0 < cells.z[1][3]
    assert any("1.80×" in text for text in texts(figure))
    assert len(texts(figure)) == 8


def test_few_runs_are_all_drawn_and_many_by_their_shares() -> None:
    few: Any = charts.distribution_chart(findings(ONE, TWO), "tpot_ns")
    assert len(by_name(few, "fp32 · KV on").x) == len(NOISE)
    many: Any = charts.distribution_chart(findings(ONE, TWO, noise=NOISE * 100), "tpot_ns")
    line = by_name(many, "fp32 · KV on")
    assert line.mode == "lines"
    assert (line.x[0], line.x[-1]) == (pytest.approx(5 * 0.98), pytest.approx(5 * 1.02))
    assert drawn_points(many) <= MOST_POINTS
    assert "quantiles of all runs" in many.layout.title.subtitle.text


def test_growth_with_the_prompt_is_medians_by_length() -> None:
    samples = [
        sample(0, index, {"ttft_ns": length * MS * factor}, prompt_tokens=length)
        for index, (length, factor) in enumerate(
            ((length, factor) for length in (10, 100) for factor in (0.9, 1.0, 1.2)), 1
        )
    ]
    figure: Any = charts.length_chart(findings_of(an_experiment(1), samples), "ttft_ns")
    line = by_name(figure, "fp32 · KV on")
    assert list(line.x) == [10, 100]
    assert list(line.y) == pytest.approx([10, 100])


def test_one_length_of_prompt_is_no_chart() -> None:
    assert charts.length_chart(findings(ONE, TWO), "ttft_ns") is None


def test_the_timeline_marks_disturbed_runs_and_keeps_the_order_of_the_clock() -> None:
    samples = [*runs(0, **ONE), sample(0, 9, ONE, disturbed="0.8 cores were busy")]
    found = findings_of(an_experiment(1), samples)
    figure: Any = charts.timeline_chart(found, "tpot_ns")
    _, points, crosses = figure.data
    assert list(points.x) == sorted(points.x)
    assert points.y[1] == pytest.approx(1.02)
    assert crosses.marker.symbol == "x-thin-open"
    assert list(crosses.customdata) == ["0.8 cores were busy"]
    assert "the 1 disturbed" in figure.layout.title.subtitle.text


def test_long_experiments_are_thinned_and_say_so() -> None:
    many = findings_of(
        an_experiment(2),
        [sample(setup, index, ONE) for index in range(1, 6_001) for setup in (0, 1)],
    )
    figure: Any = charts.timeline_chart(many, "tpot_ns")
    subtitle = figure.layout.title.subtitle.text.replace("<br>", " ")
    assert drawn_points(figure) <= MOST_POINTS + 2
    assert "every 30th run is drawn, all are counted" in subtitle
    assert len(charts.timeline_rows(many, "tpot_ns")) == 12_000


def test_thinning_takes_every_nth() -> None:
    assert thinned(range(10), 10) == (range(10), 1)
    assert thinned(range(21), 10) == (range(0, 21, 3), 3)
    assert thinning_words(1) == ""
    assert [thinning_words(step).split()[2] for step in (2, 3, 11, 21)] == [
        "2nd",
        "3rd",
        "11th",
        "21st",
    ]


def test_moves_are_drawn_in_colour_only_beyond_the_spread_of_runs() -> None:
    before, after = findings(ONE, TWO), findings(ONE, WORSE)
    found = moves(before.conclusion, after.conclusion)
    figure: Any = charts.moves_chart(found, {one.label: one.index for one in after.setups})
    assert figure.layout.title.text == "4 of 8 figures moved beyond the spread of runs"
    assert "one start differs from the next" in figure.layout.title.subtitle.text.replace(
        "<br>", " "
    )
    assert texts(figure).count("within their spread") == 4
    assert charts.moves_chart([], {}) is None


def every_chart(found: Findings) -> dict[ChartName, Any]:
    return {
        "pareto": charts.pareto_chart(found),
        "ratios": charts.ratio_chart(found),
        "distribution": charts.distribution_chart(found),
        "lengths": charts.length_chart(found),
        "timeline": charts.timeline_chart(found),
        "heat": charts.heat_map(found),
        "moves": charts.moves_chart([], {}),
    }


def test_no_runs_no_charts_but_a_word() -> None:
    nothing = every_chart(findings_of(an_experiment(2), []))
    assert set(nothing) == set(get_args(ChartName))
    assert not any(nothing.values())
    assert all(charts.WITHOUT_DATA[name].endswith(".") for name in nothing)


def test_names_cannot_become_markup() -> None:
    evil = an_experiment(2).plan.model_dump()["setups"]
    named = [dict(one, label=f"<b onclick=x>{index}") for index, one in enumerate(evil)]
    samples = [*runs(0, **ONE), *runs(1, **TWO)]
    longer = [sample(0, 20, ONE, prompt_tokens=40)]
    found = findings_of(an_experiment(2, plan={"setups": named}), samples + longer)
    for name, figure in every_chart(found).items():
        if figure is not None:
            assert "<b on" not in str(figure.to_dict()), name


def test_rows_are_the_data_of_a_chart_in_base_units() -> None:
    found = findings(ONE, TWO)
    pareto = list(
        csv.DictReader(io.StringIO(rows_csv(charts.pareto_rows(found, "ttft_ns", "tpot_ns"))))
    )
    assert float(pareto[1]["y"]) == pytest.approx(9 * MS)
    ratios = charts.ratio_rows(found)
    assert [row.verdict for row in ratios][:2] == ["no difference shown", "worse"]
    assert len(charts.distribution_rows(found, "ttft_ns")) == 16
    heat = charts.heat_rows(found)
    assert {row.metric for row in heat} == set(ONE)
    assert rows_csv([]) == ""


def test_what_rounding_leaves_of_nothing_is_about_nothing() -> None:
    kl = SetupFigure("kl_per_token", "KL per token", "nats", "lower", 1e-12, 0.0, 3e-12, 40)
    told = figure_text(kl).replace("\u202f", " ")
    assert told == "≈0 nats [0, ≈0]"
