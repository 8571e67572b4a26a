"""The README names every setting, and only commands and files that exist."""

from __future__ import annotations

import re

import pytest
import typer.main

from app.bench.__main__ import app as bench
from backends.settings import ROOT, Settings

README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `(DYNO_\w+)` \| (.*?) \|", README, flags=re.MULTILINE))


def test_the_table_of_settings_names_every_setting_and_no_other() -> None:
    assert set(ROWS) == {f"DYNO_{name.upper()}" for name in Settings.model_fields}


@pytest.mark.parametrize("name", ["max_prompt_chars", "max_engines", "max_queue"])
def test_the_table_tells_the_default_that_is_in_the_code(name: str) -> None:
    assert ROWS[f"DYNO_{name.upper()}"] == f"`{Settings.model_fields[name].default}`"


def test_every_make_command_it_names_can_be_made() -> None:
    named = set(re.findall(r"make (app|test|check|slow|bench)\b", README))
    assert {"app", "test", "check"} <= named
    for target in named:
        assert re.search(rf"^{target}:", MAKEFILE, flags=re.MULTILINE)


def test_it_names_every_command_and_only_flags_that_there_are() -> None:
    commands = typer.main.get_command(bench).commands  # type: ignore[attr-defined]
    assert set(re.findall(r"app\.bench (\w+)", README)) <= commands.keys()
    assert [name for name in commands if not re.search(rf"`[^`\n]*\b{name}\b", README)] == []
    known = {flag for one in commands.values() for option in one.params for flag in option.opts}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", README)) <= known


def test_every_file_it_links_to_is_there() -> None:
    links = re.findall(r"\]\((?!https?://)([^)#]+)\)", README)
    pictures = [link for link in links if link.startswith("docs/images/")]
    missing = [link for link in links if link not in pictures and not (ROOT / link).exists()]
    assert not missing
