"""Charts show the records' own numbers, under a title that claims nothing."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import Any, get_args

import pytest

from app.bench import figures
from app.bench.conversation import Column, Conversation, Turn
from app.bench.export import rows_csv
from app.bench.record import ChunkStamp, MemoryLedger, RunRecord
from app.charts import colors
from app.charts.style import End, spread
from app.ui import chart_data, charts
from backends.setup import Setup
from tests.ui.records import CACHE_OFF, CACHE_ON, MB, MS, WHEN, make_conversation, make_record

COLUMNS = (Column(key="kvon", setup=CACHE_ON), Column(key="kvoff", setup=CACHE_OFF))


def traces(figure: Any) -> list[Any]:
    assert figure is not None
    return list(figure.data)


def many_columns(n: int) -> tuple[tuple[Column, ...], Turn]:
    setups = [
        Setup(weights=weights, kv_cache=cache)
        for weights in ("fp32", "bf16", "fp16")
        for cache in ("dynamic", "off")
    ]
    columns = tuple(Column(key=f"c{i}", setup=setup) for i, setup in enumerate(setups[:n]))
    runs = {
        column.key: make_record(
            id=f"{i:032d}", setup=column.setup, label="", column_key=column.key, tpot_ms=4 + i
        )
        for i, column in enumerate(columns)
    }
    return columns, Turn(index=0, prompt="x", created_at=WHEN, runs=runs)


def test_times_over_turns_are_the_records_times() -> None:
    conversation = make_conversation(turns=3)
    figure: Any = charts.ttft_total_chart(conversation)
    for trace in traces(figure):
        key = trace.legendgroup
        read = figures.ttft if trace.xaxis == "x" else figures.total_time
        values = [read(turn.runs[key]).value for turn in conversation.turns]
        expected = [float(value or 0) / MS for value in values]
        assert list(trace.x) == [1, 2, 3]
        assert list(trace.y) == pytest.approx(expected)
    assert len(traces(figure)) == 4
    assert figure.layout.yaxis.rangemode == "tozero"


def test_a_single_turn_is_drawn_as_bars() -> None:
    conversation = make_conversation(turns=1)
    first, total = traces(charts.ttft_total_chart(conversation))
    assert {first.type, total.type} == {"bar"}
    assert list(first.x) == [21, 22]
    assert list(total.x) == [82, 333]
    assert list(first.marker.color) == list(colors.LIGHT[:2])
    assert [text.replace("\u202f", " ") for text in total.text] == ["82 ms", "333 ms"]


def test_long_answers_are_drawn_in_seconds() -> None:
    slow = make_record(tpot_ms=500)
    turn = Turn(index=0, prompt="x", created_at=WHEN, runs={"kvon": slow})
    conversation = make_conversation(0).model_copy(update={"turns": (turn,)})
    figure: Any = charts.ttft_total_chart(conversation, COLUMNS[:1])
    assert traces(figure)[1].x[0] == pytest.approx(5.022)
    assert figure.layout.xaxis2.title.text == "Whole answer (s)"
    assert figure.layout.xaxis.title.text == "First token (ms)"


def test_the_race_is_the_raw_stamps_from_the_request_accepted() -> None:
    turn = make_conversation(1).turns[0]
    figure: Any = charts.race_chart(turn, COLUMNS)
    fast, slow = traces(figure)
    assert list(fast.x) == pytest.approx([0, *(21 + 6 * i for i in range(11))])
    assert list(fast.y) == list(range(12))
    assert slow.x[-1] == pytest.approx(22 + 31 * 10)
    assert fast.line.shape == "hv"
    assert [fast.line.color, slow.line.color] == list(colors.LIGHT[:2])
    assert fast.line.dash != slow.line.dash
    assert figure.layout.xaxis.title.text == "Time since the request was accepted (ms)"


def test_the_race_counts_tokens_and_not_chunks() -> None:
    chunks = (
        ChunkStamp(t_ns=2 * MS, tokens=3),
        ChunkStamp(t_ns=3 * MS, tokens=0),
        ChunkStamp(t_ns=5 * MS, tokens=4),
    )
    turn = Turn(index=0, prompt="x", created_at=WHEN, runs={"kvon": make_record(chunks=chunks)})
    (trace,) = traces(charts.race_chart(turn, COLUMNS))
    assert list(trace.x) == [0, 1, 4]
    assert list(trace.y) == [0, 3, 7]


def test_a_long_race_is_thinned_but_keeps_its_ends() -> None:
    run = make_record(tokens=10_000, tpot_ms=1)
    turn = Turn(index=0, prompt="x", created_at=WHEN, runs={"kvon": run})
    (trace,) = traces(charts.race_chart(turn, COLUMNS))
    assert len(trace.x) <= 1_600
    assert trace.y[0] == 0
    assert trace.y[-1] == 10_000
    assert len(chart_data.race_points(turn, COLUMNS)) == 10_001


def test_lines_are_labelled_at_their_ends_up_to_five_and_by_a_legend_beyond() -> None:
    columns, turn = many_columns(5)
    figure: Any = charts.race_chart(turn, columns)
    assert len(figure.layout.annotations) == 5
    assert not figure.layout.showlegend
    columns, turn = many_columns(6)
    crowded: Any = charts.race_chart(turn, columns)
    assert len(crowded.layout.annotations) == 0
    assert crowded.layout.showlegend


def test_labels_do_not_cover_each_other() -> None:
    ends = [End(0.5, 0.9, "bf16 · KV on"), End(0.52, 0.9, "bf16 · KV off"), End(1, 0.9, "fp32")]
    lifts = spread(ends, 640, 200)
    assert sorted(lifts) == [0, 0, 17]


def test_memory_is_stacked_from_the_ledger_and_the_rest_is_a_part() -> None:
    records = [
        make_record(label="KV on"),
        make_record(label="KV off", memory=MemoryLedger(weights_bytes=27 * MB, peak_bytes=55 * MB)),
    ]
    figure: Any = charts.memory_chart(records)
    by_part = {trace.name: list(trace.x) for trace in traces(figure)}
    assert by_part == {
        "Weights": [27, 27],
        "KV cache": [2],
        "Runtime and activations": [29, 28],
    }
    assert figure.layout.barmode == "stack"
    assert figure.layout.xaxis.range[0] == 0
    totals = [note.text.replace("\u202f", " ") for note in figure.layout.annotations]
    assert totals == ["<b>58 MB</b>", "<b>55 MB</b>"]


def test_memory_without_parts_is_one_bar_and_without_a_peak_none() -> None:
    whole = make_record(memory=MemoryLedger(peak_bytes=55 * MB))
    assert [trace.name for trace in traces(charts.memory_chart([whole]))] == [
        "Peak, parts not known"
    ]
    unread = make_record(memory=MemoryLedger(weights_bytes=27 * MB, reason="no smaps"))
    assert charts.memory_chart([unread]) is None
    assert charts.memory_chart([]) is None


def test_cost_is_the_mean_of_a_setups_answers_times_a_thousand() -> None:
    conversation = make_conversation(turns=2)
    runs = [
        run.model_copy(update={"column_key": key})
        for turn in conversation.turns
        for key, run in turn.runs.items()
    ]
    (trace,) = traces(charts.cost_chart(runs, COLUMNS))
    costs = [Decimal(figures.cost(run).value or 0) for run in runs if run.column_key == "kvon"]
    assert trace.x[0] == pytest.approx(float(1_000 * sum(costs) / 2))
    assert [n for _, n in trace.customdata] == [2, 2]
    assert list(trace.marker.color) == list(colors.LIGHT[:2])


def test_without_a_price_there_is_no_cost_chart() -> None:
    assert charts.cost_chart([make_record(price=None)]) is None
    assert charts.what_to_do("cost") == "Set a price for this device to see what answers cost."


def test_stopped_runs_are_not_in_the_cost() -> None:
    assert charts.cost_chart([make_record(status="stopped")]) is None


@pytest.mark.parametrize("contended", [False, True])
def test_titles_say_when_setups_shared_the_device(contended: bool) -> None:
    conversation = make_conversation(2, contended=contended)
    runs = list(conversation.turns[0].runs.values())
    drawn: list[Any] = [
        charts.ttft_total_chart(conversation),
        charts.race_chart(conversation.turns[0], COLUMNS),
        charts.memory_chart(runs),
        charts.cost_chart(runs),
    ]
    for figure in drawn:
        assert ("shared the device" in figure.layout.title.text) == contended
        assert "?" in figure.layout.title.text


def test_no_answers_no_chart() -> None:
    conversation = make_conversation(0)
    assert charts.ttft_total_chart(conversation) is None
    silent: dict[str, RunRecord] = {"kvon": make_record(tokens=0)}
    turn = Turn(index=0, prompt="x", created_at=WHEN, runs=silent)
    assert charts.race_chart(turn, COLUMNS) is None
    for name in get_args(charts.ChartName):
        assert charts.what_to_do(name).endswith(".")


def test_names_cannot_become_markup() -> None:
    columns = (Column(key="kvon", setup=CACHE_ON, label='<a href="x">y</a>'),)
    turn = make_conversation(1).turns[0]
    figure: Any = charts.race_chart(turn, columns)
    assert "<a" not in str(figure.to_dict()).replace("&lt;a", "")


def test_both_themes_are_transparent_and_use_their_colors() -> None:
    turn = make_conversation(1).turns[0]
    figure: Any = charts.race_chart(turn, COLUMNS, dark=True)
    assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0,0,0,0)"
    assert traces(figure)[0].line.color == colors.DARK[0]


def test_the_data_of_a_chart_as_csv() -> None:
    conversation: Conversation = make_conversation(1)
    rows = chart_data.turn_times(conversation, COLUMNS)
    read = list(csv.DictReader(io.StringIO(rows_csv(rows))))
    assert [row["ttft_ns"] for row in read] == ["21000000", "22000000"]
    assert [row["setup"] for row in read] == ["bf16 · KV on", "bf16 · KV off"]
    assert rows_csv([]) == ""
    evil = (Column(key="kvon", setup=CACHE_ON, label="=1+1"),)
    assert ",'=1+1," in rows_csv(chart_data.turn_times(conversation, evil))
