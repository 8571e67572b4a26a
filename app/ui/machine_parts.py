"""The parts of the Machine page: device, engines, queue, data folder, what works here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

import psutil
import streamlit as st

from app.bench import data_folder
from app.bench.data_folder import Contents
from app.bench.doctor import Check
from app.bench.environment import cpu_name, gpu_reading, library_versions
from app.bench.format import bytes_text, count, moment
from app.bench.labels import labels
from app.bench.scheduler import DeviceQueue
from app.ui.errors import show_error
from app.ui.facts_table import draw_facts
from app.ui.safe_text import plain_text_as_markdown
from backends.errors import DynoError
from backends.local.devices import usable_cores
from backends.pool import EngineInfo, EnginePool
from backends.settings import Settings

_PROBLEM, _DONE = "machine-problem", "machine-done"


def draw_messages() -> None:
    """What the last click on this page led to."""
    problem: DynoError | None = st.session_state.pop(_PROBLEM, None)
    done: str = st.session_state.pop(_DONE, "")
    if problem is not None:
        show_error(problem)
    elif done:
        st.success(done, icon=":material/check:")


def attempt(action: Callable[[], str]) -> None:
    """Run a click's `action`; what it says, or why it failed, is shown on the next run."""
    try:
        st.session_state[_DONE] = action()
    except DynoError as error:
        st.session_state[_PROBLEM] = error


def draw_device(settings: Settings) -> None:
    memory, app = psutil.virtual_memory(), psutil.Process()
    cores = usable_cores()
    reading = gpu_reading()
    rows = [
        ("Processor", f"{cpu_name()}, {cores} {'core' if cores == 1 else 'cores'}"),
        (
            "Memory",
            f"{bytes_text(memory.total)}, of which {bytes_text(memory.available)} are available",
        ),
        ("This app's own process", bytes_text(app.memory_info().rss)),
    ]
    rows += [
        (
            f"GPU cuda:{gpu.index}",
            f"{gpu.name}, driver {gpu.driver}"
            + ("" if gpu.memory_bytes is None else f", {bytes_text(gpu.memory_bytes)}"),
        )
        for gpu in reading.gpus
    ] or [("GPU", f"none: {reading.why_none}")]
    budget = settings.memory_budget_gb
    if budget is not None:
        rows.append(("Memory budget for engines", f"{bytes_text(budget * 1e9)} (as configured)"))
    draw_facts(rows, name="This machine")
    with st.expander("Versions"):
        draw_facts(list(library_versions().items()), name="Versions")


def draw_engines(pool: EnginePool, *, can_unload: bool) -> None:
    engines = pool.engines()
    if not engines:
        st.caption("No engine is loaded. The first prompt to a setup loads its engine.")
    for engine, label in zip(engines, labels([e.setup for e in engines]), strict=True):
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            with st.container(gap=None):
                st.markdown(f"**{plain_text_as_markdown(label)}**")
                st.caption(plain_text_as_markdown(engine_facts(engine)))
            if can_unload:
                st.button(
                    "Unload",
                    icon=":material/eject:",
                    key=f"unload-{engine.key}",
                    disabled=engine.in_use,
                    help="It is answering: stop its run first." if engine.in_use else None,
                    on_click=attempt,
                    args=(lambda engine=engine, label=label: _unload(pool, engine, label),),
                )


def engine_facts(engine: EngineInfo) -> str:
    """One line: model, device, size, state, process."""
    used = dt.datetime.fromtimestamp(engine.last_used, dt.UTC)
    return " · ".join(
        [
            engine.model,
            engine.device,
            "size not known" if engine.memory_bytes is None else bytes_text(engine.memory_bytes),
            "answering" if engine.in_use else f"{engine.state}, last used {moment(used)}",
            "no process of its own" if engine.pid is None else f"process {engine.pid}",
        ]
    )


def draw_queue(queues: Sequence[DeviceQueue]) -> None:
    busy = [queue for queue in queues if queue.holder or queue.waiting]
    if not busy:
        st.caption("Nothing runs and nobody waits.")
        return
    rows = [
        (queue.device, queue.holder or "free", f"{count(queue.waiting)} waiting") for queue in busy
    ]
    draw_facts(rows, ("Device", "Used by", "Queue"), "Queue")


def draw_data_folder(settings: Settings) -> None:
    free = data_folder.free_bytes(settings)
    left = "" if free is None else f", {bytes_text(free)} free on its disk"
    st.markdown(f"{_code(str(settings.data_dir))}{left}")
    st.markdown(f"Logs are in {_code(str(settings.logs_dir))}")
    for found in data_folder.contents(settings):
        if found.files:
            _draw_contents(found, settings)


def _draw_contents(found: Contents, settings: Settings) -> None:
    size = bytes_text(found.size_bytes)
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.container(gap=None):
            st.markdown(f"**{found.kind.title}**  {size}")
            files = f"{count(found.files)} {'file' if found.files == 1 else 'files'}"
            st.caption(" ".join([found.kind.about, f"{files}.", found.kind.why_not_cleared]))
        if found.can_be_cleared:
            with st.popover("Clear", icon=":material/delete:", key=f"clear-{found.kind.id}"):
                st.markdown(f"{found.kind.title}, {size}: this cannot be undone.")
                st.button(
                    f"Clear {size}",
                    type="primary",
                    key=f"clear-now-{found.kind.id}",
                    on_click=attempt,
                    args=(lambda: _clear(found, settings),),
                )


def draw_checks(checks: Sequence[Check]) -> None:
    """Every part: works, is missing, or is broken; and what to do."""
    faults = [check for check in checks if not check.ok and not check.optional]
    missing = [check for check in checks if not check.ok and check.optional]
    if faults:
        n = len(faults)
        st.warning(
            f"{n} needed {'part does' if n == 1 else 'parts do'} not work.",
            icon=":material/warning:",
        )
    else:
        st.caption(f"All needed parts work; {count(len(missing))} optional ones are not here.")
    headers = ("Part", "State", "What to do")
    if faults or missing:
        draw_facts([_check_row(check) for check in [*faults, *missing]], headers, "What is missing")
    working = [check for check in checks if check.ok]
    with st.expander(f"{count(len(working))} parts that work"):
        draw_facts([_check_row(check)[:2] for check in working], headers[:2], "What works")


def _check_row(check: Check) -> tuple[str, ...]:
    state = "works" if check.ok else "not here" if check.optional else "does not work"
    return check.name, f"{state}: {check.detail}", check.remedy


def _unload(pool: EnginePool, engine: EngineInfo, label: str) -> str:
    pool.unload(engine.key)
    return f"Unloaded {label}."


def _clear(found: Contents, settings: Settings) -> str:
    freed = data_folder.clear(found.kind.id, settings)
    return f"Cleared {found.kind.title.lower()}: {bytes_text(freed)} freed."


def _code(text: str) -> str:
    """A path as code, whatever backticks are in it."""
    return f"`` {text} ``" if "`" in text else f"`{text}`"
