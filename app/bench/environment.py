"""Where runs are made: hardware, versions and commit, read without importing heavy libraries."""

from __future__ import annotations

import contextlib
import platform
import re
import subprocess
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

from backends.local.devices import usable_cores
from backends.settings import ROOT

LIBRARIES = (
    "torch",
    "transformers",
    "tokenizers",
    "safetensors",
    "accelerate",
    "huggingface_hub",
    "numpy",
    "streamlit",
    "bitsandbytes",
    "llama-cpp-python",
    "gptqmodel",
)
_COMMIT = re.compile(r"^[0-9a-f]{40,64}$")


@dataclass(frozen=True, slots=True)
class Gpu:
    """An NVIDIA GPU as its driver names it."""

    index: int
    name: str
    memory_bytes: int | None
    driver: str


@dataclass(frozen=True, slots=True)
class GpuReading:
    """The GPUs, or why none could be read."""

    gpus: tuple[Gpu, ...] = ()
    why_none: str = ""


@cache
def hardware_name() -> str:
    """The machine in one line: processor, cores this process may use, GPUs."""
    cores = usable_cores()
    parts = [f"{cpu_name()}, {cores} {'core' if cores == 1 else 'cores'}"]
    counted: dict[str, int] = {}
    for gpu in gpu_reading().gpus:
        counted[gpu.name] = counted.get(gpu.name, 0) + 1
    parts += [name if count == 1 else f"{count} × {name}" for name, count in counted.items()]
    return ", ".join(parts)


@cache
def cpu_name() -> str:
    with contextlib.suppress(OSError):
        for line in (
            Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        ):
            key, _, value = line.partition(":")
            if key.strip() in ("model name", "Model") and value.strip():
                return " ".join(value.split())
    if platform.system() == "Darwin":
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            asked = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
            told = subprocess.run(asked, capture_output=True, text=True, timeout=2, check=True)
            return told.stdout.strip()
    return platform.processor() or f"{platform.machine()} CPU"


@cache
def gpu_reading() -> GpuReading:
    """NVIDIA GPUs through the driver's own library, without CUDA."""
    try:
        import pynvml
    except ImportError:
        return GpuReading(why_none="the package nvidia-ml-py is not installed")
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        return GpuReading(why_none=f"no NVIDIA driver answers here ({error})")
    try:
        driver = str(pynvml.nvmlSystemGetDriverVersion())
        count = pynvml.nvmlDeviceGetCount()
        gpus = tuple(_gpu(pynvml.nvmlDeviceGetHandleByIndex(i), i, driver) for i in range(count))
    except pynvml.NVMLError as error:
        return GpuReading(why_none=f"the NVIDIA driver could not be asked ({error})")
    finally:
        with contextlib.suppress(pynvml.NVMLError):
            pynvml.nvmlShutdown()
    return GpuReading(gpus, "" if gpus else "the NVIDIA driver knows no GPU")


def _gpu(handle: object, index: int, driver: str) -> Gpu:
    import pynvml

    memory_bytes = None
    with contextlib.suppress(pynvml.NVMLError):
        memory_bytes = int(pynvml.nvmlDeviceGetMemoryInfo(handle).total)
    return Gpu(index, str(pynvml.nvmlDeviceGetName(handle)), memory_bytes, driver)


@cache
def library_versions() -> dict[str, str]:
    """Versions of Python and of the libraries that matter to a measurement, as installed."""
    found = {name: version_of(name) for name in LIBRARIES}
    installed = {name: version for name, version in found.items() if version is not None}
    return {"python": platform.python_version(), **installed}


def version_of(package: str) -> str | None:
    """The installed version, read from its metadata: the package itself is not imported."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


@cache
def commit() -> str | None:
    """The commit that is checked out, read from git's files; None outside a checkout."""
    with contextlib.suppress(OSError):
        return _commit_of(ROOT)
    return None


def _commit_of(root: Path) -> str | None:
    folder = root / ".git"
    if folder.is_file():  # a worktree: the file names the folder
        folder = root / folder.read_text(encoding="utf-8").removeprefix("gitdir:").strip()
    head = (folder / "HEAD").read_text(encoding="utf-8").strip()
    if not head.startswith("ref:"):
        return head if _COMMIT.match(head) else None
    name = head.removeprefix("ref:").strip()
    shared = folder
    if (folder / "commondir").is_file():
        shared = folder / (folder / "commondir").read_text(encoding="utf-8").strip()
    for place in (folder, shared):
        if (place / name).is_file():
            return (place / name).read_text(encoding="utf-8").strip()
    for line in (shared / "packed-refs").read_text(encoding="utf-8").splitlines():
        found, _, ref = line.partition(" ")
        if ref == name:
            return found
    return None
