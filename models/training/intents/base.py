"""What every intent shares: a turn, what the conversation has told, the intent's shape."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from models.training.wording import Split


@dataclass(frozen=True)
class Turn:
    """One question and its answer. `keys` are what an answer must hold to count as right. An answer
    that is not learned only stands there for what comes after it; one that is free is drawn by
    chance but for its keys, so that there is little to be learned from its other words."""

    kind: str
    user: str
    assistant: str
    keys: tuple[str, ...]
    is_learned: bool = True
    is_free: bool = False
    counts: float = 1.0


@dataclass
class State:
    """What a conversation has established: later turns depend on it."""

    assistant_name: str = "Dyno"
    brief: bool = False
    user_name: str | None = None
    city: str | None = None
    favourites: dict[str, str] = field(default_factory=dict)
    # Who or what of the user's has a name: "dog", "sister".
    called: dict[str, str] = field(default_factory=dict)
    earlier_answer: str | None = None
    last_answer: str | None = None
    last_kind: str | None = None
    weather_city: str | None = None
    weather_month: str | None = None


Intent = Callable[[random.Random, State, Split], Turn]
