"""Scores of all pieces by one engine, held against those of the reference as they come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.bench.quality.distances import agreed, kl_nats
from app.bench.quality.texts import Piece
from backends.engine import REMOTE_DEVICE, CancelToken, Engine
from backends.errors import DynoError, InvalidRequest
from backends.scores import TOP_K, Scorer, Scores, TextIds

# What the reference told is kept while the others are scored; so much may it take.
_TABLE_BYTES = 80_000_000
_BYTES_AN_ENTRY = 8


class CannotScore(DynoError):
    """The engine does not tell how likely it holds given tokens."""


@dataclass(frozen=True, slots=True)
class PieceScore:
    """One piece: its scored `tokens`, minus the sum of their log-probabilities (`nats`), and
    against the reference the sum of KL and the tokens with the same likeliest one. Those are None
    where the two do not read the text as the same tokens."""

    tokens: int
    nats: float
    kl_nats: float | None = None
    agreed: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceScores:
    """What the reference told of each piece. `is_whole`: of every token of its vocabulary."""

    texts: tuple[TextIds, ...]
    scores: tuple[Scores, ...]
    named: int
    is_whole: bool


def reference_scores(
    engine: Engine, pieces: Sequence[Piece], cancel: CancelToken, tell: Callable[[int], None]
) -> ReferenceScores:
    """Of as many tokens at each place as there is room for. Raises `CannotScore`, or `Cancelled`
    or another error of the engine."""
    scorer = scorer_of(engine)
    texts = _texts(engine, scorer, pieces)
    entries = _TABLE_BYTES // _BYTES_AN_ENTRY // sum(len(text.scored) for text in texts)
    found = []
    for done, text in enumerate(texts):
        tell(done)
        found.append(scorer.score(text, cancel, top_k=max(TOP_K, entries)))
    is_whole = all(bool((one.rest_log_probs == float("-inf")).all()) for one in found)
    return ReferenceScores(tuple(texts), tuple(found), found[0].ids.shape[1], is_whole)


def piece_scores(
    engine: Engine,
    pieces: Sequence[Piece],
    reference: ReferenceScores | None,
    cancel: CancelToken,
    tell: Callable[[int], None],
) -> list[PieceScore]:
    """Each piece by an engine. `reference` None: of it alone. Raises as `reference_scores` does."""
    scorer = scorer_of(engine)
    made = []
    for done, text in enumerate(_texts(engine, scorer, pieces)):
        tell(done)
        told = reference.scores[done] if reference else None
        if reference is None or told is None or reference.texts[done].scored != text.scored:
            made.append(_alone(scorer.score(text, cancel, top_k=1)))
            continue
        try:
            scores = scorer.score(text, cancel, ids=told.ids)
        except InvalidRequest:  # the same text, but another vocabulary
            made.append(_alone(scorer.score(text, cancel, top_k=1)))
            continue
        made.append(against(told, scores))
    return made


def own_scores(reference: ReferenceScores) -> list[PieceScore]:
    """Of the reference alone."""
    return [_alone(scores) for scores in reference.scores]


def against(reference: Scores, scores: Scores) -> PieceScore:
    """One piece of a setup, held against what the reference told of it."""
    alone = _alone(scores)
    kl = float(kl_nats(reference, scores).sum())
    return PieceScore(alone.tokens, alone.nats, kl, agreed(reference, scores))


def _alone(scores: Scores) -> PieceScore:
    return PieceScore(len(scores.log_probs), -float(scores.log_probs.sum(dtype="float64")))


def scorer_of(engine: Engine) -> Scorer:
    """The engine as one that scores. Raises `CannotScore`, with the reason."""
    if isinstance(engine, Scorer):
        return engine
    who = "the server" if engine.describe().device == REMOTE_DEVICE else "the engine"
    raise CannotScore(f"{who} gives no log-probabilities")


def _texts(engine: Engine, scorer: Scorer, pieces: Sequence[Piece]) -> list[TextIds]:
    """Their ids. Raises `InvalidRequest` for a piece with none to score or too many."""
    window = engine.describe().context_window
    texts = [scorer.text_ids(piece.text, piece.after) for piece in pieces]
    longest = max(len(text.token_ids) for text in texts)
    if window is not None and longest > window:
        raise InvalidRequest(
            f"a piece of the text has {longest:,} tokens; the context holds {window:,}",
            "Put empty lines into the text, where one piece ends and the next begins.",
        )
    if not all(text.scored for text in texts):
        raise InvalidRequest("a piece of the text has no token to score", "Take a longer text.")
    return texts
