"""This experiment against another one that asked the same: a regression check."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.bench.experiments.across import spread_over, why_not_across
from app.bench.experiments.charts import WITHOUT_DATA, moves_chart
from app.bench.experiments.environments import Change, changes
from app.bench.experiments.experiment import Experiment
from app.bench.experiments.findings import Findings
from app.bench.experiments.statistics import moves
from app.bench.format import moment
from app.bench.record import RunRecord
from app.bench.store import Store
from app.ui.colors import is_dark_theme
from app.ui.compare.chart_box import draw_chart
from app.ui.compare.reading import findings as findings_of
from app.ui.facts_table import draw_facts
from app.ui.safe_text import plain_text_as_markdown

_RUNS_EACH = 6  # of a setup, from which its environment is read
_MOST_LISTED = 8


@st.fragment
def draw_across(findings: Findings, store: Store, visitor: str) -> None:
    """A fragment: another choice redraws this and nothing else."""
    here = findings.experiment
    st.subheader("Against another experiment", anchor=False)
    others = [one for one in store.experiments(visitor) if one.id != here.id]
    comparable = {one.id: one for one in others if not why_not_across(here, one)}
    if not comparable:
        st.caption(
            "Run this plan again, on another day, machine or version, to see what has changed "
            "since and which figures moved beyond the spread of runs."
        )
    else:
        chosen = st.selectbox(
            "Compare with",
            list(comparable),
            index=None,
            format_func=lambda id_: _name(comparable[id_]) if id_ in comparable else "",
            placeholder="Choose an experiment",
            key=f"across-{here.id}",
            width=420,
        )
        if chosen in comparable:
            _draw_moves(findings, findings_of(comparable[chosen], store), store, visitor)
    _draw_refused(here, others)


def _draw_moves(one: Findings, other: Findings, store: Store, visitor: str) -> None:
    """From the earlier to the later, whichever of the two is open."""
    before, after = sorted((one, other), key=lambda found: found.experiment.created_at)
    st.caption(
        plain_text_as_markdown(
            f"From {_name(before.experiment)} to {_name(after.experiment)}. The first stands at 1."
        )
    )
    found = moves(before.conclusion, after.conclusion)
    indices = {setup.label: setup.index for setup in after.setups}
    draw_chart(
        moves_chart(found, indices, dark=is_dark_theme()),
        lambda: found,
        WITHOUT_DATA["moves"],
        f"moves-{before.experiment.id}-{after.experiment.id}",
    )
    changed = changes(
        _records(store, before, before.experiment.id, len(before.samples), visitor),
        _records(store, after, after.experiment.id, len(after.samples), visitor),
    )
    _draw_changes(changed)


def _draw_changes(changed: Sequence[Change]) -> None:
    how = f"read from up to {_RUNS_EACH} runs of each setup, from its first to its last"
    if not changed:
        st.caption(f"Nothing known of the environment has changed ({how}).")
        return
    st.caption(f"What has changed in the environment ({how})")
    rows = [(one.what, one.before or "not there", one.after or "not there") for one in changed]
    draw_facts(rows, ("Changed", "Before", "After"), "What has changed in the environment")


# Whole records are large, so few of them are read, and once.
@st.cache_resource(max_entries=8, show_spinner=False)
def _records(
    _store: Store, _findings: Findings, id_: str, runs: int, visitor: str
) -> list[RunRecord]:
    found = (_store.run(run_id, visitor) for run_id in spread_over(_findings.samples, _RUNS_EACH))
    return [record for record in found if record is not None]


def _draw_refused(here: Experiment, others: Sequence[Experiment]) -> None:
    refused = [(one, why) for one in others if (why := why_not_across(here, one))]
    if not refused:
        return
    with st.expander(f"Not comparable ({len(refused)})"):
        for one, why in refused[:_MOST_LISTED]:
            st.caption(plain_text_as_markdown(f"{_name(one)}: {why}."))
        if len(refused) > _MOST_LISTED:
            st.caption(f"And {len(refused) - _MOST_LISTED} more.")


def _name(one: Experiment) -> str:
    return f"{one.plan.name}, {moment(one.created_at)} ({one.id})"
