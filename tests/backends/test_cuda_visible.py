"""Which GPUs CUDA sees, by its numbers."""

import pytest

from backends.local.cuda_visible import visible_handles


class FakeNvml:
    """Three GPUs."""

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return 3

    def nvmlDeviceGetHandleByIndex(self, index: int) -> str:  # noqa: N802
        return f"by number {index}"

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> str:  # noqa: N802
        return f"by id {uuid}"


@pytest.mark.parametrize(
    ("named", "seen"),
    [
        (None, ("by number 0", "by number 1", "by number 2")),
        ("", ()),
        ("2, 0", ("by number 2", "by number 0")),
        ("GPU-b", ("by id GPU-b",)),
        ("1,-1,0", ("by number 1",)),
        ("7", ()),
    ],
)
def test_cuda_numbers_the_gpus_that_it_may_see(
    monkeypatch: pytest.MonkeyPatch, named: str | None, seen: tuple[str, ...]
) -> None:
    if named is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", named)
    assert visible_handles(FakeNvml()) == seen
