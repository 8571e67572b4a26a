"""Repeats: equal work, interleaved, paired; and a verdict only where one is due."""

from __future__ import annotations

import datetime as dt

import pytest

from app.bench import repeat
from app.bench.compare import paired_ratio
from app.bench.conversation import Column, Conversation
from app.bench.record import RunRecord
from app.bench.repeat import TOKENS, Verdict, schedule, verdicts
from app.bench.store import RunFilter
from tests.bench.samples import NOON, make_run, stamps
from tests.fakes import FakeBackend, Script
from tests.fakes.workshop import PROMPT, VISITOR, Workshop, columns_of, wait_until


def keys(columns: list[Column]) -> str:
    return "".join(column.key for column in columns)


def test_the_order_is_forwards_and_backwards_in_turn() -> None:
    assert keys(schedule(columns_of("a", "b"), 4)) == "abbaabba"
    assert keys(schedule(columns_of("a", "b", "c"), 3)) == "abccbaabc"


class Laboratory:
    """A conversation with columns a and b, and repeats of its turn put into the store by hand."""

    def __init__(self, workshop: Workshop, *columns: str) -> None:
        self.workshop = workshop
        self.conversation = workshop.conversation(columns_of(*(columns or "ab")))
        self._made = 0

    def add(self, key: str, tpot_ms: int, **changes: object) -> RunRecord:
        """A repeat in column `key` with this time per token, after all others."""
        self._made += 1
        column = next(c for c in self.conversation.comparison.columns if c.key == key)
        fields = {
            "prompt": PROMPT,
            "created_at": NOON + dt.timedelta(seconds=self._made),
            "visitor": VISITOR,
            "conversation_id": self.conversation.id,
            "turn": 0,
            "column_key": key,
            "setup": column.setup,
            "purpose": "repeat",
            "chunks": stamps((0, 1), (tpot_ms, 1)),
        }
        record = make_run(**(fields | changes))  # type: ignore[arg-type]
        self.workshop.store.save_run(record)
        return record

    def add_pairs(self, pairs: int, a_ms: int, b_ms: int) -> None:
        for index in range(pairs):
            both = [("a", a_ms + index % 2), ("b", b_ms + index % 2)]
            for key, tpot_ms in both if index % 2 == 0 else reversed(both):
                self.add(key, tpot_ms)

    def verdict(self) -> Verdict:
        (verdict,) = verdicts(self.workshop.store, self.conversation, 0)
        return verdict


@pytest.fixture
def laboratory(workshop: Workshop) -> Laboratory:
    return Laboratory(workshop)


# Runs


def repeats_of(workshop: Workshop, conversation: Conversation) -> list[RunRecord]:
    found = workshop.store.records(
        RunFilter(visitor=VISITOR, conversation_id=conversation.id, limit=None)
    )
    return sorted(found, key=lambda record: record.created_at)


def test_every_repeat_is_equal_greedy_work_in_the_planned_order(
    workshop: Workshop, fake: FakeBackend
) -> None:
    conversation = workshop.conversation(columns_of("a", "b"))
    workshop.finish(repeat.start(workshop.jobs, conversation, 0, pairs=3))
    runs = repeats_of(workshop, conversation)
    assert "".join(run.column_key or "" for run in runs) == "abbaab"
    for run in runs:
        assert (run.purpose, run.status, run.turn) == ("repeat", "finished", 0)
        assert run.usage is not None
        assert run.usage.output_tokens == TOKENS
        assert run.request.sampling.temperature == 0
        assert run.warm
    assert workshop.now(conversation.id).turns[0].runs == {}, "repeats are no answers"


def test_a_stopped_repeat_makes_no_more_runs(workshop: Workshop, fake: FakeBackend) -> None:
    conversation = workshop.conversation(columns_of("a", "b"))
    job = repeat.start(workshop.jobs, conversation, 0, pairs=200)
    wait_until(lambda: job.lanes[2].state == "done")
    job.cancel()
    workshop.finish(job)
    assert 2 < len(repeats_of(workshop, conversation)) < 400


def test_the_clock_of_the_engines_decides(workshop: Workshop, fake: FakeBackend) -> None:
    fake.scripts |= {"a": Script(gap_ns=20_000_000), "b": Script(gap_ns=10_000_000)}
    conversation = workshop.conversation(columns_of("a", "b"))
    workshop.finish(repeat.start(workshop.jobs, conversation, 0, pairs=8))
    (verdict,) = verdicts(workshop.store, conversation, 0)
    assert verdict.speed.ratio == pytest.approx(2.0)
    assert verdict.speed.n == 8
    assert verdict.speed.proven
    assert "2× as fast" in verdict.sentence


# Verdicts


def test_there_is_no_verdict_without_repeats(laboratory: Laboratory) -> None:
    assert verdicts(laboratory.workshop.store, laboratory.conversation, 0) == []


def test_one_pair_says_nothing(laboratory: Laboratory) -> None:
    laboratory.add_pairs(1, 20, 10)
    assert not laboratory.verdict().speed.proven
    assert "nothing yet" in laboratory.verdict().sentence


def test_five_pairs_prove_nothing_six_do(laboratory: Laboratory) -> None:
    laboratory.add_pairs(5, 200, 100)
    assert not laboratory.verdict().speed.proven
    assert "× as fast" not in laboratory.verdict().sentence
    laboratory.add_pairs(1, 200, 100)
    assert laboratory.verdict().speed.proven
    assert laboratory.verdict().sentence.startswith("b")


def test_the_faster_one_is_named_first(laboratory: Laboratory) -> None:
    laboratory.add_pairs(8, 100, 200)
    sentence = laboratory.verdict().sentence
    assert laboratory.verdict().speed.ratio == pytest.approx(0.5, rel=0.01)
    assert sentence.startswith(laboratory.verdict().reference_label)
    assert "2× as fast" in sentence or "1.99× as fast" in sentence


def test_equal_setups_are_not_called_different(laboratory: Laboratory) -> None:
    for a_ms, b_ms in [(100, 103), (102, 99), (98, 101), (101, 100), (103, 98), (99, 102)]:
        laboratory.add("a", a_ms)
        laboratory.add("b", b_ms)
    assert not laboratory.verdict().speed.proven
    assert "No difference shown" in laboratory.verdict().sentence


def test_a_pair_is_of_runs_made_one_after_the_other(laboratory: Laboratory) -> None:
    """As the machine gets slower, both get slower: the ratio of neighbours stays 2."""
    for index in range(6):
        slower = 2**index
        laboratory.add("a", 20 * slower)
        laboratory.add("b", 10 * slower)
    assert laboratory.verdict().speed.ratio == pytest.approx(2.0)


def test_a_run_without_its_partner_does_not_shift_the_others(laboratory: Laboratory) -> None:
    laboratory.add("a", 20)
    laboratory.add("b", 10)
    laboratory.add("a", 999)  # the job was stopped before its partner's turn
    for index in range(6):
        slower = 2**index
        laboratory.add("a", 20 * slower)
        laboratory.add("b", 10 * slower)
    assert laboratory.verdict().speed.ratio == pytest.approx(2.0)
    assert laboratory.verdict().speed.n == 7


def test_a_failed_run_takes_its_partner_with_it(laboratory: Laboratory) -> None:
    for index in range(7):
        slower = 2**index
        laboratory.add("a", 20 * slower)
        laboratory.add("b", 10 * slower, status="failed" if index == 2 else "finished")
    assert laboratory.verdict().speed.ratio == pytest.approx(2.0)
    assert laboratory.verdict().speed.n == 6


def test_repeats_of_a_setup_that_the_column_had_before_do_not_count(
    laboratory: Laboratory,
) -> None:
    laboratory.add_pairs(6, 20, 10)
    columns = laboratory.conversation.comparison.columns
    other = columns[1].model_copy(
        update={"setup": columns[1].setup.model_copy(update={"kv_cache": "off"})}
    )
    comparison = laboratory.conversation.comparison.model_copy(
        update={"columns": (columns[0], other)}
    )
    changed = laboratory.conversation.model_copy(update={"comparison": comparison})
    assert verdicts(laboratory.workshop.store, changed, 0) == []


def test_repeats_of_another_turn_or_an_edited_prompt_do_not_count(laboratory: Laboratory) -> None:
    laboratory.add_pairs(6, 20, 10)
    for key in ("a", "b"):
        laboratory.add(key, 500, turn=1)
        laboratory.add(key, 500, prompt="What was here before?")
    assert laboratory.verdict().speed.n == 6


def test_the_intervals_of_several_columns_hold_together(workshop: Workshop) -> None:
    three = Laboratory(workshop, "a", "b", "c")
    times = [(100, 98), (103, 100), (99, 99), (101, 97), (100, 99), (102, 101)]
    for index, (slow, fast) in enumerate(times):
        for key in "abc" if index % 2 == 0 else "cba":
            three.add(key, slow if key == "a" else fast)
    alone = paired_ratio([a for a, _ in times], [b for _, b in times])
    together = paired_ratio([a for a, _ in times], [b for _, b in times], 0.975)
    assert alone.proven
    assert not together.proven
    for verdict in verdicts(workshop.store, three.conversation, 0):
        assert (verdict.speed.low, verdict.speed.proven) == (pytest.approx(together.low), False)
