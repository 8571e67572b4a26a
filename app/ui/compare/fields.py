"""The form's fields for the numbers of a plan: each writes what was typed into the draft."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, cast

import streamlit as st

from app.ui.compare import drafting
from app.ui.compare.draft import Draft
from app.ui.safe_text import plain_text_as_markdown

Problems = Mapping[str, str]


def draw_equal_work(draft: Draft, problems: Problems) -> None:
    """Rounds and lengths: what every setup has to do."""
    with st.container(horizontal=True, key="plan-work"):
        _number(
            draft,
            "repeats",
            "Rounds",
            1,
            10_000,
            help="In each, every setup answers every prompt once. A verdict needs 6 pairs: prompts "
            "times rounds.",
        )
        if draft.source != "lengths":  # there the grid says how long answers are
            _answers(draft)
            fixed = draft.value("output") == "fixed"
            title = "Tokens of each answer" if fixed else "Most tokens of an answer"
            _number(draft, "output_tokens", title, 1, 32_768)
    _say(problems, "repeats", "output", "output_tokens")


def draw_more(draft: Draft, problems: Problems) -> None:
    """What most experiments leave as it is."""
    with st.expander("More"):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            _number(
                draft,
                "warm_ups",
                "Warm-ups",
                0,
                100,
                help="Runs of each setup before the first round; they are kept and not compared.",
            )
            _number(
                draft,
                "seed",
                "Seed of the order",
                0,
                2**31 - 1,
                help="Setups take turns, A B B A; the seed draws who begins, and the salt.",
            )
            _salt(draft)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            _minutes(draft)
            _dollars(draft)
            _narrow_enough(draft)
        _say(problems, "warm_ups", "seed", _TIME, _MONEY, _NARROW)


def _say(problems: Problems, *names: str) -> None:
    """What is wrong with the fields above."""
    for name in names:
        if name in problems:
            st.error(plain_text_as_markdown(problems[name]), icon=":material/error:")


def _keep(name: str, key: str, made: Callable[[Any], object] = lambda typed: typed) -> None:
    value = made(st.session_state[key])
    drafting.change(lambda draft: draft.with_value(name, value))


def _number(
    draft: Draft, name: str, title: str, lowest: int, highest: int, help: str | None = None
) -> None:
    key = f"plan-{name}-{draft.key}"
    st.number_input(
        title,
        lowest,
        highest,
        cast(int, draft.value(name)),
        key=key,
        on_change=_keep,
        args=(name, key),
        width=190,
        help=help,
    )


def _answers(draft: Draft) -> None:
    key = f"plan-output-{draft.key}"
    st.segmented_control(
        "Answers",
        ["fixed", "natural"],
        default=str(draft.value("output")),
        format_func={"fixed": "Equally long", "natural": "As the model ends"}.__getitem__,
        required=True,
        key=key,
        on_change=_keep,
        args=("output", key),
        help="Equally long answers are equal work, for speed; natural ends are for what quality "
        "wants.",
    )


_SALTED = {None: "Unless a setup reuses prefixes", True: "Always", False: "Never"}


def _salt(draft: Draft) -> None:
    key = f"plan-salt-{draft.key}"
    st.selectbox(
        "Salt the prompts",
        list(_SALTED),
        index=list(_SALTED).index(cast(bool | None, draft.value("salt"))),
        format_func=_SALTED.__getitem__,
        key=key,
        on_change=_keep,
        args=("salt", key),
        width=260,
        help="A few letters before each prompt, other ones in each round, so that no cache of an "
        "earlier run knows it.",
    )


def _minutes(draft: Draft) -> None:
    key, seconds = f"plan-minutes-{draft.key}", cast(float | None, draft.value(_TIME))
    st.number_input(
        "Time budget (minutes)",
        min_value=0.1,
        value=None if seconds is None else seconds / 60,
        format="%g",
        placeholder="none",
        key=key,
        on_change=_keep,
        args=(_TIME, key, lambda minutes: None if minutes is None else minutes * 60),
        width=190,
        help="Then it ends with what it has; it can be resumed.",
    )


def _dollars(draft: Draft) -> None:
    key, budget = f"plan-dollars-{draft.key}", cast(Decimal | None, draft.value(_MONEY))
    st.number_input(
        "Money budget ($)",
        min_value=0.0001,
        value=None if budget is None else float(budget),
        format="%g",
        placeholder="none",
        key=key,
        on_change=_keep,
        args=(_MONEY, key, lambda typed: None if typed is None else Decimal(str(typed))),
        width=190,
        help="Wants a price of this machine, or of the server: without one it cannot be kept.",
    )


def _narrow_enough(draft: Draft) -> None:
    key = f"plan-narrow-{draft.key}"
    st.number_input(
        "Stop early at ± (%)",
        min_value=0.1,
        max_value=100.0,
        value=cast(float | None, draft.value(_NARROW)),
        format="%g",
        placeholder="never",
        key=key,
        on_change=_keep,
        args=(_NARROW, key),
        width=190,
        help="Ends before the last round once the interval of every ratio is as narrow as that. "
        "Looking costs a little: all intervals are made wider for it.",
    )


_TIME, _MONEY = "time_budget_seconds", "money_budget_dollars"
_NARROW = "stop_within_percent"
