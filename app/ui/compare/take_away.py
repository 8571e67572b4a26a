"""The recommended setup to take away: as Python, as a command, as a link into the chat."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.bench.conversation import Column, Comparison
from app.bench.experiments.findings import Findings
from app.bench.take_away import Code, commands_for, python_code
from app.ui.chat_state import permalink
from app.ui.copy_button import copy_button
from app.ui.safe_text import plain_text_as_markdown

_LONGEST_LABEL = 60


def draw_take_away(findings: Findings, best: Sequence[int]) -> None:
    """Drawn once it is opened: the browser takes half a second to get ready to colour code."""
    key = f"take-away-{findings.experiment.id}"
    label, icon = "Take it with you", ":material/output:"
    with st.expander(label, icon=icon, key=key, on_change="rerun") as panel:
        if panel.open:
            _draw_ways(findings, _chosen(findings, best))


def _chosen(findings: Findings, best: Sequence[int]) -> int:
    """Of several that are tied, the one that is chosen."""
    if len(best) == 1:
        return best[0]
    labels = {index: findings.setups[index].label for index in best}
    return st.selectbox(
        "Setup",
        list(best),
        format_func=lambda one: labels.get(one, ""),
        key=f"take-{findings.experiment.id}",
        width=320,
    )


def _draw_ways(findings: Findings, index: int) -> None:
    setup = findings.setups[index].setup
    program = python_code(setup, findings.experiment.plan.output_tokens)
    commands = commands_for(setup)
    names = [f"Python ({program.title})"] if program is not None else []
    names += [code.title for code in commands]
    tabs = st.tabs([*names, "Chat with it"])
    parts = [program, *commands] if program is not None else list(commands)
    for tab, code in zip(tabs, parts, strict=False):
        with tab:
            _draw_code(code, "python" if code is program else "bash")
    with tabs[-1]:
        _draw_link(findings, index)


def _draw_code(code: Code, language: str) -> None:
    st.code(code.text, language=language, wrap_lines=True)
    for sentence in code.missing:
        st.caption(plain_text_as_markdown(sentence))
    if language == "bash":
        st.caption("Not run here: what it delivers there is to be measured there.")


def _draw_link(findings: Findings, index: int) -> None:
    """The setup beside the reference, as a link to the chat."""
    wanted = dict.fromkeys((0, index))
    columns = [
        Column(key=f"s{one}", setup=setup.setup, label=setup.label[:_LONGEST_LABEL])
        for one in wanted
        for setup in [findings.setups[one]]
    ]
    link = permalink(Comparison(columns=tuple(columns)))
    if link is None:
        st.caption("It opens a local folder, so it has no link: the path would be shared.")
        return
    page = (st.context.url or "").partition("?")[0].rstrip("/").removesuffix("/compare")
    url = f"{page}/?s={link}"
    st.caption("The link opens a chat with this setup beside the reference.")
    st.code(url, language=None, wrap_lines=True)
    copy_button(url, key=f"copy-{findings.experiment.id}", help="Copy the link")
