"""The Dockerfile fits the repository, and its commands work without Docker: no image is built."""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from backends.settings import ROOT, Settings
from tests.browser.server import END_SECONDS, free_port, wait_until

# As it was before the tests hide the Hub and set the proxies: pip must find its index.
OUTSIDE = dict(os.environ)
START_SECONDS = 120.0
ENTRY = (ROOT / "docker-entry.sh").read_text(encoding="utf-8")
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="runs what a Linux image runs")


def parsed(text: str) -> list[tuple[str, str]]:
    """Instructions and their arguments, in order; continued lines are joined."""
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    words = (line.split(maxsplit=1) for line in joined.splitlines() if line.strip())
    return [(name.upper(), arguments) for name, arguments in words]


INSTRUCTIONS = parsed((ROOT / "Dockerfile").read_text(encoding="utf-8"))


def all_of(name: str) -> list[str]:
    return [arguments for instruction, arguments in INSTRUCTIONS if instruction == name]


def last(name: str) -> str:
    """The one that holds: a later instruction of the same name replaces an earlier one."""
    return all_of(name)[-1]


def environment() -> dict[str, str]:
    pairs = (pair for line in all_of("ENV") for pair in shlex.split(line))
    return dict(pair.split("=", 1) for pair in pairs)


def health_check() -> str:
    return last("HEALTHCHECK").partition("CMD ")[2]


def copied() -> list[tuple[list[str], str]]:
    """Sources and destination of each COPY."""
    words = ([w for w in shlex.split(line) if not w.startswith("--")] for line in all_of("COPY"))
    return [(sources, destination) for *sources, destination in words]


def ignored(folder: str, names: list[str]) -> set[str]:
    """Those of the names in a folder of the repository that .dockerignore leaves out."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    anywhere = [pattern[3:] for pattern in patterns if pattern.startswith("**/")]
    here = Path(folder).relative_to(ROOT)
    return {
        name
        for name in names
        if (here / name).as_posix() in patterns
        or any(fnmatch.fnmatchcase(name, pattern) for pattern in anywhere)
    }


def front_matter() -> dict[str, Any]:
    _, block, _ = (ROOT / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    found = yaml.safe_load(block)
    assert isinstance(found, dict)
    return found


def test_the_parser_joins_lines_and_skips_comments() -> None:
    text = "# a comment\nFROM x\n\nRUN a \\\n    # why\n    && b\nenv A=1"
    assert parsed(text) == [("FROM", "x"), ("RUN", "a && b"), ("ENV", "A=1")]


def test_it_runs_as_the_user_1000_who_is_made_in_it() -> None:
    assert last("USER") == "1000"
    assert any("useradd" in line and "--uid 1000 " in line for line in all_of("RUN"))
    names = [name for name, _ in INSTRUCTIONS]
    assert "RUN" not in names[names.index("USER") :], "what is installed is installed before"
    assert "--chown=1000:1000" in last("COPY")


def test_the_port_is_the_same_everywhere() -> None:
    assert last("EXPOSE") == environment()["STREAMLIT_SERVER_PORT"] == "8501"
    assert front_matter()["app_port"] == 8501


def test_it_answers_from_outside_and_in_public_mode() -> None:
    assert environment()["STREAMLIT_SERVER_ADDRESS"] == "0.0.0.0"
    assert environment()["DYNO_PUBLIC"] == "1"


def test_it_sets_only_settings_that_exist() -> None:
    known = {f"DYNO_{name.upper()}" for name in Settings.model_fields}
    used = set(re.findall(r"DYNO_[A-Z_]+", f"{' '.join(environment())} {ENTRY}"))
    assert used <= known


def test_the_health_check_asks_streamlit() -> None:
    assert "/_stcore/health" in health_check()


def test_what_it_copies_is_there() -> None:
    sources = [source for group, _ in copied() for source in group]
    assert sources == ["requirements.txt", "."]
    assert all((ROOT / source).exists() for source in sources)


def test_the_image_gets_the_app_and_neither_history_nor_environment() -> None:
    needed = (
        "streamlit_app.py docker-entry.sh requirements.txt .streamlit/config.toml app backends"
        " pages models/bundled/target/model.safetensors models/bundled/draft/model.safetensors"
    )
    for name in needed.split():
        path = ROOT / name
        assert path.exists(), name
        for part in (path, *path.relative_to(ROOT).parents):
            whole = ROOT / part
            assert whole == ROOT or not ignored(str(whole.parent), [whole.name]), name
    unwanted = {".git", ".venv", "tests", "test-results", "data", "__pycache__", ".mypy_cache"}
    assert ignored(str(ROOT), sorted(unwanted)) == unwanted
    assert ignored(str(ROOT / "app"), ["__pycache__", "x.pyc", "data"]) == {"__pycache__", "x.pyc"}


def test_the_readme_begins_with_what_a_space_needs() -> None:
    found = front_matter()
    assert found["sdk"] == "docker"
    assert found["title"] == "LLM Dyno"
    assert found["suggested_hardware"].startswith("t4-")
    assert len(found["short_description"]) <= 60, "the Hub takes no longer one"
    colors = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
    assert {found["colorFrom"], found["colorTo"]} <= colors


def entered(folder: Path, **given: str) -> dict[str, str]:
    """What the entry script hands on, with another folder in the place of /data."""
    script = ENTRY.replace("/data", str(folder))
    command = [sys.executable, "-c", "import json, os; print(json.dumps(dict(os.environ)))"]
    told = subprocess.run(
        ["sh", "-c", script, "sh", *command], env=given, capture_output=True, check=True, text=True
    )
    found: dict[str, str] = json.loads(told.stdout)
    return {name: found[name] for name in ("DYNO_DATA_DIR", "HF_HOME") if name in found}


@needs_linux
def test_models_and_data_lie_where_data_is_mounted_and_else_in_the_home(tmp_path: Path) -> None:
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    ours = {"DYNO_DATA_DIR": str(mounted), "HF_HOME": f"{mounted}/downloads"}
    assert entered(mounted) == ours
    assert entered(mounted, HF_HOME="/elsewhere") == {**ours, "HF_HOME": "/elsewhere"}
    assert entered(tmp_path / "missing") == {}


def as_ordinary_user(python: Path) -> dict[str, Any]:
    """How to start a process as nobody, if we are root and nobody may run this Python."""
    import pwd

    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    user: dict[str, Any] = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    try:
        subprocess.run([python, "-c", ""], cwd="/", check=True, capture_output=True, **user)
    except (OSError, subprocess.CalledProcessError):
        warnings.warn("nobody may not run this Python: the app runs as root here", stacklevel=2)
        return {}
    return user


@contextmanager
def running(command: list[str], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is ended with all that it started."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, **options)
    try:
        yield process
    finally:
        family: list[psutil.Process] = []
        with suppress(psutil.NoSuchProcess):
            family = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(END_SECONDS)
        for left in (process, *psutil.wait_procs(family, timeout=END_SECONDS)[1]):
            with suppress(psutil.NoSuchProcess):
                left.kill()
        process.wait()


@needs_linux
@pytest.mark.slow
@pytest.mark.network
@pytest.mark.timeout(15 * 60)
@pytest.mark.skipif(Path("/data").exists(), reason="it would use this machine's /data")
def test_its_commands_install_and_start_the_app() -> None:
    # Short, because the workers' sockets lie in it; not the tests' own, which only we may enter.
    with tempfile.TemporaryDirectory(prefix="dyno-image-", dir="/tmp") as made:
        folder = Path(made)
        folder.chmod(0o755)
        image, home, scratch = folder / "app", folder / "home", folder / "tmp"
        shutil.copytree(ROOT, image, ignore=ignored)
        home.mkdir()
        scratch.mkdir()

        venv = folder / "venv"
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        (install,) = (line for line in all_of("RUN") if line.startswith("pip "))
        paths = f"{venv}/bin:{OUTSIDE.get('PATH', os.defpath)}"
        subprocess.run(shlex.split(install), cwd=image, env={**OUTSIDE, "PATH": paths}, check=True)

        user = as_ordinary_user(venv / "bin" / "python")
        if user:
            for top in (image, home, scratch):
                for path in (top, *top.rglob("*")):
                    os.chown(path, user["user"], user["group"], follow_symlinks=False)
        port, log = free_port(), folder / "log"
        inside = {
            **environment(),
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "PATH": f"{venv}/bin:/usr/local/bin:/usr/bin:/bin",
            "STREAMLIT_SERVER_PORT": str(port),
            "TMPDIR": str(scratch),
        }
        start = [*json.loads(last("ENTRYPOINT")), *json.loads(last("CMD"))]

        with (
            log.open("wb") as output,
            running(start, cwd=image, env=inside, stdout=output, stderr=output, **user) as process,
        ):

            def is_healthy() -> bool:
                assert process.poll() is None, (
                    f"it ended: {log.read_text(errors='replace')[-3000:]}"
                )
                check = ["sh", "-c", health_check()]
                return subprocess.run(check, env=inside, capture_output=True).returncode == 0

            wait_until(is_healthy, START_SECONDS, "the health check")
            listening = [
                one.laddr[:2]
                for one in psutil.Process(process.pid).net_connections()
                if one.status == psutil.CONN_LISTEN
            ]
            assert ("0.0.0.0", port) in listening
            assert (home / ".local/share/llm-dyno/dyno.sqlite3").is_file()
