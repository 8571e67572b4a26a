"""What the app and a worker say to each other over their connection (pickled dataclasses)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from backends.engine import EngineFacts
from backends.errors import DynoError
from backends.request import FinishReason, GenerationReport, Message, Request, Sampling
from backends.scores import Ids, TextIds
from backends.setup import Setup


@dataclass(frozen=True, slots=True)
class Load:
    """Load `setup` from `source` (a folder or a Hub id) onto `device`, within `budget_bytes`, and
    the draft model from `draft_source` if the setup wants one. What is quantized here is calibrated
    on the dialogues of `calibration` and kept in `kept_in`."""

    setup: Setup
    source: str
    device: str
    threads: int
    budget_bytes: int | None
    token: str | None
    draft_source: str | None = None
    calibration: str = ""
    kept_in: str = ""


@dataclass(frozen=True, slots=True)
class Generate:
    request: Request


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stop the generation or the scoring that is running, if any."""


@dataclass(frozen=True, slots=True)
class Count:
    messages: tuple[Message, ...]
    sampling: Sampling


@dataclass(frozen=True, slots=True)
class TextToIds:
    """The ids of a text, as `Scorer.text_ids` gives them."""

    text: str
    after: tuple[Message, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """Score a text, as `Scorer.score` does. `Cancel` stops it."""

    text: TextIds
    top_k: int
    ids: Ids | None


@dataclass(frozen=True, slots=True)
class Probe:
    """Run a measurement that needs the worker's libraries (see its package's `probes`)."""

    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class LoadProgress:
    stage: str
    fraction: float | None


@dataclass(frozen=True, slots=True)
class Loaded:
    facts: EngineFacts


class Steps(NamedTuple):
    """Some steps of a generation: stamps, ids, text. A tuple of lists: it is sent while the model
    could compute, and pickles several times faster than a dataclass. `guesses` says of each step
    how many were made, how many kept, and how many characters of the text those are, which stand
    before the target's own token; it is empty where nothing is guessed."""

    t_ns: list[int]
    token_ids: list[list[int]]
    texts: list[str]
    guesses: list[tuple[int, int, int]]


@dataclass(frozen=True, slots=True)
class End:
    """The generation is over. `text` was held back as a possible stop string and was none."""

    text: str
    finish_reason: FinishReason
    report: GenerationReport


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of any other question."""

    value: Any


@dataclass(frozen=True, slots=True)
class Failed:
    error: DynoError


ToWorker = Load | Generate | Cancel | Count | TextToIds | Score | Probe
FromWorker = LoadProgress | Loaded | Steps | End | Answer | Failed
