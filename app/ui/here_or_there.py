"""One sentence on what differs between an answer of this machine and one of a server elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from app.bench.figures import cost, decode_rate, ttft
from app.bench.format import told_text
from app.bench.record import RunRecord
from backends.engine import REMOTE_DEVICE


def here_or_there(records: Sequence[RunRecord]) -> str:
    """What the first finished run of either side took and cost; empty where one side has none."""
    finished = [record for record in records if record.is_undisturbed]
    here = next((run for run in finished if run.environment.device != REMOTE_DEVICE), None)
    there = next((run for run in finished if run.environment.device == REMOTE_DEVICE), None)
    if here is None or there is None:
        return ""
    who = there.served.get("provider") or there.environment.hardware
    return (
        f"Here: {_told(here)}. There ({who}): {_told(there)}. Network and queue are in the times "
        "of a server, and which weights, what precision and how much memory it uses is not told: "
        "so this is what a user gets from either, not what the engines can do."
    )


def _told(run: RunRecord) -> str:
    first, speed, price = (told_text(metric(run)) for metric in (ttft, decode_rate, cost))
    return f"first token after {first}, then {speed}, {price}"
