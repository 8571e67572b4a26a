"""The endpoint backend: any server that speaks the OpenAI chat protocol, at an address of the
user's."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationError

from backends.capabilities import (
    HISTORY,
    Availability,
    Capabilities,
    Choice,
    Reading,
    Toggle,
    check_toggles,
)
from backends.engine import REMOTE_DEVICE, CancelToken, EngineFacts, OnProgress, Progress
from backends.errors import (
    Cancelled,
    DynoError,
    MissingCredential,
    ModelNotFound,
    RemoteError,
    Unreachable,
)
from backends.remote.attempts import Patience
from backends.remote.engine import RemoteEngine
from backends.remote.keys import Keys
from backends.remote.line import Line
from backends.remote.servers import KINDS, STANDARD, ServerKind
from backends.remote.wire import ServedModel, ServedModels
from backends.settings import get_settings
from backends.setup import Setup

_ADDRESS = "address"
_KIND = "server"
_SERVED = "served_model"
_TOKENIZER = "tokenizer"


class EndpointBackend:
    """Opens no weights: an engine here is a connection to a server and one of its models."""

    id = "endpoint"
    title = "A server (OpenAI-compatible)"
    model_option = _SERVED
    key_example = "if it wants one"

    def __init__(self, patience: Patience | None = None) -> None:
        self._patience = patience or Patience()
        self._keys = Keys()

    def capabilities(self) -> Capabilities:
        return Capabilities(
            (
                Toggle(
                    _ADDRESS,
                    "Address",
                    "device",
                    "Where the server answers, up to and with /v1.",
                    is_option=True,
                    is_text=True,
                    example="http://localhost:8000/v1",
                ),
                Toggle(
                    _KIND,
                    "Kind of server",
                    "device",
                    "What it can do beyond the standard: some can be told to make an answer of a "
                    "fixed length.",
                    tuple(_choice(kind) for kind in KINDS.values()),
                    is_option=True,
                ),
                Toggle(
                    _SERVED,
                    "Its model",
                    "device",
                    "The id under which the server has the model. Empty: the first that it lists.",
                    is_option=True,
                    is_text=True,
                    example="the first that it lists",
                ),
                Toggle(
                    _TOKENIZER,
                    "Tokenizer",
                    "device",
                    "Counts the answer's tokens where the server does not, as an estimate: a Hub "
                    "id or folder of the same model. Empty: then they are not told.",
                    is_option=True,
                    is_text=True,
                    example="none",
                ),
                HISTORY,
            )
        )

    def check(self, setup: Setup) -> Availability:
        if get_settings().public:
            return Availability(
                False, "Servers of visitors are not asked from here.", "Run LLM Dyno yourself."
            )
        verdict = check_toggles(setup, self.capabilities())
        return verdict if not verdict.ok else _check_address(_address(setup))

    def device_of(self, setup: Setup) -> str:
        """Two runs on one server would disturb each other like two on one GPU."""
        return f"server {urlsplit(_address(setup)).netloc}"

    def memory_needed_bytes(self, setup: Setup) -> int | None:
        return None

    def open(self, setup: Setup, on_progress: OnProgress, cancel: CancelToken) -> RemoteEngine:
        self.check(setup).require()
        started_s = time.perf_counter()
        count = _counter(setup)
        on_progress(Progress("Asking the server for its models"))
        line = Line(_address(setup), lambda: self._key(setup), self._patience)
        try:
            model = _chosen(setup, line)
        except BaseException:
            line.close()
            raise
        if cancel.is_cancelled:
            line.close()
            raise Cancelled("It was stopped while it was opened.")
        facts = EngineFacts(
            model_path=model.id,
            revision=None,
            device=REMOTE_DEVICE,
            device_name=_address(setup),
            context_window=model.max_model_len,
            load_seconds=round(time.perf_counter() - started_s, 3),
        )
        return RemoteEngine(setup, line, _kind(setup), model.id, facts, count)

    def models(self, setup: Setup) -> tuple[str, ...]:
        """Ids of the models that the server lists now. Raises a `DynoError`."""
        line = Line(_address(setup), lambda: self._key(setup), self._patience)
        try:
            return tuple(model.id for model in _listed(line))
        finally:
            line.close()

    def metrics_page(self, setup: Setup) -> str:
        """Address of the server's own figures; empty where its kind has none."""
        page = _kind(setup).metrics
        return _address(setup).removesuffix("/v1") + page if page else ""

    def charged_as(self, setup: Setup) -> str:
        served = str(setup.options.get(_SERVED, "")).strip()
        return " ".join(filter(None, (_address(setup), served)))

    def is_elsewhere(self, setup: Setup) -> bool:
        return not _is_here(urlsplit(_address(setup)).hostname or "")

    def has_key(self, setup: Setup) -> bool:
        return self._key(setup) is not None

    def keep_key(self, setup: Setup, key: str) -> None:
        self._keys.keep(_address(setup), key)

    def _key(self, setup: Setup) -> SecretStr | None:
        return self._keys.of(_address(setup))


def _choice(kind: ServerKind) -> Choice:
    if not kind.launches:
        return Choice(kind.id, kind.title)
    how = Reading("How to start it, and its optimisations", kind.launch_text)
    return Choice(kind.id, kind.title, reading=how)


def _address(setup: Setup) -> str:
    return str(setup.options.get(_ADDRESS, "")).strip().rstrip("/")


def _is_here(host: str) -> bool:
    """Whether it names this machine, as 0.0.0.0 does, which servers tell when they start."""
    if host in ("localhost", socket.gethostname().lower()):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _counter(setup: Setup) -> Callable[[str], int] | None:
    named = str(setup.options.get(_TOKENIZER, "")).strip()
    if not named:
        return None
    # Here, since few need it: the app's own process loads no library of models before that.
    from backends.remote.counting import counter

    return counter(named)


def _kind(setup: Setup) -> ServerKind:
    return KINDS[str(setup.options.get(_KIND, STANDARD.id))]


def _check_address(address: str) -> Availability:
    if not address:
        return Availability(
            False, "No address is set.", "Type where the server answers, such as http://…/v1."
        )
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return Availability(
            False, f"“{address}” is no address of a server.", "It begins with http:// or https://."
        )
    if parts.username or parts.password or parts.query:
        return Availability(
            False,
            "The address holds more than an address.",
            "Leave name, password and query out; a key goes into its own field.",
        )
    return Availability(True)


def _chosen(setup: Setup, line: Line) -> ServedModel:
    """The model to ask for. A server that lists none, or cannot, is taken at the user's word."""
    wanted = str(setup.options.get(_SERVED, "")).strip()
    try:
        models = _listed(line)
    except (Unreachable, MissingCredential):
        raise
    except DynoError as error:
        if not wanted:
            raise ModelNotFound(
                f"{line.base_url} cannot list its models: {error.message}",
                "Type the one that it was started with under “Its model”.",
            ) from error
        models = ()
    if not wanted and not models:
        raise ModelNotFound(
            f"{line.base_url} lists no models.", "Type the id of its model in the setup."
        )
    if not wanted:
        return models[0]
    found = next((model for model in models if model.id == wanted), None)
    if found is None and models:
        names = ", ".join(model.id for model in models[:8])
        raise ModelNotFound(f"{line.base_url} has no model “{wanted}”.", f"It lists: {names}.")
    return found or ServedModel(id=wanted)


def _listed(line: Line) -> tuple[ServedModel, ...]:
    try:
        return ServedModels.model_validate_json(line.get_json("/models")).data
    except ValidationError as error:
        raise RemoteError(
            f"{line.base_url} does not answer like an OpenAI-compatible server.",
            "Check the address: it usually ends in /v1.",
        ) from error
