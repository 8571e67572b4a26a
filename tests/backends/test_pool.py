"""The pool: what is closed before what is loaded, what is refused, and who waits for whom."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

import pytest

from backends.engine import CancelToken, Progress
from backends.errors import Cancelled, InvalidRequest, InvalidSetup, LoadFailed, OutOfMemory
from backends.pool import EnginePool, LeasedEngine
from backends.setup import Setup
from tests.backends.asking import ask
from tests.fakes import FakeBackend
from tests.fakes.backend import Opening

MB = 1_000_000
PLENTY = 10**15


def setup_of(model: str = "a", **toggles: object) -> Setup:
    return Setup.model_validate({"model": model, "backend": "fake"} | toggles)


@pytest.fixture
def make_pool(fake: FakeBackend) -> Iterator[Callable[..., EnginePool]]:
    made: list[EnginePool] = []

    def make(
        max_engines: int = 8, budget_bytes: int | None = None, free_bytes: int = PLENTY
    ) -> EnginePool:
        pool = EnginePool(max_engines, budget_bytes, lambda id_: fake, lambda: free_bytes)
        made.append(pool)
        return pool

    yield make
    fake.release_all()
    for pool in made:
        pool.close()


def lease(
    pool: EnginePool, setup: Setup, stages: list[Progress] | None = None
) -> AbstractContextManager[LeasedEngine]:
    return pool.lease(setup, (stages if stages is not None else []).append, CancelToken())


def use(pool: EnginePool, *models: str) -> None:
    for model in models:
        with lease(pool, setup_of(model)):
            pass


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def loaded(pool: EnginePool) -> list[str]:
    return [info.model for info in pool.engines()]


# Sharing


def test_the_same_setup_is_loaded_once(
    make_pool: Callable[..., EnginePool], fake: FakeBackend
) -> None:
    pool = make_pool()
    with lease(pool, setup_of()) as first:
        assert first.is_new
    with lease(pool, setup_of()) as second:
        assert not second.is_new
    assert first.engine is second.engine
    assert len(fake.opened) == 1


def test_an_engine_is_warm_once_someone_made_it_answer(
    make_pool: Callable[..., EnginePool],
) -> None:
    pool = make_pool()
    with lease(pool, setup_of()) as first:
        assert not first.is_warm
    with lease(pool, setup_of()) as second:
        assert not second.is_warm
        second.is_warm = True
    with lease(pool, setup_of()) as third:
        assert third.is_warm


def test_setups_that_differ_at_all_get_an_engine_each(
    make_pool: Callable[..., EnginePool], fake: FakeBackend
) -> None:
    pool = make_pool()
    use(pool, "a")
    with lease(pool, setup_of(history="none")):
        pass
    assert len(fake.opened) == 2


def test_concurrent_users_of_a_setup_load_it_once(
    make_pool: Callable[..., EnginePool], fake: FakeBackend
) -> None:
    pool = make_pool()
    fake.openings["a"] = Opening(gate=threading.Event())
    everyone_asked = threading.Barrier(4)

    def one() -> LeasedEngine:
        everyone_asked.wait(10)
        with lease(pool, setup_of()) as leased:
            return leased

    with ThreadPoolExecutor(4) as threads:
        answers = [threads.submit(one) for _ in range(4)]
        fake.release_all()
        leases = [answer.result(10) for answer in answers]
    assert len(fake.opened) == 1
    assert len({id(one.engine) for one in leases}) == 1
    assert sum(one.is_new for one in leases) == 1


def test_who_waits_for_a_load_that_fails_tries_it_too(
    make_pool: Callable[..., EnginePool], fake: FakeBackend
) -> None:
    pool = make_pool()
    fake.openings["a"] = Opening(error=LoadFailed("Broken.", "Mend it."), gate=threading.Event())
    with ThreadPoolExecutor(2) as threads:
        both = [threads.submit(use, pool, "a") for _ in range(2)]
        fake.release_all()
        errors = [one.exception(10) for one in both]
    assert all(isinstance(error, LoadFailed) for error in errors)
    assert pool.engines() == []


def test_who_waits_for_a_load_can_be_stopped_alone(
    make_pool: Callable[..., EnginePool], fake: FakeBackend
) -> None:
    pool = make_pool()
    fake.openings["a"] = Opening(gate=threading.Event())
    cancel = CancelToken()

    def wait_for_it() -> None:
        with pool.lease(setup_of(), lambda progress: None, cancel):
            pass

    with ThreadPoolExecutor(2) as threads:
        loading = threads.submit(use, pool, "a")
        wait_until(lambda: bool(fake.opened))
        waiting = threads.submit(wait_for_it)
        cancel.cancel()
        assert isinstance(waiting.exception(10), Cancelled)
        assert not loading.done()
        fake.release_all()
        assert loading.exception(10) is None


# Room


def test_the_least_recently_used_engine_is_closed_before_the_next_is_loaded(
    make_pool: Callable[..., EnginePool], fake: FakeBackend
) -> None:
    pool = make_pool(max_engines=2)
    use(pool, "a", "b", "a")
    open_then: list[str] = []
    stages: list[Progress] = []

    def note(progress: Progress) -> None:
        stages.append(progress)
        open_then[:] = [engine.setup.model for engine in fake.engines if engine.is_alive]

    with pool.lease(setup_of("c"), note, CancelToken()):
        assert loaded(pool) == ["a", "c"]
    assert open_then == ["a"], "b must be gone when c begins to load"
    assert any("Unloading b" in stage.stage for stage in stages)


def test_an_engine_that_was_loaded_anew_meanwhile_is_not_lost_with_the_one_to_be_closed(
    make_pool: Callable[..., EnginePool], fake: FakeBackend
) -> None:
    pool = make_pool(max_engines=1)
    use(pool, "a")

    def replace_a(progress: Progress) -> None:
        if progress.stage.startswith("Unloading") and len(fake.engines) == 1:
            fake.engines[0].is_alive = False
            use(pool, "a")

    with pool.lease(setup_of("b"), replace_a, CancelToken()):
        alive = [engine.setup.model for engine in fake.engines if engine.is_alive]
        assert sorted(alive) == sorted(loaded(pool))


def test_an_engine_in_use_is_never_closed_to_make_room(
    make_pool: Callable[..., EnginePool], fake: FakeBackend
) -> None:
    pool = make_pool(max_engines=2)
    with lease(pool, setup_of("a")) as busy:
        use(pool, "b", "c")
        assert ask(busy.engine).ids
    assert loaded(pool) == ["a", "c"]
    assert fake.engines[0].closed == 0


def test_idle_engines_go_until_the_budget_holds_the_new_one(
    make_pool: Callable[..., EnginePool], fake: FakeBackend
) -> None:
    fake.bytes_needed |= {"a": 10 * MB, "b": 10 * MB, "c": 10 * MB, "big": 20 * MB}
    pool = make_pool(budget_bytes=40 * MB)
    use(pool, "a", "b", "c", "big")
    assert loaded(pool) == ["c", "big"]


def test_no_more_is_closed_than_is_needed(
    make_pool: Callable[..., EnginePool], fake: FakeBackend
) -> None:
    fake.bytes_needed |= {"a": 10 * MB, "b": 10 * MB, "c": 10 * MB}
    pool = make_pool(budget_bytes=24 * MB)
    use(pool, "a", "b", "c")
    assert loaded(pool) == ["b", "c"]


def test_what_does_not_fit_is_refused_with_the_numbers(
    make_pool: Callable[..., EnginePool], fake: FakeBackend
) -> None:
    fake.bytes_needed["big"] = 1_000 * MB
    pool = make_pool(budget_bytes=100 * MB)
    with pytest.raises(OutOfMemory) as caught:
        use(pool, "big")
    assert "1,200 MB" in caught.value.message
    assert "100 MB" in caught.value.message
    assert caught.value.remedy
    assert fake.opened == []


def test_what_is_in_use_counts_against_the_budget(
    make_pool: Callable[..., EnginePool], fake: FakeBackend
) -> None:
    fake.bytes_needed |= {"a": 10 * MB, "b": 10 * MB}
    pool = make_pool(budget_bytes=20 * MB)
    with lease(pool, setup_of("a")), pytest.raises(OutOfMemory):
        use(pool, "b")
    use(pool, "b")


def test_what_is_being_loaded_counts_against_the_budget(
    make_pool: Callable[..., EnginePool], fake: FakeBackend
) -> None:
    fake.bytes_needed |= {"a": 10 * MB, "b": 10 * MB}
    fake.openings["a"] = Opening(gate=threading.Event())
    pool = make_pool(budget_bytes=20 * MB)
    with ThreadPoolExecutor(1) as threads:
        loading = threads.submit(use, pool, "a")
        wait_until(lambda: bool(fake.opened))
        try:
            with pytest.raises(OutOfMemory):
                use(pool, "b")
        finally:
            fake.release_all()
        loading.result(10)


def test_free_memory_bounds_what_the_cpu_may_take(
    make_pool: Callable[..., EnginePool], fake: FakeBackend
) -> None:
    fake.device = "cpu"
    fake.bytes_needed["a"] = 10 * MB
    with pytest.raises(OutOfMemory, match="11 MB"):
        use(make_pool(free_bytes=11 * MB), "a")


def test_a_load_that_ran_out_of_memory_is_tried_again_with_the_others_unloaded(
    make_pool: Callable[..., EnginePool], fake: FakeBackend
) -> None:
    pool = make_pool()
    use(pool, "a")
    fake.openings["b"] = Opening(error=OutOfMemory("Full.", "Unload."))
    stages: list[Progress] = []
    with pytest.raises(OutOfMemory), lease(pool, setup_of("b"), stages):
        pass
    assert [setup.model for setup in fake.opened] == ["a", "b", "b"]
    assert any("again" in stage.stage for stage in stages)
    assert loaded(pool) == []


# Ends


def test_a_dead_engine_is_replaced_and_let_go(
    make_pool: Callable[..., EnginePool], fake: FakeBackend
) -> None:
    pool = make_pool()
    use(pool, "a")
    fake.engines[0].is_alive = False
    with lease(pool, setup_of()) as leased:
        assert leased.is_new
        assert leased.engine is fake.engines[1]
    assert fake.engines[0].closed == 1


def test_an_engine_that_died_in_use_leaves_the_pool(
    make_pool: Callable[..., EnginePool], fake: FakeBackend
) -> None:
    pool = make_pool()
    with lease(pool, setup_of()):
        fake.engines[0].is_alive = False
    assert pool.engines() == []
    assert fake.engines[0].closed == 1


def test_a_setup_that_the_backend_refuses_is_not_loaded(
    make_pool: Callable[..., EnginePool], fake: FakeBackend
) -> None:
    with pytest.raises(InvalidSetup) as caught, lease(make_pool(), setup_of(device="cuda")):
        pass
    assert "GPU" in caught.value.message
    assert fake.opened == []


def test_a_stopped_load_leaves_nothing(
    make_pool: Callable[..., EnginePool], fake: FakeBackend
) -> None:
    pool = make_pool()
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled), pool.lease(setup_of(), lambda progress: None, cancel):
        pass
    assert pool.engines() == []


def test_unloading_closes_an_idle_engine_and_refuses_a_busy_one(
    make_pool: Callable[..., EnginePool], fake: FakeBackend
) -> None:
    pool = make_pool()
    with lease(pool, setup_of()):
        key = pool.engines()[0].key
        with pytest.raises(InvalidRequest) as caught:
            pool.unload(key)
        assert caught.value.remedy
    pool.unload(key)
    pool.unload(key)
    assert pool.engines() == []
    assert fake.engines[0].closed == 1


def test_the_list_tells_loading_answering_and_idle_apart(
    make_pool: Callable[..., EnginePool], fake: FakeBackend
) -> None:
    pool = make_pool()
    fake.openings["slow"] = Opening(gate=threading.Event())
    use(pool, "idle")
    with ThreadPoolExecutor(1) as threads, lease(pool, setup_of("busy")):
        loading = threads.submit(use, pool, "slow")
        wait_until(lambda: len(pool.engines()) == 3)
        assert {info.model: info.state for info in pool.engines()} == {
            "idle": "idle",
            "busy": "answering",
            "slow": "loading",
        }
        assert pool.count() == 2
        fake.release_all()
        loading.result(10)


def test_closing_the_pool_closes_every_engine_also_those_in_use(
    make_pool: Callable[..., EnginePool], fake: FakeBackend
) -> None:
    pool = make_pool()
    use(pool, "a")
    with lease(pool, setup_of("b")):
        pool.close()
    assert [engine.is_alive for engine in fake.engines] == [False, False]
    assert pool.engines() == []
