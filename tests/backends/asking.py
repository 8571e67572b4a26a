"""Short ways to open engines and to ask them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from backends.engine import CancelToken, Engine
from backends.request import Chunk, FinishReason, GenerationReport, Message, Request, Sampling

PROMPT = "What is the capital of France?"


def request(prompt: str = PROMPT, *earlier: str, **sampling: Any) -> Request:
    """A greedy request; `earlier` are the texts of the turns before, the user's first."""
    roles = ("user", "assistant")
    messages = [
        Message(role=roles[index % 2], content=text)  # type: ignore[arg-type]
        for index, text in enumerate((*earlier, prompt))
    ]
    return Request(
        messages=tuple(messages), sampling=Sampling(**({"max_new_tokens": 16} | sampling))
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer and the chunks it came in."""

    chunks: Sequence[Chunk]

    @property
    def ids(self) -> list[int]:
        return [token_id for chunk in self.chunks for token_id in chunk.token_ids or ()]

    @property
    def text(self) -> str:
        return "".join(chunk.text for chunk in self.chunks)

    @property
    def said(self) -> list[int] | str:
        """What answers are compared by: their ids, or their text where a server tells no ids."""
        return self.ids or self.text

    @property
    def tokens(self) -> int:
        """How many there are: the ids that came, else what a server counted, if it did."""
        return len(self.ids) or self.report.usage.output_tokens or 0

    @property
    def finish_reason(self) -> FinishReason | None:
        return self.chunks[-1].finish_reason

    @property
    def report(self) -> GenerationReport:
        report = self.chunks[-1].report
        assert report is not None
        return report


def ask(engine: Engine, asked: Request | None = None, cancel: CancelToken | None = None) -> Answer:
    return Answer(list(engine.generate(asked or request(), cancel or CancelToken())))
