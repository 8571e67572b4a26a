"""Whether each part works on this machine, and what to do where it does not.

Nothing heavy is imported: versions come from package metadata, GPUs from the driver's library.
"""

from __future__ import annotations

import functools
import platform
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from app.bench import data_folder
from app.bench.environment import gpu_reading, version_of
from app.bench.experiments.clock_drops import why_not_watched
from backends.catalog import BUNDLED, catalog
from backends.errors import DynoError
from backends.registry import get_backend, registrations
from backends.settings import ROOT, Settings, get_settings

_PYTHON = (3, 11)
_ENOUGH_SPACE_BYTES = 1_000_000_000
_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9_.-]*)(?:\[[^\]]*\])?==([^\s;#]+)")
_CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_INSTALL = "pip install -r requirements.txt"
_WITHOUT_PINS = (
    "torch",
    "transformers",
    "safetensors",
    "huggingface_hub",
    "streamlit",
    "plotly",
    "pydantic",
    "SQLAlchemy",
    "alembic",
    "scipy",
    "psutil",
)
_OPTIONAL = (
    ("bitsandbytes", "INT8 and NF4 weights", "pip install bitsandbytes"),
    (
        "gptqmodel",
        "INT4 GPTQ weights (the successor of auto-gptq)",
        "pip install gptqmodel optimum",
    ),
    (
        "llama-cpp-python",
        "llama.cpp as a second engine",
        "pip install -r requirements-llamacpp.txt",
    ),
    ("ray", "experiments on several machines", "pip install -r requirements-ray.txt"),
    ("optimum-quanto", "a quantized KV cache", "pip install optimum-quanto"),
    ("psycopg", "records in PostgreSQL", 'pip install "psycopg[binary]"'),
)


@dataclass(frozen=True, slots=True)
class Check:
    """One part. `optional`: the app works without it, so `ok=False` is not a fault."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""
    optional: bool = False


def diagnose(settings: Settings | None = None) -> list[Check]:
    """Every check, in the order in which a person would read them. Raises nothing."""
    checks = [_python()]
    if settings is None:
        try:
            settings = get_settings()
            checks.append(Check("Settings", True, "all understood"))
        except DynoError as error:
            checks.append(Check("Settings", False, error.message, error.remedy))
    parts: dict[str, Callable[[], Iterator[Check]]] = {
        "Libraries": _libraries,
        "Backends": _backends,
        "Bundled model": _bundled_model,
        "Devices": _devices,
    }
    if settings is not None:
        parts["Data folder"] = functools.partial(_data_folder, settings)
    parts |= {"Optional parts": _optional_parts, "Browser": _browser}
    for name, part in parts.items():
        try:
            checks += part()
        except Exception as error:
            checks.append(Check(name, False, f"could not be checked: {error}"))
    return checks


def _python() -> Check:
    enough = sys.version_info[:2] >= _PYTHON
    wanted = ".".join(map(str, _PYTHON))
    remedy = "" if enough else f"Install Python {wanted} or later."
    return Check("Python", enough, f"{platform.python_version()} ({wanted} or later)", remedy)


def _pins() -> dict[str, str | None]:
    """Packages and versions that the project pins; names alone where there is no such file."""
    file = ROOT / "requirements.txt"
    if not file.is_file():
        return dict.fromkeys(_WITHOUT_PINS)
    lines = file.read_text(encoding="utf-8").splitlines()
    found = (_PIN.match(line.strip()) for line in lines)
    return {match[1]: match[2] for match in found if match}


def _libraries() -> Iterator[Check]:
    for name, pinned in _pins().items():
        version = version_of(name)
        if version is None:
            yield Check(name, False, "not installed", _INSTALL)
        elif pinned is None or version.split("+")[0] == pinned.split("+")[0]:
            yield Check(name, True, version)
        else:
            yield Check(name, True, f"{version} (tried with {pinned})", _INSTALL)


def _backends() -> Iterator[Check]:
    try:
        known = registrations()
    except DynoError as error:
        yield Check("Backends", False, error.message, error.remedy)
        return
    for id_, registration in known.items():
        try:
            get_backend(id_)
            yield Check(f"Backend {id_}", True, registration.origin)
        except DynoError as error:
            yield Check(f"Backend {id_}", False, error.message, error.remedy)


def _bundled_model() -> Iterator[Check]:
    folder = ROOT / catalog()[BUNDLED].target
    weights = list(folder.glob("*.safetensors"))
    size_mb = sum(file.stat().st_size for file in weights) / 1e6
    if (folder / "config.json").is_file() and weights:
        yield Check("Bundled model", True, f"{size_mb:.1f} MB in {catalog()[BUNDLED].target}")
    else:
        remedy = "Fetch the whole repository, or choose another model."
        yield Check("Bundled model", False, f"no weights in {catalog()[BUNDLED].target}", remedy)


def _devices() -> Iterator[Check]:
    torch_version = version_of("torch") or ""
    reading = gpu_reading()
    if not reading.gpus:
        remedy = "Nothing to do on a machine without an NVIDIA GPU; the CPU is used."
        yield Check("CUDA", False, reading.why_none, remedy, optional=True)
    elif torch_version.endswith("+cpu"):
        names = ", ".join(gpu.name for gpu in reading.gpus)
        remedy = "Install the CUDA build of the same torch version."
        yield Check("CUDA", False, f"{names}, but torch is built for CPU", remedy, optional=True)
    else:
        for gpu in reading.gpus:
            memory = "" if gpu.memory_bytes is None else f", {gpu.memory_bytes / 1e9:.1f} GB"
            detail = f"{gpu.name}{memory}, driver {gpu.driver}"
            yield Check(f"CUDA cuda:{gpu.index}", True, detail, optional=True)
    has_mps = platform.system() == "Darwin" and platform.machine() == "arm64"
    detail = "Apple silicon" if has_mps else f"not on {platform.system()} {platform.machine()}"
    remedy = "" if has_mps else "Only Macs with Apple silicon have it."
    yield Check("MPS", has_mps, detail, remedy, optional=True)
    unseen = why_not_watched()
    detail = (
        f"not watched: {unseen}" if unseen else "watched: a run during which it drops is marked"
    )
    remedy = "Nothing to do; hold against each other only what ran in turn." if unseen else ""
    yield Check("Clock of the processors", not unseen, detail, remedy, optional=True)


def _data_folder(settings: Settings) -> Iterator[Check]:
    reason = data_folder.why_not_writable(settings)
    remedy = "Make it writable, or set DYNO_DATA_DIR to another folder." if reason else ""
    detail = f"{settings.data_dir}: {reason}" if reason else str(settings.data_dir)
    yield Check("Data folder", not reason, detail, remedy)
    free = data_folder.free_bytes(settings)
    if free is None:
        yield Check("Free disk space", False, "cannot be told", "Check the disk.")
    else:
        enough = free >= _ENOUGH_SPACE_BYTES
        remedy = "" if enough else "Free some space: downloads and records need it."
        yield Check("Free disk space", enough, f"{free / 1e9:.1f} GB", remedy)


def _optional_parts() -> Iterator[Check]:
    for package, what_for, install in _OPTIONAL:
        version = version_of(package)
        detail = f"{version or 'not installed'} (for {what_for})"
        yield Check(package, version is not None, detail, "" if version else install, optional=True)


def _browser() -> Iterator[Check]:
    found = next((path for name in _CHROMIUM if (path := shutil.which(name))), None)
    if found is None and platform.system() == "Darwin":
        application = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
        found = str(application) if application.is_file() else None
    remedy = "" if found else "Install Chromium (Debian: apt install chromium)."
    detail = found or "not found (only the browser tests need it)"
    yield Check("Chromium", found is not None, detail, remedy, optional=True)
    playwright = version_of("playwright")
    detail = f"{playwright or 'not installed'} (only the browser tests need it)"
    remedy = "" if playwright else "pip install -r requirements-dev.txt"
    yield Check("Playwright", playwright is not None, detail, remedy, optional=True)
