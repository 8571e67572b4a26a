"""An experiment that is being planned: what the form holds, which may be no plan yet. Pure."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from pydantic import ValidationError

from app.bench.conversation import Column
from app.bench.experiments.plan import LENGTHS, Plan, PlannedSetup
from app.bench.experiments.workloads import Workload
from backends.setup import Setup

MAX_SETUPS = 32
# What a plan is made of beside these has fields of its own in a draft.
_GRIDS = frozenset({"prompt_tokens_grid", "output_tokens_grid"})
# In a grid answers are as long as it says.
_NOT_IN_A_GRID = frozenset({"output", "output_tokens"})
# How fields are called in the form, where a plan names them in a sentence.
_WORDS = {
    "stop_within_percent": "stopping early",
    "prompt_tokens_grid": "length of prompts",
    "output_tokens_grid": "length of answers",
    "quality_reference": "a reference",
    "reuse_prefix": "“reuse prefix”",
}
_APART = frozenset({"name", "setups", "workload", "quality_reference"})

WorkloadSource = Literal["built in", "pasted", "file", "lengths"]


def _new_key() -> str:
    return secrets.token_hex(4)


@dataclass(frozen=True, slots=True)
class Entry:
    """A setup of the draft with the user's name for it. `key` stays while it is moved or changed,
    so that its widgets do."""

    setup: Setup
    label: str = ""
    key: str = field(default_factory=_new_key)

    @property
    def column(self) -> Column:
        """As the setup builder takes it."""
        return Column(key=self.key, setup=self.setup)


@dataclass(frozen=True, slots=True)
class Draft:
    """`values`: the other fields of a `Plan`, as they were typed. `own`: prompts that are not built
    in, with the text where they were pasted. `quality_reference` is the key of an entry, whatever
    it is called by then. `key` is new for each draft: its widgets are its own.
    """

    entries: tuple[Entry, ...]
    name: str = ""
    source: WorkloadSource = "built in"
    built_in: str = "short-chat"
    own: Workload | None = None
    pasted: str = ""
    quality_reference: str = ""
    values: Mapping[str, object] = field(default_factory=dict)
    key: str = field(default_factory=lambda: secrets.token_urlsafe(12))

    def value(self, name: str) -> object:
        """What a field of the plan has, its default if nothing was chosen."""
        return self.values.get(name, Plan.model_fields[name].get_default())

    def with_value(self, name: str, value: object) -> Draft:
        return replace(self, values={**self.values, name: value})

    @property
    def workload_name(self) -> str:
        if self.source in ("built in", "lengths"):
            return LENGTHS if self.source == "lengths" else self.built_in
        return self.own.name if self.own is not None else ""

    def plan(self) -> Plan:
        """Raises `ValidationError` where this is no plan."""
        setups = [PlannedSetup(label=one.label, setup=one.setup) for one in self.entries]
        known = {"name": self.name, "setups": setups, "workload": self.workload_name}
        unused = _NOT_IN_A_GRID if self.source == "lengths" else _GRIDS
        unused |= frozenset() if self.value("quality") else {"quality_text"}
        values = {name: value for name, value in self.values.items() if name not in unused}
        plan = Plan.model_validate({**values, **known})
        keys = [one.key for one in self.entries]
        if not plan.quality or self.quality_reference not in keys:
            return plan
        reference = plan.labels[keys.index(self.quality_reference)]
        return plan.model_copy(update={"quality_reference": reference})

    def problems(self) -> dict[str, str]:
        """What is wrong, by field of the plan; empty where it is one. What no field alone can be
        blamed for stands under its setups."""
        try:
            self.plan()
        except ValidationError as error:
            return {
                str(one["loc"][0]) if one["loc"] else "setups": _sentence(one["type"], one["msg"])
                for one in error.errors()
            }
        return {}


def _sentence(kind: str, message: str) -> str:
    if kind == "string_too_short":
        return "This cannot be empty."
    text = message.removeprefix("Value error, ")
    for name, word in _WORDS.items():
        text = text.replace(name, word)
    return f"{text[:1].upper()}{text[1:]}."


def draft_of(plan: Plan, workload: Workload | None = None) -> Draft:
    """A draft that makes the same plan. `workload`: its prompts, where they are not built in."""
    chosen = {
        name: getattr(plan, name)
        for name in plan.model_fields_set - _APART
        if getattr(plan, name) != Plan.model_fields[name].get_default()
    }
    entries = tuple(Entry(one.setup, one.label) for one in plan.setups)
    keys = dict(zip(plan.labels, (one.key for one in entries), strict=True))
    reference = keys.get(plan.quality_reference, "")
    draft = Draft(entries, plan.name, quality_reference=reference, values=chosen)
    if plan.workload == LENGTHS:
        return replace(draft, source="lengths")
    if workload is None:
        return replace(draft, built_in=plan.workload)
    return replace(draft, source="file", own=workload)


def draft_of_setups(setups: Sequence[tuple[Setup, str]], name: str = "") -> Draft:
    """A draft that compares these setups with their names, and leaves the rest to the defaults."""
    return Draft(entries=tuple(Entry(setup, label) for setup, label in setups), name=name)


def with_entry(draft: Draft, key: str, edit: Callable[[Entry], Entry]) -> Draft:
    entries = tuple(edit(one) if one.key == key else one for one in draft.entries)
    return replace(draft, entries=entries)


def added(draft: Draft, setup: Setup, after: str | None = None, label: str = "") -> Draft:
    """With one more setup: behind the one named, else at the end."""
    keys = [one.key for one in draft.entries]
    at = keys.index(after) + 1 if after in keys else len(keys)
    entry = Entry(setup, label)
    return replace(draft, entries=(*draft.entries[:at], entry, *draft.entries[at:]))


def removed(draft: Draft, key: str) -> Draft:
    """Without one setup; the last one stays."""
    left = tuple(one for one in draft.entries if one.key != key)
    return replace(draft, entries=left) if left else draft


def moved(draft: Draft, key: str, by: int) -> Draft:
    """One setup some places down (up where negative), as far as there are places."""
    entries = list(draft.entries)
    at = next(index for index, one in enumerate(entries) if one.key == key)
    one = entries.pop(at)
    entries.insert(max(0, min(len(entries), at + by)), one)
    return replace(draft, entries=tuple(entries))


def with_reference(draft: Draft, key: str) -> Draft:
    """One setup first: the others are held against it."""
    first = [one for one in draft.entries if one.key == key]
    rest = [one for one in draft.entries if one.key != key]
    return replace(draft, entries=(*first, *rest))
