"""The setup builder, drawn from what the backends offer: a new toggle needs no line here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st
from pydantic import ValidationError

from app.bench.conversation import Column, Comparison
from app.ui import chat_state
from backends.capabilities import Choice, Group, Toggle
from backends.engine import Backend
from backends.registry import get_backend, usable_backends
from backends.setup import Setup

_GROUPS: tuple[tuple[Group, str], ...] = (
    ("weights", "Weights"),
    ("cache", "Cache"),
    ("speculation", "Speculation"),
    ("decoding", "Decoding"),
    ("device", "Device"),
)


def setup_editor(column: Column, *, busy: bool) -> None:
    """Change a column's setup in place: every toggle that its backend offers."""
    setup = column.setup
    backends = usable_backends()
    if len(backends) > 1:
        _backend_picker(column, backends)
    st.caption(get_backend(setup.backend).title)
    for toggle in _grouped(get_backend(setup.backend).capabilities().toggles):
        _draw(toggle, column, disabled=busy)
    verdict = get_backend(setup.backend).check(setup)
    if not verdict.ok:
        st.warning(f"{verdict.reason} {verdict.remedy}", icon=":material/block:")
    with st.expander("The whole setup"):
        st.json(setup.model_dump(mode="json"), expanded=True)


def _grouped(toggles: Sequence[Toggle]) -> list[Toggle]:
    order = [group for group, _ in _GROUPS]
    return sorted(toggles, key=lambda toggle: order.index(toggle.group))


def _backend_picker(column: Column, backends: list[Backend]) -> None:
    ids = [backend.id for backend in backends]
    st.selectbox(
        "Runs on",
        ids,
        index=ids.index(column.setup.backend) if column.setup.backend in ids else 0,
        format_func={backend.id: backend.title for backend in backends}.__getitem__,
        key=f"backend-{column.key}",
        on_change=_set_backend,
        args=(column,),
    )


def _set_backend(column: Column) -> None:
    backend = st.session_state[f"backend-{column.key}"]
    fresh = Setup(model=column.setup.model, backend=backend, history=column.setup.history)
    chat_state.set_column(column.model_copy(update={"setup": fresh}))


def _draw(toggle: Toggle, column: Column, *, disabled: bool) -> None:
    value = _value(column.setup, toggle)
    key = f"toggle-{column.key}-{toggle.name}"
    common: dict[str, Any] = {
        "key": key,
        "help": _help(toggle),
        "disabled": disabled,
        "on_change": _set,
        "args": (column, toggle, key),
    }
    if toggle.choices:
        offered = [choice for choice in toggle.choices if not choice.why_not]
        st.segmented_control(
            toggle.title,
            [choice.value for choice in offered],
            default=value if any(choice.value == value for choice in offered) else None,
            format_func={choice.value: choice.label for choice in offered}.__getitem__,
            required=True,
            **common,
        )
        for choice in toggle.choices:
            if choice.why_not:
                st.caption(f":material/block: {choice.label}: {choice.why_not}")
    elif toggle.minimum is not None:
        number = value if isinstance(value, int) else None
        st.number_input(
            toggle.title,
            min_value=toggle.minimum,
            max_value=toggle.maximum,
            value=number,
            placeholder="default",
            step=1,
            **common,
        )
    else:
        st.toggle(toggle.title, value=bool(value), **common)


def _value(setup: Setup, toggle: Toggle) -> object:
    if toggle.is_option:
        return setup.options.get(toggle.name)
    return getattr(setup, toggle.name)


def _help(toggle: Toggle) -> str:
    lines = [toggle.help, *(_line(choice) for choice in toggle.choices if choice.help)]
    return "\n\n".join(line for line in lines if line)


def _line(choice: Choice) -> str:
    return f"**{choice.label}**: {choice.help}"


def _set(column: Column, toggle: Toggle, key: str) -> None:
    value = st.session_state[key]
    current = column.setup.model_dump()
    if toggle.is_option:
        current["options"] = {**column.setup.options, toggle.name: value}
    else:
        current[toggle.name] = value
    try:
        setup = Setup.model_validate(current)
    except ValidationError as error:
        chat_state.notice(f"{toggle.title}: {error.errors()[0]['msg']}.")
        return
    chat_state.set_column(column.model_copy(update={"setup": setup}))


def next_setup(comparison: Comparison) -> Setup:
    """What a new column starts with: the last setup with the first toggle value not yet shown."""
    last = comparison.columns[-1].setup
    taken = {column.setup.id for column in comparison.columns}
    for toggle in get_backend(last.backend).capabilities().toggles:
        for choice in toggle.choices:
            if choice.why_not or toggle.is_option or toggle.name == "device":
                continue
            candidate = last.model_copy(update={toggle.name: choice.value})
            if candidate.id not in taken:
                return candidate
    return last
