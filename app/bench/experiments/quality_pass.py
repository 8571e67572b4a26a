"""The quality pass: each setup scores a text and answers the workload greedily, once, and both are
held against the reference's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.bench.experiments.order import QUALITY_ROUND, Cell
from app.bench.experiments.pass_work import Figures, PassWork, reason_of
from app.bench.experiments.plan import Plan
from app.bench.experiments.samples import SetupFigure
from app.bench.experiments.workloads import prompts_of
from app.bench.quality.figures import (
    OF_ANSWERS,
    OF_TEXT,
    Beginning,
    accuracy,
    figures_of_beginnings,
    figures_of_text,
    unmeasured,
)
from app.bench.quality.right_answers import is_right
from app.bench.quality.scoring import (
    PieceScore,
    ReferenceScores,
    own_scores,
    piece_scores,
    reference_scores,
)
from app.bench.quality.texts import Piece, QualityTextInvalid, quality_pieces
from app.bench.record import RunRecord
from backends.engine import Engine
from backends.errors import Cancelled, DynoError
from backends.registry import get_backend
from backends.request import Request, Sampling
from backends.setup import Setup

# Enough for whole answers; a plan that allows more gets more.
_ANSWER_TOKENS = 256
_BITS = {"fp32": 32, "bf16": 16, "fp16": 16, "int8": 8, "gptq-int8": 8, "q8_0": 8}
Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Answer:
    text: str
    ids: tuple[int, ...]


def quality_pass(work: PassWork) -> Figures | None:
    """Figures of every setup by its index; None where it was stopped on the way."""
    plan = work.experiment.plan
    reference = reference_of(plan, work.left_out)
    others = [index for index in range(len(plan.setups)) if index != reference]
    texts, kept = _Texts(work), _kept_answers(work)
    figures: dict[int, tuple[SetupFigure, ...]] = {}
    held_against: dict[Place, _Answer] | None = None
    for index in [reference, *others]:
        if index in work.left_out:
            reason = f"it was left out: {work.left_out[index].rstrip('.')}"
            figures[index] = unmeasured((*OF_TEXT, *OF_ANSWERS), reason)
            continue
        of_text = texts.figures(index, is_reference=index == reference)
        answers = _answers(work, index, kept.get(index, {}))
        if of_text is None or answers is None:
            return None
        if index == reference:
            held_against = answers
        same_tokens = any(one.metric == "kl_per_token" and one.value is not None for one in of_text)
        of_answers = _of_answers(
            work, index, reference, answers, held_against, has_same_tokens=same_tokens
        )
        figures[index] = (*of_text, *of_answers)
    return dict(sorted(figures.items()))


def reference_of(plan: Plan, left_out: Mapping[int, str]) -> int:
    """Index of the setup that the others are held against: the one that the plan names, else the
    first of those with the widest weights that run here and did not fail."""
    if plan.quality_reference:
        return plan.labels.index(plan.quality_reference)
    setups = [one.setup for one in plan.setups]
    return max(
        range(len(setups)),
        key=lambda index: (index not in left_out, _width(setups[index]), -index),
    )


def _width(setup: Setup) -> int:
    """Bits of a weight, as far as its name tells; 0 on a server, which keeps them to itself."""
    if _device(setup) is None:
        return 0
    return _BITS.get(setup.weights, 4)


def _device(setup: Setup) -> str | None:
    try:
        return get_backend(setup.backend).device_of(setup)
    except DynoError:
        return None  # the run itself will say why


class _Texts:
    """Scores the text with one setup after the other, the reference first."""

    def __init__(self, work: PassWork) -> None:
        self._work = work
        self._problem = ""
        self._pieces: tuple[Piece, ...] = ()
        self._reference: ReferenceScores | None = None
        self._own: list[PieceScore] | None = None
        try:
            self._pieces = quality_pieces(work.experiment.plan.quality_text)
        except QualityTextInvalid as error:
            self._problem = reason_of(error)

    def figures(self, index: int, *, is_reference: bool) -> tuple[SetupFigure, ...] | None:
        """None where it was stopped."""
        if self._problem:
            return unmeasured(OF_TEXT, self._problem)
        work, setup = self._work, self._work.experiment.plan.setups[index].setup
        label = work.experiment.plan.labels[index]
        bench = work.laboratory.bench
        work.tell(f"{label}, quality: its engine")
        try:
            with (
                bench.scheduler.lease(_device(setup), label, work.cancel),
                bench.pool.lease(setup, lambda progress: None, work.cancel) as leased,
            ):
                if is_reference:
                    scores = self._score_reference(leased.engine, label)
                else:
                    scores = piece_scores(
                        leased.engine,
                        self._pieces,
                        self._reference,
                        work.cancel,
                        self._teller(label),
                    )
        except Cancelled:
            return None
        except DynoError as error:
            return unmeasured(OF_TEXT, reason_of(error))
        return figures_of_text(scores, self._own, self._bound())

    def _score_reference(self, engine: Engine, label: str) -> list[PieceScore]:
        cancel, tell = self._work.cancel, self._teller(label)
        self._reference = reference_scores(engine, self._pieces, cancel, tell)
        self._own = own_scores(self._reference)
        return self._own

    def _bound(self) -> str:
        if self._reference is None or self._reference.is_whole:
            return ""
        return f"a lower bound: {self._reference.named:,} tokens at each place are told apart"

    def _teller(self, label: str) -> _Teller:
        return _Teller(self._work, label, len(self._pieces))


@dataclass(frozen=True, slots=True)
class _Teller:
    """Tells which text is scored, and lets a spent budget end it there."""

    work: PassWork
    label: str
    texts: int

    def __call__(self, done: int) -> None:
        if self.work.why_stop():
            raise Cancelled("The pass was ended.")
        self.work.tell(f"{self.label}, quality: text {done + 1} of {self.texts}")


def _kept_answers(work: PassWork) -> dict[int, dict[Place, _Answer]]:
    """What an earlier sitting left, by setup."""
    store, kept = work.laboratory.store, dict[int, dict[Place, _Answer]]()
    for sample in store.samples(work.experiment.id):
        if sample.place.round != QUALITY_ROUND or sample.status != "finished":
            continue
        record = store.run(sample.run_id, None)
        if record is not None:
            place = (sample.place.conversation, sample.place.turn)
            kept.setdefault(sample.place.setup, {})[place] = _answer(record)
    return kept


def _answers(work: PassWork, setup: int, kept: dict[Place, _Answer]) -> dict[Place, _Answer] | None:
    """The setup's greedy answers, those that are kept and those that are missing; None where it was
    stopped."""
    made = dict(kept)
    tokens = max(_ANSWER_TOKENS, work.experiment.plan.output_tokens)
    for conversation, messages in enumerate(work.workload.conversations):
        for turn, prompt in enumerate(prompts_of(messages)):
            if (conversation, turn) in made:
                continue
            if work.why_stop():
                return None
            if setup in work.left_out:
                return made
            cell = Cell(QUALITY_ROUND, conversation, turn, setup)
            request = Request(messages=prompt, sampling=Sampling(max_new_tokens=tokens))
            record = work.run_until(lambda run: run.status == "finished", cell, request)
            if record.status == "finished":
                made[conversation, turn] = _answer(record)
    return made


def _answer(record: RunRecord) -> _Answer:
    ids = tuple(token for chunk in record.chunks for token in chunk.token_ids or ())
    return _Answer(record.answer, ids)


def _of_answers(
    work: PassWork,
    index: int,
    reference: int,
    answers: dict[Place, _Answer],
    held_against: dict[Place, _Answer] | None,
    *,
    has_same_tokens: bool,
) -> tuple[SetupFigure, ...]:
    setups, workload = work.experiment.plan.setups, work.workload
    prompts = sum(workload.turns)
    known = {
        (number, workload.turns[number] - 1): accepted
        for number, accepted in enumerate(getattr(workload, "answers", ()))
        if accepted
    }
    right = [is_right(answers[place].text, known[place]) for place in known if place in answers]
    if index == reference:
        beginnings = None
    else:
        has_same_tokens |= setups[index].setup.model == setups[reference].setup.model
        beginnings = [
            _beginning(answers[place], one, has_same_tokens=has_same_tokens)
            for place, one in (held_against or {}).items()
            if place in answers
        ]
    return (*figures_of_beginnings(beginnings, prompts), accuracy(right, len(known)))


def _beginning(answer: _Answer, reference: _Answer, *, has_same_tokens: bool) -> Beginning:
    if not (has_same_tokens and answer.ids and reference.ids):
        return Beginning(answer.text == reference.text, None)
    pairs = zip(answer.ids, reference.ids, strict=False)
    shorter = min(len(answer.ids), len(reference.ids))
    shared = next((n for n, (a, b) in enumerate(pairs) if a != b), shorter)
    return Beginning(answer.ids == reference.ids, shared)
