"""The text that weights are calibrated on when they are quantized on this machine."""

from __future__ import annotations

import json
from typing import Final

from backends.settings import ROOT

CALIBRATION: Final = ROOT / "models" / "bundled" / "dialogues.json"


def calibration_text() -> str:
    """The dialogues as they are read, one after the other; empty where the file is missing."""
    if not CALIBRATION.is_file():
        return ""
    dialogues = json.loads(CALIBRATION.read_text(encoding="utf-8"))
    return "\n\n".join(
        "\n".join(f"{turn['role']}: {turn['content']}" for turn in dialogue["messages"])
        for dialogue in dialogues
    )
