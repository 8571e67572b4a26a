"""Quality and energy are passes of their own: made after the runs, once, and in no comparison of
times."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from app.bench.energy.counters import EnergyCounter, NoCounter, RaplCounter
from app.bench.experiments.disturbance import OtherLoad, Reading
from app.bench.experiments.experiment import Experiment
from app.bench.experiments.plan import Plan, PlannedSetup
from app.bench.experiments.quality_pass import reference_of
from app.bench.experiments.running import Laboratory, begin, conduct, resume
from app.bench.experiments.samples import SetupFigure
from app.bench.experiments.statistics import conclude
from app.bench.experiments.workloads import Workload
from app.bench.quality.figures import IS_REFERENCE
from app.bench.quality.texts import QualityTextInvalid
from backends.engine import CancelToken
from backends.errors import GenerationFailed, LoadFailed
from backends.request import Message
from backends.scores import Scores
from tests.bench.test_energy import domain
from tests.fakes import FakeBackend, Script
from tests.fakes.backend import Opening
from tests.fakes.engine import FakeScorer
from tests.fakes.workshop import Workshop, setup_of

PROMPTS = 6
ASKED = Workload(
    "six", tuple((Message(role="user", content=f"Number {n}?"),) for n in range(PROMPTS))
)


class QuietLoad(OtherLoad):
    def __init__(self) -> None:
        super().__init__(lambda: Reading(0, 0, 0))


def no_counter(device: str | None) -> EnergyCounter:
    raise NoCounter(f"nothing counts for {device}")


@pytest.fixture
def laboratory(workshop: Workshop, fake: FakeBackend) -> Laboratory:
    fake.scripts = {"a": Script(blur=0.0), "b": Script(blur=0.0), "c": Script(blur=0.3)}
    store = workshop.store
    return Laboratory(workshop.bench, store, fake.clock.now_ns, QuietLoad(), no_counter)


@pytest.fixture
def text(tmp_path: Path) -> str:
    """Eight pieces."""
    file = tmp_path / "text.txt"
    pieces = [" ".join(f"word{(7 * n + k) % 50}" for k in range(40)) for n in range(8)]
    file.write_text("\n\n".join(pieces))
    return str(file)


def plan_of(*models: str, **fields: object) -> Plan:
    setups = tuple(PlannedSetup(label=model, setup=setup_of(model)) for model in models)
    small = {"name": "test", "setups": setups, "repeats": 1, "output_tokens": 4, "warm_ups": 0}
    return Plan.model_validate(small | fields)


def conducted(laboratory: Laboratory, plan: Plan, workload: Workload = ASKED) -> Experiment:
    experiment = begin(laboratory.store, plan, workload)
    return conduct(laboratory, experiment, workload, CancelToken())


def figures(
    laboratory: Laboratory, experiment: Experiment, name: str
) -> dict[int, Mapping[str, SetupFigure]]:
    found = next(one for one in laboratory.store.passes(experiment.id) if one.name == name)
    return {index: {one.metric: one for one in made} for index, made in found.figures.items()}


def runs_of(laboratory: Laboratory, experiment: Experiment, round_: int) -> int:
    samples = laboratory.store.samples(experiment.id)
    return sum(sample.place.round == round_ for sample in samples)


def test_quality_is_held_against_the_reference(laboratory: Laboratory, text: str) -> None:
    ended = conducted(laboratory, plan_of("a", "b", "c", quality=True, quality_text=text))
    assert (ended.state, ended.reason) == ("finished", "")
    a, b, c = figures(laboratory, ended, "quality").values()
    assert a["perplexity_ratio"].reason == IS_REFERENCE
    same = {name: b[name].value for name in ("perplexity_ratio", "kl_per_token", "top1_agreement")}
    assert same == {"perplexity_ratio": 1.0, "kl_per_token": 0.0, "top1_agreement": 1.0}
    assert b["perplexity"] == a["perplexity"]
    kl, ratio = c["kl_per_token"], c["perplexity_ratio"]
    assert kl.value is not None
    assert kl.low is not None
    assert 0 < kl.low < kl.value < 0.2
    assert c["top1_agreement"].value is not None
    assert c["top1_agreement"].value < 1
    assert ratio.low is not None
    assert c["perplexity"].low is not None
    assert (b["identical_answers"].value, b["first_divergence_tokens"].value) == (1.0, 24)
    assert "does not say" in b["accuracy"].reason


def test_runs_of_passes_are_in_no_comparison_of_times(laboratory: Laboratory, text: str) -> None:
    plan = plan_of("a", "b", quality=True, quality_text=text)
    ended = conducted(laboratory, plan)
    assert runs_of(laboratory, ended, -1) == 2 * PROMPTS
    ids = [one.setup.id for one in plan.setups]
    found = conclude(plan.labels, ids, laboratory.store.samples(ended.id))
    assert [one.finished for one in found.setups] == [PROMPTS, PROMPTS]


def test_without_the_wish_nothing_is_made(laboratory: Laboratory, fake: FakeBackend) -> None:
    ended = conducted(laboratory, plan_of("a", "b"))
    assert laboratory.store.passes(ended.id) == ()
    assert sum(len(engine.requests) for engine in fake.engines) == 2 * PROMPTS + 2  # two warm-ups


def test_a_setup_that_cannot_score_still_answers(
    laboratory: Laboratory, fake: FakeBackend, text: str
) -> None:
    fake.scripts["served"] = Script()
    ended = conducted(laboratory, plan_of("a", "served", quality=True, quality_text=text))
    served = figures(laboratory, ended, "quality")[1]
    for name in ("perplexity", "perplexity_ratio", "kl_per_token", "top1_agreement"):
        assert served[name].value is None
        assert served[name].reason == "the engine gives no log-probabilities"
    assert served["identical_answers"].value == 1.0


def test_a_setup_that_failed_says_so_and_the_others_go_on(
    laboratory: Laboratory, fake: FakeBackend, text: str
) -> None:
    fake.openings = {"c": Opening(error=LoadFailed("The weights are broken.", "Mend them."))}
    plan = plan_of("c", "a", "b", quality=True, quality_text=text)
    found = figures(laboratory, conducted(laboratory, plan), "quality")
    assert found[0]["perplexity"].reason == "it was left out: The weights are broken. Mend them"
    assert found[1]["perplexity_ratio"].reason == IS_REFERENCE
    assert found[2]["kl_per_token"].value == 0.0


def test_an_error_while_scoring_is_the_reason(
    laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    score = FakeScorer.score

    def failing(self: FakeScorer, *arguments: Any, **options: Any) -> Scores:
        if self.setup.model == "c":
            raise GenerationFailed("It broke.", "Wait.")
        return score(self, *arguments, **options)

    monkeypatch.setattr(FakeScorer, "score", failing)
    plan = plan_of("c", "a", "b", quality=True, quality_text=text, quality_reference="c")
    c, _, b = figures(laboratory, conducted(laboratory, plan), "quality").values()
    assert c["perplexity"].reason == "It broke"
    assert b["perplexity"].value is not None
    assert b["kl_per_token"].reason == "the reference was not scored"
    assert b["identical_answers"].value == 1.0


def test_the_pass_is_made_again_when_it_broke_off_and_its_answers_are_not(
    laboratory: Laboratory, fake: FakeBackend, text: str
) -> None:
    plan = plan_of("a", "b", quality=True, quality_text=text)
    cancel = CancelToken()
    told: list[str] = []
    experiment = begin(laboratory.store, plan, ASKED)

    def stop_late(status: object) -> None:
        told.append(status.doing)  # type: ignore[attr-defined]
        if told[-1] == "b, quality: text 3 of 8":
            cancel.cancel()

    stopped = conduct(laboratory, experiment, ASKED, cancel, stop_late)
    assert (stopped.state, stopped.reason) == ("stopped", "It was stopped.")
    assert laboratory.store.passes(stopped.id) == ()
    assert runs_of(laboratory, stopped, -1) == PROMPTS
    again = resume(laboratory.store, stopped.id, plan, ASKED)
    ended = conduct(laboratory, again, ASKED, CancelToken())
    assert ended.state == "finished"
    assert runs_of(laboratory, ended, -1) == 2 * PROMPTS
    kept = laboratory.store.passes(ended.id)
    scored = sum(getattr(engine, "scored", 0) for engine in fake.engines)
    once_more = resume(laboratory.store, ended.id, plan, ASKED)
    conduct(laboratory, once_more, ASKED, CancelToken())
    assert laboratory.store.passes(ended.id) == kept
    assert sum(getattr(engine, "scored", 0) for engine in fake.engines) == scored


def test_a_pass_can_be_asked_for_later(laboratory: Laboratory) -> None:
    ended = conducted(laboratory, plan_of("a", "b"))
    again = resume(laboratory.store, ended.id, plan_of("a", "b", energy=True), ASKED)
    conduct(laboratory, again, ASKED, CancelToken())
    assert [one.name for one in laboratory.store.passes(ended.id)] == ["energy"]


def test_a_text_that_cannot_be_read_is_refused_before_the_first_run(
    laboratory: Laboratory,
) -> None:
    with pytest.raises(QualityTextInvalid):
        begin(laboratory.store, plan_of("a", quality=True, quality_text="gone.txt"), ASKED)
    assert laboratory.store.experiments(None) == []


def test_the_reference_is_the_widest_unless_one_is_named(fake: FakeBackend) -> None:
    setups = (("16", "bf16"), ("32", "fp32"), ("32 too", "fp32"))
    named = tuple(
        PlannedSetup(label=label, setup=setup_of("a", weights=weights)) for label, weights in setups
    )
    assert reference_of(plan_of(setups=named, quality=True), {}) == 1
    assert reference_of(plan_of(setups=named, quality=True), {1: "It failed."}) == 2
    chosen = plan_of(setups=named, quality=True, quality_reference="16")
    assert reference_of(chosen, {}) == 0
    fake.device = None
    assert reference_of(plan_of(setups=named, quality=True), {}) == 0


def test_energy_is_what_the_counter_moved_by_during_the_answers(
    laboratory: Laboratory, fake: FakeBackend, tmp_path: Path
) -> None:
    """A processor that takes 1 W by the fakes' clock: 1 mJ a millisecond."""
    file = domain(tmp_path, "intel-rapl:0", "package-0", 0)

    class Ticking(RaplCounter):
        def read(self) -> tuple[int, ...]:
            file.write_text(str((fake.clock.now_ns() - begun_ns) // 1_000))
            return super().read()

    begun_ns = fake.clock.now_ns()
    counting = Laboratory(
        laboratory.bench,
        laboratory.store,
        laboratory.clock_ns,
        laboratory.load,
        lambda device: Ticking(tmp_path),
    )
    plan = plan_of("a", "b", energy=True, repeats=6)
    fake.scripts = {"a": Script(), "b": Script(gap_ns=4_000_000)}
    ended = conducted(counting, plan, Workload("one", ASKED.conversations[:1]))
    a, b = figures(counting, ended, "energy").values()
    # 5 ms to the first of 4 tokens, 2 or 4 ms to each other, 1 ms of tail.
    assert a["joules_per_token"].value == pytest.approx(12e-3 / 4)
    assert b["joules_per_token"].value == pytest.approx(18e-3 / 4)
    assert a["joules_per_token"].n == 6
    assert runs_of(counting, ended, -2) == 2 * 6


def test_without_a_counter_no_run_is_made_and_the_reason_is_told(laboratory: Laboratory) -> None:
    ended = conducted(laboratory, plan_of("a", "b", energy=True))
    assert ended.state == "finished"
    found = figures(laboratory, ended, "energy")[1]["joules_per_token"]
    assert (found.value, found.reason) == (None, "nothing counts for fake-device")
    assert runs_of(laboratory, ended, -2) == 0
