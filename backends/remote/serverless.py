"""The serverless backend: models that Hugging Face's Inference Providers host, paid by token."""

from __future__ import annotations

import time

from pydantic import SecretStr

from backends.capabilities import (
    HISTORY,
    Availability,
    Capabilities,
    Choice,
    Toggle,
    check_toggles,
)
from backends.catalog import catalog
from backends.engine import REMOTE_DEVICE, CancelToken, EngineFacts, OnProgress, Progress
from backends.errors import Cancelled, ModelNotFound
from backends.remote.attempts import Patience
from backends.remote.engine import RemoteEngine
from backends.remote.keys import Keys
from backends.remote.line import Line
from backends.remote.router import ROUTER, HostedModel, HostedModels, hosted_models
from backends.remote.servers import ServerKind
from backends.settings import get_settings, hub_token
from backends.setup import Setup

_ROUTING = "routing"
_PROVIDER = "provider"
_HOSTED = "hosted_model"
_TOKENS_PAGE = "huggingface.co/settings/tokens"
# Hosts differ in what they take beyond the standard, so nothing is sent that is not in it.
_HOST = ServerKind("serverless", "a hosted model")


class ServerlessBackend:
    """Loads nothing: an engine here is a model of the router's and the way to ask for it."""

    id = "serverless"
    title = "Serverless (Hugging Face Inference Providers)"
    key_example = "hf_…"

    def __init__(
        self,
        patience: Patience | None = None,
        router: str = ROUTER,
        kind: ServerKind = _HOST,
    ) -> None:
        self._patience = patience or Patience()
        self._router = router
        self._kind = kind
        self._keys = Keys()

    def capabilities(self) -> Capabilities:
        return Capabilities(
            (
                Toggle(
                    _ROUTING,
                    "Routing",
                    "device",
                    "Who answers, of all who host the model.",
                    (
                        Choice("auto", "automatic", "the order in your Hugging Face settings"),
                        Choice("cheapest", "cheapest", "the lowest price of an output token"),
                        Choice("fastest", "fastest", "the most tokens per second"),
                    ),
                    is_option=True,
                ),
                Toggle(
                    _PROVIDER,
                    "Provider",
                    "device",
                    "A certain one, such as together, novita or cerebras; the key may then be its "
                    "own. Empty: the routing decides.",
                    is_option=True,
                    is_text=True,
                    example="by routing",
                ),
                Toggle(
                    _HOSTED,
                    "Hosted model",
                    "device",
                    "Hub id of the model to ask for. Empty: the hosted version that the catalog "
                    "knows of the model that is chosen.",
                    is_option=True,
                    is_text=True,
                    example="that of the catalog",
                ),
                HISTORY,
            )
        )

    def check(self, setup: Setup) -> Availability:
        if get_settings().public:
            return Availability(
                False,
                "A public server asks no hosted models: whoever runs it would pay.",
                "Run LLM Dyno yourself.",
            )
        verdict = check_toggles(setup, self.capabilities())
        if not verdict.ok:
            return verdict
        if _provider(setup) and _routing(setup) != "auto":
            return Availability(
                False,
                "Where a provider is named there is nothing to route.",
                "Leave the provider empty, or the routing automatic.",
            )
        if not hosted_id(setup):
            return Availability(
                False,
                "Nobody hosts this model, as far as the catalog knows.",
                "Choose another model, such as Llama 3.2 3B, or type a Hub id as hosted model.",
            )
        if self._key(setup) is None:
            return Availability(
                False,
                "No Hugging Face token is set.",
                f"Make one at {_TOKENS_PAGE} that may call Inference Providers, and type it here, "
                "set HF_TOKEN, or write it into .streamlit/secrets.toml.",
            )
        return verdict

    def device_of(self, setup: Setup) -> str:
        """Two runs at one provider would disturb each other; those at two would not."""
        return f"server {_provider(setup) or 'router.huggingface.co'}"

    def memory_needed_bytes(self, setup: Setup) -> int | None:
        return None

    def open(self, setup: Setup, on_progress: OnProgress, cancel: CancelToken) -> RemoteEngine:
        self.check(setup).require()
        started_s = time.perf_counter()
        model = hosted_id(setup)
        on_progress(Progress("Asking who hosts the model"))
        listed = self._listed()
        found = listed.find(model)
        if found is None and not _provider(setup):
            raise _nobody_hosts(model, listed)
        # Here, since few need it: the app's own process loads no library of models before that.
        from backends.remote.hub import HubLine

        line = HubLine(
            self._router, _provider(setup) or "auto", lambda: self._key(setup), self._patience
        )
        if cancel.is_cancelled:
            line.close()
            raise Cancelled("It was stopped while it was opened.")
        facts = EngineFacts(
            model_path=model,
            revision=None,
            device=REMOTE_DEVICE,
            device_name=f"{_provider(setup) or _routing(setup)} at {self._router}",
            context_window=_context(found, _provider(setup)),
            load_seconds=round(time.perf_counter() - started_s, 3),
            quotes=listed.quotes(model),
        )
        return RemoteEngine(
            setup, line, self._kind, f"{model}{_suffix(setup)}", facts, provider=_provider(setup)
        )

    def charged_as(self, setup: Setup) -> str:
        return f"{_provider(setup) or 'Hugging Face router'} {hosted_id(setup)}"

    def is_elsewhere(self, setup: Setup) -> bool:
        return True

    def has_key(self, setup: Setup) -> bool:
        return self._key(setup) is not None

    def keep_key(self, setup: Setup, key: str) -> None:
        self._keys.keep(_provider(setup), key)

    def _key(self, setup: Setup) -> SecretStr | None:
        """What was typed for a provider, else what was typed for the router, else the token of the
        environment."""
        return self._keys.of(_provider(setup)) or self._keys.of("") or hub_token()

    def _listed(self) -> HostedModels:
        line = Line(self._router, patience=self._patience)
        try:
            return hosted_models(line, get_settings().data_dir)
        finally:
            line.close()


def hosted_id(setup: Setup) -> str:
    """The Hub id that is asked for; empty where none is known."""
    typed = str(setup.options.get(_HOSTED, "")).strip()
    entry = catalog().get(setup.model)
    if typed or entry is not None:
        return typed or (entry.serverless if entry else None) or ""
    return setup.model if setup.model.count("/") == 1 and setup.model[0] not in "./~" else ""


def _provider(setup: Setup) -> str:
    return str(setup.options.get(_PROVIDER, "")).strip()


def _routing(setup: Setup) -> str:
    return str(setup.options.get(_ROUTING, "auto"))


def _suffix(setup: Setup) -> str:
    """How the router is told whom to choose."""
    return "" if _routing(setup) == "auto" else f":{_routing(setup)}"


def _context(found: HostedModel | None, provider: str) -> int | None:
    """What the provider that is asked can read at once; None where that is not told, or where it
    depends on who answers."""
    told = {
        one.context_length
        for one in (found.live if found else ())
        if not provider or one.provider == provider
    }
    return told.pop() if len(told) == 1 else None


def _nobody_hosts(model: str, listed: HostedModels) -> ModelNotFound:
    name = model.rpartition("/")[2].split("-")[0].lower()
    others = [one.id for one in listed.models if name in one.id.lower() and one.live][:6]
    like = f" Hosted and like it: {', '.join(others)}." if others else ""
    return ModelNotFound(
        f"No provider hosts {model} now (read {listed.read_at:%Y-%m-%d}).{like}",
        "Choose another model, or type the Hub id of a hosted one.",
    )
