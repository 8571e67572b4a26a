"""Which draft this page's form holds, and every way of changing it.

It is kept in the visitor's session, so that a look at another page loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app.bench.conversation import Comparison
from app.bench.fitting import default_model, gpu_memory_bytes
from app.ui import chat_state
from app.ui.compare import address
from app.ui.compare.draft import Draft, draft_of_setups
from app.ui.presets import DEFAULT_PRESET
from app.ui.server import get_server
from backends.catalog import catalog
from backends.errors import DynoError

_DRAFT = "compare_draft"


def current() -> Draft:
    """The draft of this session: as it was left, from a link to setups, or a first one."""
    link = address.setups()
    if link is not None:
        address.show_form()
        return start(_from_link(link))
    draft = st.session_state.get(_DRAFT)
    return draft if isinstance(draft, Draft) else start(first())


def start(draft: Draft) -> Draft:
    """Go on with this draft instead of the one there is."""
    st.session_state[_DRAFT] = draft
    return draft


def start_anew() -> None:
    start(first())


def change(edit: Callable[[Draft], Draft]) -> None:
    start(edit(current()))


def first() -> Draft:
    """What a new form holds: the default preset, for the model that suits this machine."""
    model = default_model(catalog().values(), gpu_memory_bytes())
    return draft_of_setups([(setup, "") for setup in DEFAULT_PRESET.setups(model)])


def _from_link(link: str) -> Draft:
    try:
        comparison = Comparison.from_permalink(link)
        if get_server().settings.public:
            chat_state.refuse_private_models(comparison)
    except DynoError as error:
        chat_state.notice(f"{error.message} {error.remedy}")
        return first()
    return draft_of_setups([(one.setup, one.label) for one in comparison.columns])
