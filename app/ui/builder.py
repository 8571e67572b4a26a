"""The setup builder, drawn from what the backends offer: a new toggle needs no line here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st
from pydantic import ValidationError

from app.bench.conversation import Column
from app.ui import chat_state
from app.ui.saved_servers import Save, model_choice, save_server, saved_servers
from app.ui.server import get_server
from app.ui.server_price import server_price
from backends.capabilities import Choice, Group, Toggle
from backends.engine import Backend
from backends.registry import get_backend, usable_backends
from backends.remote.keys import TakesKey
from backends.setup import Setup

_GROUPS: tuple[tuple[Group, str], ...] = (
    ("weights", "Weights"),
    ("cache", "Cache"),
    ("speculation", "Speculation"),
    ("decoding", "Decoding"),
    ("device", "Device"),
)


def setup_editor(column: Column, save: Save, *, busy: bool) -> None:
    """Change a column's setup: every toggle that its backend offers. Each change goes to `save`, as
    the column that it makes."""
    setup = column.setup
    backends = usable_backends()
    if len(backends) > 1:
        _backend_picker(column, backends, save, disabled=busy)
    else:
        st.caption(get_backend(setup.backend).title)
    saved_servers(column, save, disabled=busy)
    for toggle in _grouped(get_backend(setup.backend).capabilities().toggles):
        if toggle.means_something_in(setup):
            _draw(toggle, column, save, disabled=busy)
    model_choice(column, save, disabled=busy)
    save_server(column, disabled=busy)
    _key_field(column, disabled=busy)
    server_price(column, disabled=busy)
    verdict = get_backend(setup.backend).check(setup)
    if not verdict.ok:
        st.warning(f"{verdict.reason} {verdict.remedy}", icon=":material/block:")
    with st.expander("The whole setup"):
        st.json(setup.model_dump(mode="json"), expanded=True)


def _grouped(toggles: Sequence[Toggle]) -> list[Toggle]:
    order = [group for group, _ in _GROUPS]
    return sorted(toggles, key=lambda toggle: order.index(toggle.group))


def _backend_picker(column: Column, backends: list[Backend], save: Save, *, disabled: bool) -> None:
    ids = [backend.id for backend in backends]
    st.selectbox(
        "Runs on",
        ids,
        index=ids.index(column.setup.backend) if column.setup.backend in ids else 0,
        format_func={backend.id: backend.title for backend in backends}.__getitem__,
        key=f"backend-{column.key}",
        on_change=_set_backend,
        args=(column, save),
        disabled=disabled,
    )


def _set_backend(column: Column, save: Save) -> None:
    backend = st.session_state[f"backend-{column.key}"]
    fresh = Setup(model=column.setup.model, backend=backend, history=column.setup.history)
    save(column.model_copy(update={"setup": fresh}))


def _draw(toggle: Toggle, column: Column, save: Save, *, disabled: bool) -> None:
    value = _value(column.setup, toggle)
    key = f"toggle-{column.key}-{toggle.name}"
    common: dict[str, Any] = {
        "key": key,
        "help": _help(toggle),
        "disabled": disabled,
        "on_change": _set,
        "args": (column, toggle, key, save),
    }
    if toggle.choices:
        refused = {
            choice.value: _why_not(column.setup, toggle, choice) for choice in toggle.choices
        }
        offered = [choice for choice in toggle.choices if not refused[choice.value]]
        st.segmented_control(
            toggle.title,
            [choice.value for choice in offered],
            default=value if any(choice.value == value for choice in offered) else None,
            format_func={choice.value: choice.label for choice in offered}.__getitem__,
            required=True,
            **common,
        )
        for choice in toggle.choices:
            if refused[choice.value]:
                st.caption(f":material/block: {choice.label}: {refused[choice.value]}")
            if choice.value == value and choice.reading is not None:
                with st.expander(choice.reading.title):
                    st.code(choice.reading.text(), language=None, height=300, wrap_lines=True)
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
    elif toggle.is_text:
        example = toggle.example or "default"
        st.text_input(toggle.title, value=str(value or ""), placeholder=example, **common)
    else:
        refusal = "" if value else _refusal(column.setup, toggle, True)
        common["disabled"] = disabled or bool(refusal)
        st.toggle(toggle.title, value=bool(value), **common)
        if refusal:
            st.caption(f":material/block: {refusal}")


def _key_field(column: Column, *, disabled: bool) -> None:
    """A server's key: into the backend's memory, never into the setup."""
    backend = get_backend(column.setup.backend)
    # On a public server a key would be everybody's.
    if not isinstance(backend, TakesKey) or get_server().settings.public:
        return
    known = backend.has_key(column.setup)
    st.text_input(
        "Key",
        type="password",
        key=f"key-{column.key}",
        placeholder="one is set; type another to replace it" if known else backend.key_example,
        help="Sent to this address alone. Kept in the memory of this app until it ends; it is in "
        "no link, record, export or log.",
        disabled=disabled,
        on_change=_keep_key,
        args=(column,),
    )


def _keep_key(column: Column) -> None:
    backend = get_backend(column.setup.backend)
    assert isinstance(backend, TakesKey)
    backend.keep_key(column.setup, st.session_state.pop(f"key-{column.key}"))


def _why_not(setup: Setup, toggle: Toggle, choice: Choice) -> str:
    """Why a value cannot be chosen beside the setup's other toggles. What is chosen stays in sight:
    the warning above says what is wrong with it."""
    if choice.why_not or _value(setup, toggle) == choice.value:
        return choice.why_not
    return _refusal(setup, toggle, choice.value)


def _refusal(setup: Setup, toggle: Toggle, value: object) -> str:
    """Why this value would make a setup that works one that does not; empty if it would not."""
    backend = get_backend(setup.backend)
    if not backend.check(setup).ok:
        return ""
    verdict = backend.check(_with_value(setup, toggle, value))
    return "" if verdict.ok else f"{verdict.reason} {verdict.remedy}"


def _value(setup: Setup, toggle: Toggle) -> object:
    if toggle.is_option:
        return setup.options.get(toggle.name, _default(toggle))
    return getattr(setup, toggle.name)


def _default(toggle: Toggle) -> str | None:
    """An option's value where the setup has none."""
    return toggle.choices[0].value if toggle.choices else None


def _help(toggle: Toggle) -> str:
    lines = [toggle.help, *(_line(choice) for choice in toggle.choices if choice.help)]
    return "\n\n".join(line for line in lines if line)


def _line(choice: Choice) -> str:
    return f"**{choice.label}**: {choice.help}"


def _set(column: Column, toggle: Toggle, key: str, save: Save) -> None:
    value = st.session_state[key]
    try:
        setup = _with_value(column.setup, toggle, (value or None) if toggle.is_text else value)
    except ValidationError as error:
        chat_state.notice(f"{toggle.title}: {error.errors()[0]['msg']}.")
        return
    save(column.model_copy(update={"setup": setup}))


def _with_value(setup: Setup, toggle: Toggle, value: object) -> Setup:
    """The setup with one toggle changed; toggles that mean nothing with it go back to their
    defaults. Raises `ValidationError`."""
    current = setup.model_dump()
    if toggle.is_option:
        current["options"] = {**setup.options, toggle.name: value}
        if not value or value == _default(toggle):  # off, or left to its default
            del current["options"][toggle.name]
    else:
        current[toggle.name] = value
    changed = Setup.model_validate(current)
    for other in get_backend(setup.backend).capabilities().toggles:
        if not other.means_something_in(changed):
            if other.is_option:
                current["options"].pop(other.name, None)
            else:
                current[other.name] = Setup.model_fields[other.name].get_default()
    return Setup.model_validate(current)


def next_setup(shown: Sequence[Setup]) -> Setup:
    """What a new column starts with: the last setup with the first toggle value not yet shown."""
    last = shown[-1]
    taken = {setup.id for setup in shown}
    for toggle in get_backend(last.backend).capabilities().toggles:
        for choice in toggle.choices:
            if choice.why_not or toggle.is_option or toggle.name == "device":
                continue
            candidate = _with_value(last, toggle, choice.value)
            if candidate.id not in taken and get_backend(last.backend).check(candidate).ok:
                return candidate
    return last
