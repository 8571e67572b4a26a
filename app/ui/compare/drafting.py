"""Which draft this page's form holds, and every way of changing it.

Drafts are kept in the server under a key that the address carries, so that neither a refresh nor a
look at another page loses what was planned.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
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

_KEY = "compare_draft"
_MOST_KEPT = 500


class _Drafts:
    """The drafts of all visitors, the latest ones. A key cannot be guessed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_key: OrderedDict[str, Draft] = OrderedDict()

    def find(self, key: str | None) -> Draft | None:
        with self._lock:
            return self._by_key.get(key or "")

    def keep(self, draft: Draft) -> None:
        with self._lock:
            self._by_key[draft.key] = draft
            self._by_key.move_to_end(draft.key)
            while len(self._by_key) > _MOST_KEPT:
                self._by_key.popitem(last=False)


@st.cache_resource(show_spinner=False)
def _drafts() -> _Drafts:
    return _Drafts()


def current() -> Draft:
    """The draft of this page: from a link to setups, from the address, as this session left it, or
    a first one."""
    link = address.setups()
    if link is not None:
        return show(_from_link(link))
    found = _drafts().find(address.draft_key()) or _drafts().find(st.session_state.get(_KEY))
    return show(found or _first())


def show(draft: Draft) -> Draft:
    """The form with this draft."""
    keep(draft)
    address.show_form(draft.key)
    return draft


def keep(draft: Draft) -> None:
    """Go on with this draft when the form is next looked at."""
    _drafts().keep(draft)
    st.session_state[_KEY] = draft.key


def show_left() -> None:
    """The form as this session left it."""
    show(_drafts().find(st.session_state.get(_KEY)) or _first())


def start_anew() -> None:
    show(_first())


def change(edit: Callable[[Draft], Draft]) -> None:
    show(edit(current()))


def _first() -> Draft:
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
        return _first()
    return draft_of_setups([(one.setup, one.label) for one in comparison.columns])
