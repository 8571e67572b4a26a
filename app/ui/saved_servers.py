"""Servers by name: choose one that was saved, save this one, ask it for its models."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app.bench.conversation import Column
from app.bench.saved_servers import Options, SavedServers
from app.ui import chat_state
from app.ui.safe_text import plain_text_as_markdown
from app.ui.server import get_server
from backends.errors import DynoError
from backends.registry import get_backend
from backends.remote.listing import ListsModels

_FORGOTTEN = "forgotten-server"


Save = Callable[[Column], None]


def saved_servers(column: Column, save: Save, *, disabled: bool) -> None:
    """What was saved, above the toggles of a backend whose setups name a server; nothing for
    others. The one that is chosen goes to `save`."""
    if not _names_servers(column):
        return
    known = SavedServers(get_server().settings).all()
    chosen = _chosen(column, known)
    if known:
        key = _key(column, "choose-" + "-".join(known) + str(chosen))
        st.pills(
            "Saved servers",
            list(known),
            default=chosen,
            format_func=plain_text_as_markdown,
            key=key,
            disabled=disabled,
            on_change=lambda: _choose(column, known, st.session_state[key], save),
        )
    _offer_undo(column)


def save_server(column: Column, *, disabled: bool) -> None:
    """Below the toggles: save under a name what they say now, or forget it."""
    if not _names_servers(column):
        return
    current = _options(column)
    chosen = _chosen(column, SavedServers(get_server().settings).all())
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(
            "Save this server as",
            key=_key(column, "name"),
            placeholder="a name",
            width=200,
            disabled=disabled or not current,
            help="Its address, kind, model and tokenizer. A key is never saved.",
        )
        st.button(
            "Save",
            key=_key(column, "save"),
            disabled=disabled or not current,
            on_click=_attempt,
            args=(lambda: _save(column),),
        )
        if chosen is not None:
            st.button(
                "Forget",
                key=_key(column, "forget"),
                type="tertiary",
                disabled=disabled,
                on_click=_attempt,
                args=(lambda: _forget(chosen),),
            )


def _names_servers(column: Column) -> bool:
    backend = get_backend(column.setup.backend)
    return isinstance(backend, ListsModels) and not get_server().settings.public


def _chosen(column: Column, known: dict[str, Options]) -> str | None:
    """The name under which the column's server is saved, if it is."""
    current = _options(column)
    return next((name for name, options in known.items() if options == current), None)


def model_choice(column: Column, save: Save, *, disabled: bool) -> None:
    """Ask the server which models it has and choose one, instead of typing its id."""
    backend = get_backend(column.setup.backend)
    if not isinstance(backend, ListsModels):
        return
    key = _key(column, "models")
    asked: tuple[dict[str, str], tuple[str, ...] | DynoError] | None = st.session_state.get(key)
    is_reachable = backend.check(column.setup).ok
    with st.container(horizontal=True):
        st.button(
            "Ask for its models",
            icon=":material/list:",
            key=_key(column, "ask"),
            disabled=disabled or not is_reachable,
            on_click=_ask,
            args=(column, backend, key),
        )
        if is_reachable and (page := backend.metrics_page(column.setup)):
            st.link_button("Its own metrics", page, icon=":material/monitoring:")
    if asked is None or asked[0] != _address(column, backend):
        return
    found = asked[1]
    if isinstance(found, DynoError):
        st.warning(f"{found.message} {found.remedy}")
        return
    if not found:
        st.caption("It lists no models: type the id of one.")
        return
    current = str(column.setup.options.get(backend.model_option, ""))
    chosen_key = _key(column, f"model-{current}")
    st.pills(
        "Its models",
        found,
        default=current if current in found else None,
        format_func=plain_text_as_markdown,
        key=chosen_key,
        disabled=disabled,
        on_change=lambda: _choose_model(column, backend, st.session_state[chosen_key], save),
    )


def _ask(column: Column, backend: ListsModels, key: str) -> None:
    found: tuple[str, ...] | DynoError
    try:
        found = backend.models(column.setup)
    except DynoError as error:
        found = error
    st.session_state[key] = (_address(column, backend), found)


def _address(column: Column, backend: ListsModels) -> Options:
    """What a list of models was asked with: all options but the model."""
    return {name: v for name, v in _options(column).items() if name != backend.model_option}


def _options(column: Column) -> Options:
    return {name: str(value) for name, value in column.setup.options.items()}


def _key(column: Column, what: str) -> str:
    return f"servers-{what}-{column.key}"


def _attempt(action: Callable[[], None]) -> None:
    try:
        action()
    except DynoError as error:
        chat_state.notice(f"{error.message} {error.remedy}")


def _choose(column: Column, known: dict[str, Options], name: str | None, save: Save) -> None:
    if name is not None:
        save(_with_options(column, known[name]))


def _choose_model(column: Column, backend: ListsModels, model: str | None, save: Save) -> None:
    options = _options(column)
    options.pop(backend.model_option, None)
    save(_with_options(column, options | ({backend.model_option: model} if model else {})))


def _with_options(column: Column, options: Options) -> Column:
    setup = column.setup.model_copy(update={"options": options})
    return column.model_copy(update={"setup": setup})


def _save(column: Column) -> None:
    saved = SavedServers(get_server().settings)
    saved.save(str(st.session_state[_key(column, "name")]), _options(column))
    st.session_state[_key(column, "name")] = ""


def _forget(name: str) -> None:
    options = SavedServers(get_server().settings).forget(name)
    if options is not None:
        st.session_state[_FORGOTTEN] = (name, options)


def _offer_undo(column: Column) -> None:
    forgotten: tuple[str, Options] | None = st.session_state.get(_FORGOTTEN)
    if forgotten is None:
        return
    name, options = forgotten

    def bring_back() -> None:
        SavedServers(get_server().settings).save(name, options)
        st.session_state.pop(_FORGOTTEN, None)

    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(plain_text_as_markdown(f"Forgot “{name}”."))
        st.button(
            "Undo",
            key=_key(column, "undo"),
            type="tertiary",
            on_click=_attempt,
            args=(bring_back,),
        )
