"""A backend without a model, with a clock that tests set: exact figures and any bad luck."""

from tests.fakes.backend import FakeBackend, Script
from tests.fakes.clock import FakeClock
from tests.fakes.engine import FakeEngine

__all__ = ["FakeBackend", "FakeClock", "FakeEngine", "Script"]
