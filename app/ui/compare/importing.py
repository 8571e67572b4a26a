"""An experiment that was made on another machine, taken from its file."""

from __future__ import annotations

import streamlit as st

from app.bench.experiments.archive import AlreadyHere, import_json
from app.bench.experiments.shelf import WorkloadShelf
from app.ui.compare import actions, address
from app.ui.server import get_server

_FILE = "experiment-import"
# What a visitor of a public server may leave in its store at once; on one's own machine, what a
# browser can still send well. The command line takes larger ones.
_PUBLIC_MB, _OWN_MB = 20, 200


def draw_import() -> None:
    with st.popover("Import", icon=":material/upload:", key="import-open"):
        st.file_uploader(
            "An experiment (JSON)",
            type=["json"],
            max_upload_size=_most_mb(),
            key=_FILE,
            on_change=lambda: actions.attempt(_take),
            help="As an experiment's export gives it, here or on another machine. Larger ones: "
            "python -m app.bench import FILE.",
        )


def _take() -> None:
    """Keep it and show it; one that is here already is shown as it is."""
    file = st.session_state[_FILE]
    if file is None:
        return
    server = get_server()
    shelf = WorkloadShelf(server.settings)
    most_bytes = _most_mb() * 1_000_000
    try:
        taken = import_json(server.store, file, server.visitor(), shelf, most_bytes)
    except AlreadyHere as error:
        taken = error.experiment
    address.show_experiment(taken.id)


def _most_mb() -> int:
    return _PUBLIC_MB if get_server().settings.public else _OWN_MB
