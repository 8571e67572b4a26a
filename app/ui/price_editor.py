"""What each device costs: set it, take a suggestion, clear it."""

from __future__ import annotations

import datetime as dt
import platform

import streamlit as st

from app.bench.environment import cpu_name, gpu_reading
from app.bench.prices import PriceBook, Suggestion
from app.bench.record import Price, TokenPrice
from app.ui.machine_parts import attempt
from app.ui.safe_text import plain_text_as_markdown


def devices() -> dict[str, str]:
    """The devices that runs name, each with its hardware."""
    found = {"cpu": cpu_name()}
    found |= {f"cuda:{gpu.index}": gpu.name for gpu in gpu_reading().gpus}
    if platform.system() == "Darwin" and platform.machine() == "arm64":
        found["mps"] = f"{cpu_name()} (Metal)"
    return found


def draw_prices(prices: PriceBook, *, can_change: bool) -> None:
    st.caption(
        "Cost is the device's price per hour times the seconds it was busy. A new price holds for "
        "the runs after it; recorded runs keep the price that they were made with."
    )
    if prices.problem:
        st.warning(prices.problem, icon=":material/warning:")
    here = devices()
    for device, hardware in here.items():
        with st.container(border=True):
            _draw_price(prices, device, hardware, can_change=can_change)
    for server in prices.names():
        if server not in here:
            with st.container(border=True):
                _draw_server_price(prices, server, can_change=can_change)


def price_line(price: Price | TokenPrice | None) -> str:
    """A price with its source and date, as Markdown."""
    if price is None:
        return "No price set."
    return plain_text_as_markdown(f"{price.text} ({price.source}, {price.date})")


def _draw_price(prices: PriceBook, device: str, hardware: str, *, can_change: bool) -> None:
    price = prices.price_for(device)
    name = plain_text_as_markdown(f"{device} · {hardware}")
    st.markdown(f"**{name}**  {price_line(price)}")
    if not can_change:
        return
    key = f"price-{device}"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(
            "Dollars per hour",
            key=key,
            placeholder="0.40",
            width=160,
            on_change=_set_typed,
            args=(prices, device, key),
        )
        st.button("Set price", key=f"{key}-set", on_click=_set_typed, args=(prices, device, key))
        if price is not None:
            st.button(
                "Clear price",
                key=f"{key}-clear",
                type="tertiary",
                on_click=attempt,
                args=(lambda: _clear(prices, device),),
            )
    suggested = prices.suggestions(hardware)
    if suggested:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption("Suggestions", width="content")
            for i, suggestion in enumerate(suggested):
                st.button(
                    f"{suggestion.title} · \\${suggestion.dollars_per_hour}/h",
                    key=f"{key}-suggestion-{i}",
                    help=_about(suggestion),
                    on_click=attempt,
                    args=(lambda suggestion=suggestion: _take(prices, device, suggestion),),
                )


def _draw_server_price(prices: PriceBook, server: str, *, can_change: bool) -> None:
    """Set where its setup is built; shown here too, so that it can be found and cleared."""
    st.markdown(f"**{plain_text_as_markdown(server)}**  {price_line(prices.price_set_for(server))}")
    if can_change:
        st.button(
            "Clear price",
            key=f"price-{server}-clear",
            type="tertiary",
            on_click=attempt,
            args=(lambda: _clear(prices, server),),
        )


def _about(suggestion: Suggestion) -> str:
    return f"{suggestion.source}, {suggestion.date}. {suggestion.note}".strip()


def _set_typed(prices: PriceBook, device: str, key: str) -> None:
    typed = str(st.session_state[key])
    if typed.strip():
        attempt(lambda: _set(prices, device, typed))


def _set(
    prices: PriceBook,
    device: str,
    text: str,
    source: str = "set by you",
    date: dt.date | None = None,
) -> str:
    price = prices.set_price(device, text, source, date)
    return f"{device} costs \\${price.dollars_per_hour} per hour from now on."


def _take(prices: PriceBook, device: str, suggestion: Suggestion) -> str:
    source = f"{suggestion.title}, {suggestion.source}"
    return _set(prices, device, str(suggestion.dollars_per_hour), source, suggestion.date)


def _clear(prices: PriceBook, device: str) -> str:
    prices.clear_price(device)
    return f"{device} has no price any more."
