"""The plan of an experiment: a frozen value, the same in the store and in a TOML file.

Knows what may be planned and how it is written down. Does not know what a workload holds, nor how
runs are made.
"""

from __future__ import annotations

import json
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from app.bench.labels import labels
from backends.errors import DynoError
from backends.request import Sampling
from backends.setup import Setup

_REMEDY = "Correct the plan; examples/experiment.toml shows every field."
LENGTHS = "lengths"
_OUTPUT_TOKENS = 64
_FIRST = ("name", "workload", "prompt_tokens_grid", "output_tokens_grid", "repeats", "warm_ups")
_PASSES = ("quality", "quality_reference", "quality_text", "energy")
_TOP = (*_FIRST, "output", "output_tokens", "salt", "seed", *_PASSES)
_BUDGETS = ("time_budget_seconds", "money_budget_dollars", "stop_within_percent")
_FILES = ("workload", "quality_text")
_MOST_LENGTHS = 32
# Looking at the intervals while they narrow costs confidence: it is paid beforehand, so that those
# of an experiment that ended early hold with 95 % all the same (docs/decisions/0014).
CONFIDENCE, CONFIDENCE_WITH_LOOKS = 0.95, 0.96

PromptGrid = Annotated[
    tuple[Annotated[int, Field(ge=1, le=131_072)], ...], Field(max_length=_MOST_LENGTHS)
]
OutputGrid = Annotated[
    tuple[Annotated[int, Field(ge=1, le=32_768)], ...], Field(max_length=_MOST_LENGTHS)
]


class PlanInvalid(DynoError):
    """The plan cannot be read, or what it asks for makes no experiment."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class PlannedSetup(_Frozen):
    """A setup with the user's own name for it; empty: named by what differs from the others."""

    label: Annotated[str, StringConstraints(max_length=80)] = ""
    setup: Setup


class Plan(_Frozen):
    """What is to be run. The first setup is the reference that the others are held against.

    `workload`: the name of a built-in one, or the path of a file. `repeats`: rounds in which each
    setup answers the whole workload once; `warm_ups` come before, for each setup. `output`: "fixed"
    makes every answer `output_tokens` long (equal work, for speed), "natural" lets the model end,
    at the latest there. `seed` is that of the order and of the salt.

    The workload "lengths" is a grid: a prompt of about each number of `prompt_tokens_grid`, and for
    each an answer of exactly each number of `output_tokens_grid`, in place of `output_tokens`.

    `stop_within_percent`: it ends before its last round when every ratio's interval is within ± so
    many percent.

    `salt`: every prompt begins with a few other letters, so that no cache has seen it. None salts
    unless a setup reuses prefixes, which is then what is measured.

    `quality`, `energy`: passes of their own after the runs. `quality_reference` is the label of the
    setup that the others' answers are held against (empty: the widest weights), `quality_text` the
    path of a text to score instead of the bundled one.
    """

    name: Annotated[str, StringConstraints(min_length=1, max_length=120)]
    setups: Annotated[tuple[PlannedSetup, ...], Field(min_length=1, max_length=32)]
    workload: Annotated[str, StringConstraints(min_length=1)] = "short-chat"
    repeats: Annotated[int, Field(ge=1, le=10_000)] = 8
    warm_ups: Annotated[int, Field(ge=0, le=100)] = 1
    output: Literal["fixed", "natural"] = "fixed"
    output_tokens: Annotated[int, Field(ge=1, le=32_768)] = _OUTPUT_TOKENS
    prompt_tokens_grid: PromptGrid = ()
    output_tokens_grid: OutputGrid = ()
    salt: bool | None = None
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    quality: bool = False
    quality_reference: str = ""
    quality_text: str = ""
    energy: bool = False
    time_budget_seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    money_budget_dollars: Annotated[Decimal, Field(gt=0, allow_inf_nan=False)] | None = None
    stop_within_percent: Annotated[float, Field(gt=0, le=100)] | None = None

    @model_validator(mode="after")
    def _holds_together(self) -> Plan:
        named = [one.label for one in self.setups if one.label]
        twice = sorted({label for label in named if named.count(label) > 1})
        if twice:
            raise ValueError(f"two setups have the label “{twice[0]}”")
        if self.quality_reference and self.quality_reference not in self.labels:
            raise ValueError(f"no setup has the label “{self.quality_reference}”")
        if not self.quality and (self.quality_reference or self.quality_text):
            raise ValueError("quality_reference and quality_text need quality = true")
        if self.salt and any(one.setup.reuse_prefix for one in self.setups):
            raise ValueError("a salted prompt has no prefix to reuse, so reuse_prefix does nothing")
        if self.stop_within_percent is not None and len(self.setups) < 2:
            raise ValueError("stop_within_percent needs a second setup, to be held against it")
        self._refuse_half_a_grid()
        return self

    def _refuse_half_a_grid(self) -> None:
        grids = self.prompt_tokens_grid, self.output_tokens_grid
        if self.workload != LENGTHS:
            if any(grids):
                raise ValueError(f"a grid of lengths belongs to the workload “{LENGTHS}”")
        elif not all(grids):
            raise ValueError("lengths need a prompt_tokens_grid and an output_tokens_grid")
        elif self.output != "fixed" or self.output_tokens != _OUTPUT_TOKENS:
            raise ValueError("the lengths of answers are those of output_tokens_grid")

    @property
    def labels(self) -> tuple[str, ...]:
        """A name for each setup, no two the same."""
        made = labels([one.setup for one in self.setups])
        chosen = [one.label or label for one, label in zip(self.setups, made, strict=True)]
        return tuple(
            label if label not in chosen[:index] else f"{label} (setup {index + 1})"
            for index, label in enumerate(chosen)
        )

    @property
    def salted(self) -> bool:
        if self.salt is not None:
            return self.salt
        return not any(one.setup.reuse_prefix for one in self.setups)

    @property
    def sampling(self) -> Sampling:
        """Greedy, so that an answer depends on nothing but setup and prompt."""
        return Sampling(max_new_tokens=self.output_tokens, fixed_length=self.output == "fixed")

    def sampling_of(self, conversation: int) -> Sampling:
        """That of one conversation (its index): in a grid each has its own length of answers."""
        grid = self.output_tokens_grid
        if not grid:
            return self.sampling
        return Sampling(max_new_tokens=grid[conversation % len(grid)], fixed_length=True)

    @property
    def answers_alike(self) -> tuple[Sampling, OutputGrid]:
        """What two plans must share, besides the workload, to ask for the same work."""
        return self.sampling, self.output_tokens_grid

    @property
    def confidence(self) -> float:
        """With which all intervals of its conclusion are to hold together."""
        return CONFIDENCE if self.stop_within_percent is None else CONFIDENCE_WITH_LOOKS

    @property
    def without_folders(self) -> Plan:
        """Files by their names alone, as they are looked for beside a plan's file: where they lay
        is nobody's business."""
        names = {name: Path(getattr(self, name)).name for name in _FILES}
        return self.model_copy(update=names)

    def asks_the_same_as(self, other: Plan) -> bool:
        """Whether only name, budgets and passes differ: then runs of one count for the other."""
        free = {"name", "quality", "energy", *_BUDGETS}
        return self.model_dump(exclude=free) == other.model_dump(exclude=free)


def read_plan(path: Path) -> Plan:
    """The plan in a TOML file; the files that it names are looked for beside it.

    Raises `PlanInvalid` for a file that cannot be read or says what no plan says.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise PlanInvalid(
            f"The plan {path} cannot be read ({error.strerror or error}).",
            "Name a TOML file that exists and may be read.",
        ) from error
    except UnicodeDecodeError as error:
        raise PlanInvalid(
            f"The plan {path} is not UTF-8 text (byte {error.start + 1}).",
            "Save it as UTF-8, as TOML wants it.",
        ) from error
    plan = parse_plan(text, str(path))
    named = {name: getattr(plan, name) for name in _FILES}
    beside = {name: path.parent / file for name, file in named.items() if Path(file).suffix}
    found = {name: str(file.resolve()) for name, file in beside.items() if file.is_file()}
    return plan.model_copy(update=found)


def parse_plan(text: str, source: str = "the plan") -> Plan:
    """The plan written in TOML. Raises `PlanInvalid`, naming the field."""
    try:
        fields: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PlanInvalid(f"{source} is not TOML: {error}.", _REMEDY) from error
    tables = fields.get("setups")
    if isinstance(tables, list):
        fields["setups"] = [_planned(table) for table in tables]
    try:
        return Plan.model_validate(fields)
    except ValidationError as error:
        raise PlanInvalid(f"{source}: {_sentence(error)}.", _REMEDY) from error


def _planned(table: object) -> object:
    """`label` stands among the toggles in the file and beside the setup in the plan."""
    if not isinstance(table, dict):
        return table
    label = {"label": table["label"]} if "label" in table else {}
    return {"setup": {key: value for key, value in table.items() if key != "label"}} | label


def _sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"] if part != "setup")
    if first["type"] == "extra_forbidden":
        return f"there is no field “{place}”"
    if first["type"] == "missing":
        return f"the field “{place}” is missing"
    message = first["msg"].removeprefix("Value error, ")
    return f"{place}: {message}" if place else message


def plan_toml(plan: Plan) -> str:
    """The plan as a file that `parse_plan` reads back as the same plan."""
    lines = [f"{name} = {_toml(getattr(plan, name))}" for name in _TOP if _is_set(plan, name)]
    lines += [f"{name} = {_toml(getattr(plan, name))}" for name in _BUDGETS if _is_set(plan, name)]
    for one in plan.setups:
        lines += ["", "[[setups]]"]
        lines += [f"label = {_toml(one.label)}"] if one.label else []
        chosen = one.setup.model_dump(mode="json", exclude_defaults=True)
        lines += [f"{name} = {_toml(value)}" for name, value in chosen.items()]
    return "\n".join(lines) + "\n"


def _is_set(plan: Plan, name: str) -> bool:
    """Passes that are not made go unnamed: an earlier version, which knows none, can read it."""
    value = getattr(plan, name)
    return value not in (None, ()) and (name not in _PASSES or bool(value))


def _toml(value: object) -> str:
    """JSON writes text, numbers and booleans as TOML does, but for one control character."""
    if isinstance(value, Decimal):
        value = str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_toml(key)} = {_toml(one)}" for key, one in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
