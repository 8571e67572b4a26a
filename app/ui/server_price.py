"""What a server of somebody else charges: set where its setup is built."""

from __future__ import annotations

import streamlit as st

from app.bench.conversation import Column
from app.ui.price_editor import price_line
from app.ui.server import get_server
from backends.errors import DynoError
from backends.registry import get_backend
from backends.remote.paid import Paid

_BY_TOKEN, _BY_HOUR = "by token", "by hour"
_FIELDS = (("input", "Input"), ("cached", "Cached input"), ("output", "Output"))


def server_price(column: Column, *, disabled: bool) -> None:
    """The price of this setup's server: what was set, and fields to set another. Nothing for
    backends that run here, whose price is that of the machine."""
    backend = get_backend(column.setup.backend)
    server = get_server()
    if not isinstance(backend, Paid) or server.settings.public:
        return
    name = backend.charged_as(column.setup)
    price = server.prices.price_set_for(name)
    with st.expander("Price"):
        if price is None:
            st.caption("None set. Where the server quotes its own, that is used, with its date.")
        else:
            st.markdown(price_line(price))
        if problem := st.session_state.pop(_problem_key(column), ""):
            st.error(problem)
        how = st.segmented_control(
            "Charged",
            [_BY_TOKEN, _BY_HOUR],
            default=_BY_TOKEN,
            required=True,
            key=f"charged-{column.key}",
            disabled=disabled,
        )
        with st.container(horizontal=True, vertical_alignment="bottom"):
            fields = _FIELDS if how == _BY_TOKEN else (("hour", "Dollars per hour"),)
            for field, title in fields:
                st.text_input(
                    title,
                    key=_key(column, field),
                    width=130,
                    placeholder="as input" if field == "cached" else "0.15",
                    disabled=disabled,
                    help=None if field == "hour" else "Dollars for a million tokens",
                )
        with st.container(horizontal=True):
            st.button(
                "Set price",
                key=_key(column, "set"),
                disabled=disabled,
                on_click=_set,
                args=(column, name, how),
            )
            if price is not None:
                st.button(
                    "Clear price",
                    key=_key(column, "clear"),
                    type="tertiary",
                    disabled=disabled,
                    on_click=_clear,
                    args=(column, name),
                )


def _key(column: Column, field: str) -> str:
    return f"server-price-{field}-{column.key}"


def _problem_key(column: Column) -> str:
    return f"server-price-problem-{column.key}"


def _set(column: Column, name: str, how: str) -> None:
    def typed(field: str) -> str:
        return str(st.session_state.get(_key(column, field), ""))

    prices = get_server().prices
    try:
        if how == _BY_HOUR:
            prices.set_price(name, typed("hour"))
        else:
            prices.set_token_price(name, typed("input"), typed("output"), typed("cached"))
    except DynoError as error:
        st.session_state[_problem_key(column)] = f"{error.message} {error.remedy}"


def _clear(column: Column, name: str) -> None:
    try:
        get_server().prices.clear_price(name)
    except DynoError as error:
        st.session_state[_problem_key(column)] = f"{error.message} {error.remedy}"
