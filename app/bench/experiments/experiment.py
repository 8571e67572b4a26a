"""An experiment as it is kept: its plan, how far it came, and why it ended there."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from app.bench.experiments.plan import Plan

# "begun" also where a crash left no other word; what is missing can be made later all the same.
State = Literal["begun", "paused", "stopped", "finished"]


def new_experiment_id() -> str:
    return uuid.uuid4().hex[:12]


class Experiment(BaseModel):
    """`reason` says why it stopped early. `left_out`: labels of setups that failed, each with what
    they said. `seconds` is the time spent on it so far; `workload_digest` tells what was asked.
    `imported_from`: the machine where it was made, where that was another one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(default_factory=new_experiment_id)
    created_at: dt.datetime
    updated_at: dt.datetime
    visitor: str = "local"
    plan: Plan
    workload_digest: str
    state: State = "begun"
    reason: str = ""
    left_out: dict[str, str] = Field(default_factory=dict)
    seconds: float = 0.0
    imported_from: str = ""
