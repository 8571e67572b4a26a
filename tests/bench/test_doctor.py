"""The doctor names each part, says how to mend it, and never fails itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from app.bench import doctor, environment
from app.bench.doctor import Check, diagnose
from backends.errors import DynoError
from backends.local.devices import usable_cores
from backends.settings import ROOT, Settings
from tests.bench.disks import read_only


def by_name(checks: list[Check]) -> dict[str, Check]:
    return {check.name: check for check in checks}


def test_every_part_is_named_and_what_does_not_work_has_a_remedy(tmp_path: Path) -> None:
    checks = by_name(diagnose(Settings(data_dir=tmp_path)))
    for name in ("Python", "torch", "Bundled model", "MPS", "Data folder", "Chromium"):
        assert name in checks
    assert any(name.startswith("CUDA") for name in checks)
    assert any(name.startswith("Backend ") for name in checks)
    assert checks["bitsandbytes"].optional
    assert checks["Python"].ok
    for check in checks.values():
        assert check.detail
        assert check.ok or check.remedy, check


def test_a_read_only_data_folder_is_found_out(tmp_path: Path) -> None:
    with read_only(tmp_path):
        check = by_name(diagnose(Settings(data_dir=tmp_path)))["Data folder"]
    assert not check.ok
    assert "DYNO_DATA_DIR" in check.remedy


@pytest.mark.parametrize("unseen", ["", "the clock, which the system does not tell"])
def test_it_is_told_whether_the_clock_is_watched(
    unseen: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(doctor, "why_not_watched", lambda: unseen)
    check = by_name(diagnose(Settings(data_dir=tmp_path)))["Clock of the processors"]
    assert check.optional
    assert check.ok is not bool(unseen)
    assert check.detail.startswith("not watched: the clock, which" if unseen else "watched")


def test_a_bad_setting_is_a_finding_and_not_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> Settings:
        raise DynoError("The setting DYNO_X has a bad value.", "Unset it.")

    monkeypatch.setattr(doctor, "get_settings", refuse)
    check = by_name(diagnose())["Settings"]
    assert (check.ok, check.remedy) == (False, "Unset it.")


def test_a_missing_library_is_told_with_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(doctor, "version_of", lambda name: None)
    check = by_name(diagnose(Settings(data_dir=tmp_path)))["torch"]
    assert not check.ok
    assert check.remedy.startswith("pip install")


def test_another_version_than_the_pinned_one_is_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "requirements.txt").write_text(
        "--extra-index-url https://example.org\n# torch==9\ntorch==2.13.0\n"
        "uvicorn[standard]==1.0  # why\n"
    )
    monkeypatch.setattr(doctor, "ROOT", tmp_path)
    versions = {"torch": "2.13.0+cpu", "uvicorn": "1.1"}
    monkeypatch.setattr(doctor, "version_of", versions.get)
    checks = by_name(diagnose(Settings(data_dir=tmp_path)))
    assert checks["torch"].detail == "2.13.0+cpu"
    assert checks["uvicorn"].detail == "1.1 (tried with 1.0)"


def test_a_check_that_breaks_hides_no_other(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken() -> None:
        raise RuntimeError("driver fell over")

    monkeypatch.setattr(doctor, "gpu_reading", broken)
    checks = by_name(diagnose(Settings(data_dir=tmp_path)))
    assert "driver fell over" in checks["Devices"].detail
    assert "Data folder" in checks


def test_asking_the_doctor_loads_neither_torch_nor_streamlit() -> None:
    script = (
        "import sys; from app.bench.doctor import diagnose; from app.bench import environment;"
        "diagnose(); environment.hardware_name(); environment.library_versions();"
        "print({'torch', 'transformers', 'streamlit', 'scipy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr


def test_hardware_is_named_with_its_cores() -> None:
    name = environment.hardware_name()
    assert environment.cpu_name() in name
    assert f"{usable_cores()} core" in name


def test_the_commit_is_that_of_git() -> None:
    told = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if told.returncode != 0:
        pytest.skip("not a checkout, or no git here")
    environment.commit.cache_clear()
    assert environment.commit() == told.stdout.strip()


def test_the_commit_is_read_from_every_shape_of_checkout(tmp_path: Path) -> None:
    hash_ = "0123456789abcdef0123456789abcdef01234567"
    git = tmp_path / ".git"
    (git / "refs" / "heads").mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    (git / "packed-refs").write_text(f"# pack-refs\n{hash_} refs/heads/main\n")
    assert environment._commit_of(tmp_path) == hash_
    (git / "refs" / "heads" / "main").write_text(hash_[::-1] + "\n")
    assert environment._commit_of(tmp_path) == hash_[::-1]
    (git / "HEAD").write_text(hash_ + "\n")
    assert environment._commit_of(tmp_path) == hash_
    worktree = tmp_path / "tree"
    worktree.mkdir()
    own = git / "worktrees" / "tree"
    own.mkdir(parents=True)
    (own / "HEAD").write_text("ref: refs/heads/main\n")
    (own / "commondir").write_text("../..\n")
    (worktree / ".git").write_text(f"gitdir: {own}\n")
    assert environment._commit_of(worktree) == hash_[::-1]
