"""The form of a new experiment: from setups and prompts to a plan, and to the plan's file."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from app.bench.experiments.plan import LENGTHS, Plan, parse_plan, plan_toml
from app.bench.experiments.workload_files import Asked, as_json_lines
from app.bench.experiments.workloads import Workload, built_in, load_workload
from app.bench.format import grouped
from app.ui import chat_state
from app.ui.compare import actions, address, drafting
from app.ui.compare.draft import Draft, draft_of
from app.ui.compare.fields import draw_equal_work, draw_more
from app.ui.compare.passes_form import draw_passes
from app.ui.compare.setup_list import draw_setups, names_of
from app.ui.compare.size import told_size
from app.ui.compare.workload_form import draw_workload
from app.ui.safe_text import plain_text_as_markdown
from app.ui.server import get_server
from backends.errors import DynoError

_PROMPTS_FILE = "prompts.jsonl"


def draw_plan_form() -> None:
    draft = drafting.current()
    _head(draft)
    _tell_limits()
    names = names_of(draft)
    draft = replace(draft, name=draft.name or suggested_name(names))
    problems = draft.problems()
    draw_setups(draft, problems.get("setups", ""))
    workload = draw_workload(draft)
    st.subheader("Runs", anchor=False)
    draw_equal_work(draft, problems)
    draw_passes(draft, names)
    draw_more(draft, problems)
    ready = workload if not problems else None
    if ready is not None:
        _summary(draft, ready)
    _foot(draft, ready)


def _tell_limits() -> None:
    settings = get_server().settings
    if settings.public:
        runs, minutes = settings.public_experiment_runs, settings.public_experiment_minutes
        st.caption(
            f"This public server gives an experiment at most {grouped(runs)} runs and {minutes:g} "
            "minutes, one at a time for each visitor. Only you see yours."
        )


def suggested_name(names: list[str]) -> str:
    """What an experiment is called until its user says otherwise."""
    if len(names) < 2:
        return names[0]
    others = names[1] if len(names) == 2 else f"{len(names) - 1} others"
    return f"{names[0]} against {others}"[:120]


def _head(draft: Draft) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="plan-head"):
        st.title("New experiment", anchor=False)
        with st.popover("Load a plan", icon=":material/upload_file:"):
            _load_field(draft)
        st.button(
            "Start over",
            icon=":material/restart_alt:",
            key="plan-anew",
            type="tertiary",
            on_click=drafting.start_anew,
        )
        st.button(
            "All experiments",
            icon=":material/arrow_back:",
            key="plan-back",
            type="tertiary",
            on_click=address.show_list,
        )
    key = f"plan-name-{draft.key}"
    st.text_input(
        "Name",
        value=draft.name,
        placeholder=suggested_name(names_of(draft)),
        max_chars=120,
        key=key,
        on_change=lambda: drafting.change(
            lambda one: replace(one, name=str(st.session_state[key]).strip())
        ),
    )


def _load_field(draft: Draft) -> None:
    key = f"plan-load-{draft.key}"
    st.file_uploader(
        "A plan (TOML)",
        type=["toml"],
        max_upload_size=1,
        key=key,
        on_change=lambda: _load(key),
        help="As the command line takes it, and as this form gives it.",
    )


def _load(key: str) -> None:
    file = st.session_state[key]
    if file is None:
        return
    try:
        plan = parse_plan(file.getvalue().decode("utf-8"), file.name)
        drafting.show(_with_prompts(plan))
    except UnicodeDecodeError:
        chat_state.notice(f"{file.name} is not UTF-8 text. Save it as UTF-8, as TOML wants it.")
    except DynoError as error:
        chat_state.notice(f"{error.message} {error.remedy}")


def _with_prompts(plan: Plan) -> Draft:
    """The draft of a plan that was loaded, with its prompts as far as they are here."""
    if plan.workload in (*built_in(), LENGTHS):
        return draft_of(plan)
    settings = get_server().settings
    try:
        if not settings.public:  # a visitor's plan opens no files of a public server
            return draft_of(plan, load_workload(plan.workload, settings.max_prompt_chars))
    except DynoError:
        pass
    chat_state.notice(f"The plan asks for the prompts in {plan.workload}: give that file below.")
    return replace(draft_of(plan), source="file", built_in=built_in()[0])


def _summary(draft: Draft, workload: Workload) -> None:
    """What it comes to, before it starts."""
    said, missing = told_size(draft.plan(), workload)
    st.markdown(f"**{plain_text_as_markdown(said)}**")
    if missing:
        st.caption(plain_text_as_markdown(missing))


def _foot(draft: Draft, workload: Workload | None) -> None:
    """`workload`: None while this is no plan that could start."""
    actions.draw_problem()
    with st.container(horizontal=True, vertical_alignment="center", key="plan-foot"):
        st.button(
            "Start",
            type="primary",
            icon=":material/play_arrow:",
            key="plan-start",
            on_click=_start,
            args=(draft, workload),
            disabled=workload is None,
            help="Mend what is marked above; it wants prompts, too." if workload is None else None,
        )
        if workload is not None:
            _downloads(draft, workload)
    if draft.own is not None:
        st.caption("The plan's file names its prompts' file: keep both in one folder.")


def _downloads(draft: Draft, workload: Workload) -> None:
    is_own = draft.own is not None
    st.download_button(
        "Plan (TOML)",
        data=lambda: plan_toml(
            draft.plan().model_copy(update={"workload": _PROMPTS_FILE} if is_own else {})
        ),
        file_name="plan.toml",
        mime="application/toml",
        icon=":material/download:",
        key="plan-download",
        on_click="ignore",
        help="For python -m app.bench run, or to load here.",
    )
    if is_own:
        st.download_button(
            "Prompts (JSONL)",
            data=lambda: _as_file(workload),
            file_name=_PROMPTS_FILE,
            mime="application/jsonl",
            icon=":material/download:",
            key="plan-download-prompts",
            on_click="ignore",
        )


def _as_file(workload: Workload) -> str:
    pairs = zip(workload.conversations, workload.answers, strict=True)
    return as_json_lines([Asked(messages, answers) for messages, answers in pairs])


def _start(draft: Draft, workload: Workload) -> None:
    actions.start(draft.plan(), workload)
