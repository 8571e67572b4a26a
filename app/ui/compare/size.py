"""What a plan comes to before it starts: how many runs, how long, how much."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.bench.experiments.expectation import Expectation, earlier_runs, expected
from app.bench.experiments.plan import Plan
from app.bench.experiments.workloads import Workload
from app.bench.format import about_seconds, counted, dollars_of_many, grouped
from app.bench.store import Store
from app.ui.server import get_server
from backends.errors import DynoError

# Earlier runs are full records: they are not read again at each key that is pressed in the form.
_KEPT_SECONDS = 30


def told_size(plan: Plan, workload: Workload) -> tuple[str, str]:
    """6 setups × 12 prompts × 8 rounds = 576 runs, about 14 min, $0.02; and what is not known."""
    said = size_in_words(len(plan.setups), sum(workload.turns), plan.repeats)
    server = get_server()
    ids = tuple(sorted({one.setup.id for one in plan.setups}))
    try:
        found = expected(plan, workload, _earlier(server.store, plan, ids, server.visitor()))
    except DynoError as error:
        found = Expectation(None, None, f"not known: {error.message}")
    if found.seconds is not None:
        said += f", about {about_seconds(found.seconds)}"
    if found.dollars is not None:
        said += f", {dollars_of_many(found.dollars)}"
    if plan.quality or plan.energy:
        said += ", and then the passes"
    if not found.reason:
        return said, ""
    what = "Duration and cost are" if found.seconds is None else "The cost is"
    return said, f"{what} {found.reason.removeprefix('cost ').rstrip('.')}."


@st.cache_resource(ttl=_KEPT_SECONDS, max_entries=64, show_spinner=False)
def _earlier(_store: Store, _plan: Plan, ids: tuple[str, ...], visitor: str) -> Any:
    return earlier_runs(_store, _plan, visitor)


def size_in_words(setups: int, prompts: int, rounds: int) -> str:
    """6 setups × 12 prompts × 8 rounds = 576 runs."""
    parts = ((setups, "setup"), (prompts, "prompt"), (rounds, "round"))
    said = " × ".join(counted(number, name) for number, name in parts)
    return f"{said} = {grouped(setups * prompts * rounds)} runs"
