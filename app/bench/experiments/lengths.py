"""The workload of lengths: one prompt for each pair of a prompt's and an answer's length. Pure."""

from __future__ import annotations

from app.bench.experiments.plan import LENGTHS, Plan
from app.bench.experiments.workloads import (
    MAX_PROMPT_CHARS,
    Workload,
    WorkloadInvalid,
    load_workload,
)
from backends.request import Message

# English text has about four characters a token; the record of a run tells the true count.
_CHARS_PER_TOKEN = 4
_TASK = "Tell me in your own words what this text says. "
_SENTENCES = (
    "The old harbour lies at the mouth of the river, where the ships used to wait for the tide. ",
    "Every morning the baker carries fresh bread over the bridge to the small market. ",
    "A row of tall trees stands along the road, and in their shade children play after school. ",
    "When the wind comes from the sea, the bells of the church can be heard in the next village. ",
    "The library keeps the letters of a captain who sailed twice around the world. ",
    "In summer the gardens are full of visitors, who drink tea and talk about the weather. ",
    "The clock on the tower has been seven minutes late for as long as anyone remembers. ",
    "On the last day of the year the whole town meets at the water and lights small fires. ",
)


def workload_of(plan: Plan, max_prompt_chars: int = MAX_PROMPT_CHARS) -> Workload:
    """What a plan asks: its grid of lengths, a built-in workload or a file.

    Raises `WorkloadInvalid` where there is none such.
    """
    if plan.workload != LENGTHS:
        return load_workload(plan.workload, max_prompt_chars)
    longest = max(plan.prompt_tokens_grid) * _CHARS_PER_TOKEN
    if longest > max_prompt_chars:
        raise WorkloadInvalid(
            f"The longest prompt would have {longest:,} characters; {max_prompt_chars:,} may be.",
            "Shorten it, or raise DYNO_MAX_PROMPT_CHARS.",
        )
    asked = [
        (Message(role="user", content=_prompt(tokens)),)
        for tokens in plan.prompt_tokens_grid
        for _ in plan.output_tokens_grid
    ]
    return Workload(LENGTHS, tuple(asked))


def _prompt(tokens: int) -> str:
    """A task and as much text as makes about so many tokens; the task alone where that is few."""
    chars = max(len(_TASK), tokens * _CHARS_PER_TOKEN)
    text = "".join(_SENTENCES) * (chars // sum(map(len, _SENTENCES)) + 1)
    return (_TASK + text)[:chars].strip()
