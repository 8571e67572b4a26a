"""What only some machines have. CI has it all: there no test may pass by skipping."""

from __future__ import annotations

import os
from typing import Literal, NoReturn

import pytest

Needed = Literal["BROWSER", "POSTGRES", "DISK"]


def lacking(needed: Needed, reason: str) -> NoReturn:
    """Skip the test; fail it where the variable REQUIRE_…_TESTS is set, as in `.ci/run`."""
    variable = f"REQUIRE_{needed}_TESTS"
    if os.environ.get(variable):
        pytest.fail(f"{variable} is set, and {reason}", pytrace=False)
    pytest.skip(reason)
