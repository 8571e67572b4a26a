"""What a backend offers, as data: setups are built from it and checked against it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, cast

from backends.errors import InvalidSetup
from backends.setup import Setup

Group = Literal["weights", "cache", "speculation", "decoding", "device"]


@dataclass(frozen=True, slots=True)
class Reading:
    """A text under a title; read when it is looked at."""

    title: str
    text: Callable[[], str]


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a toggle. `why_not` is the reason it cannot be chosen here, empty if it can.
    `reading` gives a text that the choice works with, for users who want to see it."""

    value: str
    label: str
    help: str = ""
    why_not: str = ""
    reading: Reading | None = None


@dataclass(frozen=True, slots=True)
class Toggle:
    """One thing that can be set. `name` is a field of `Setup`, or a key of its `options`.

    A toggle with `choices` is a pick, the first being the default of an option; one with `minimum`
    and `maximum` a whole number and one that `is_text` a name, where None means the default
    described in `help` (`example`: what an empty field shows); any other is a switch, and `why_not`
    is the reason why it cannot be turned on here. `only_with` names another toggle and its values
    without which this one means nothing: it must then keep its default, so that no setup carries
    what is ignored.
    """

    name: str
    title: str
    group: Group
    help: str = ""
    choices: tuple[Choice, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    is_option: bool = False
    is_text: bool = False
    example: str = ""
    why_not: str = ""
    only_with: tuple[str, tuple[str, ...]] | None = None

    def means_something_in(self, setup: Setup) -> bool:
        """Whether the toggle that this one depends on has a value with which it counts."""
        if self.only_with is None:
            return True
        name, values = self.only_with
        return getattr(setup, name) in values

    def refusal(self, value: object) -> str:
        """Why `value` cannot be used; empty if it can."""
        if self.choices:
            for choice in self.choices:
                if choice.value == value:
                    return choice.why_not
            offered = ", ".join(choice.value for choice in self.choices)
            return f"{self.title} “{value}” is not offered (offered: {offered})."
        if self.is_text:
            return "" if value is None or isinstance(value, str) else f"{self.title} is a name."
        if self.minimum is None or self.maximum is None:
            if not isinstance(value, bool):
                return f"{self.title} is a switch: on or off."
            return self.why_not if value else ""
        if value is None:
            return ""
        is_whole = isinstance(value, int) and not isinstance(value, bool)  # True is an int too
        if is_whole and self.minimum <= cast(int, value) <= self.maximum:
            return ""
        return f"{self.title} must be a whole number from {self.minimum} to {self.maximum}."


# For every backend: which turns are sent is decided before an engine sees them as tokens.
HISTORY = Toggle(
    "history",
    "History",
    "decoding",
    "What of the conversation is sent with each prompt.",
    (
        Choice("full", "full (stateful)", "all turns so far"),
        Choice("none", "none (stateless)", "the last prompt alone"),
    ),
)


@dataclass(frozen=True, slots=True)
class Capabilities:
    toggles: tuple[Toggle, ...]

    def toggle(self, name: str) -> Toggle | None:
        return next((toggle for toggle in self.toggles if toggle.name == name), None)


@dataclass(frozen=True, slots=True)
class Availability:
    """`ok`, or the reason why not and what the user can change."""

    ok: bool
    reason: str = ""
    remedy: str = ""

    def require(self) -> None:
        """Raises `InvalidSetup` with the reason unless it is ok."""
        if not self.ok:
            raise InvalidSetup(self.reason, self.remedy)


# Fields of a setup that name what is run, and where.
NOT_TOGGLES = frozenset({"schema_version", "model", "revision", "backend", "options"})


def check_toggles(setup: Setup, capabilities: Capabilities) -> Availability:
    """Refuse every value that the backend does not offer, so that no toggle is ever ignored.

    A field without a toggle must keep its default; an option without one is unknown.
    """
    for name in Setup.model_fields:
        if name in NOT_TOGGLES:
            continue
        value = getattr(setup, name)
        toggle = capabilities.toggle(name)
        if toggle is None:
            if value != Setup.model_fields[name].get_default():
                return Availability(
                    False,
                    f"The {setup.backend} backend has no toggle “{name}”.",
                    f"Leave {name} at its default.",
                )
        elif not toggle.means_something_in(setup):
            if value != Setup.model_fields[name].get_default():
                return _meaningless(setup, toggle)
        elif reason := toggle.refusal(value):
            return Availability(False, reason, f"Choose another value for {toggle.title.lower()}.")
    for name, option in setup.options.items():
        toggle = capabilities.toggle(name)
        if toggle is None or not toggle.is_option:
            return Availability(
                False,
                f"The {setup.backend} backend has no option “{name}”.",
                "Remove it from the setup.",
            )
        if not toggle.means_something_in(setup):
            return _meaningless(setup, toggle)
        if reason := toggle.refusal(option):
            return Availability(False, reason, f"Choose another value for {toggle.title.lower()}.")
    return Availability(True)


def _meaningless(setup: Setup, toggle: Toggle) -> Availability:
    assert toggle.only_with is not None
    other, values = toggle.only_with
    return Availability(
        False,
        f"{toggle.title} means nothing with {other} {getattr(setup, other)}.",
        f"Choose {other} {' or '.join(values)}, or leave {toggle.title.lower()} empty.",
    )
