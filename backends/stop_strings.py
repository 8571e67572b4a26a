"""Stop strings: an answer ends before them, and nothing of them shows."""

from __future__ import annotations

from collections.abc import Sequence


class StopStringFilter:
    """Holds back text that may be the start of a stop string and drops everything from one on."""

    def __init__(self, stop: Sequence[str]) -> None:
        self._stop = tuple(stop)
        self._held = ""
        self.is_met = False

    def feed(self, text: str) -> str:
        """The part of the text so far that is safe to show and was not returned before."""
        if not self._stop:
            return text
        if self.is_met:
            return ""
        self._held += text
        found = [at for stop in self._stop if (at := self._held.find(stop)) >= 0]
        if found:
            self.is_met = True
            shown, self._held = self._held[: min(found)], ""
            return shown
        cut = len(self._held) - max(self._overlap(stop) for stop in self._stop)
        shown, self._held = self._held[:cut], self._held[cut:]
        return shown

    def _overlap(self, stop: str) -> int:
        """Length of the longest end of the held text that begins `stop`."""
        longest = min(len(stop) - 1, len(self._held))
        return next((n for n in range(longest, 0, -1) if self._held.endswith(stop[:n])), 0)

    def rest(self) -> str:
        """What was held back and turned out not to be a stop string."""
        return "" if self.is_met else self._held
