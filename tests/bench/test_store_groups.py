"""Counts that are kept beside the runs stay true, whatever is saved, hidden, shown or purged."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

from app.bench.experiments.experiment import Experiment
from app.bench.experiments.plan import Plan, PlannedSetup
from app.bench.record import ExperimentPlace
from app.bench.store import RunFilter, Store
from backends.settings import Settings
from backends.setup import Setup
from tests.bench.samples import NOON, make_conversation, make_run

DAY = dt.timedelta(days=1)


def experiment(id_: str = "e", **changes: Any) -> Experiment:
    plan = Plan(
        name="Cache on or off",
        setups=(PlannedSetup(setup=Setup()), PlannedSetup(setup=Setup(kv_cache="off"))),
    )
    fields = {"created_at": NOON, "updated_at": NOON, "plan": plan, "workload_digest": "d"}
    return Experiment(id=id_, **(fields | changes))


def place(setup: int = 0, round_: int = 1, id_: str = "e", **changes: int) -> ExperimentPlace:
    where = {"round": round_, "conversation": 0, "turn": 0, "setup": setup} | changes
    return ExperimentPlace(id=id_, **where)


FILTERS: tuple[dict[str, Any], ...] = (
    {},
    {"visitor": "ann"},
    {"model": "org/other"},
    {"setup": "off"},
    {"status": "failed"},
    {"purpose": "benchmark"},
    {"experiment_id": "e"},
    {"comparable_only": True},
)


def assert_counts_are_true(store: Store) -> None:
    for changes in FILTERS:
        wanted = RunFilter(**({"visitor": None, "limit": None} | changes))
        assert store.count(wanted) == len(store.runs(wanted)), changes


def test_counts_are_those_of_the_lists_through_a_life_of_saves_and_deletions(
    settings: Settings,
) -> None:
    rng, now = random.Random(6), NOON
    store = Store.open(settings, clock=lambda: now)
    store.save_experiment(experiment())
    store.save_conversation(make_conversation("one"))
    for step in range(120):
        now += DAY / 4
        ids = [f"run{rng.randrange(40)}" for _ in range(3)]
        match rng.randrange(6):
            case 0:
                store.delete_runs(ids, rng.choice([None, "ann"]))
            case 1:
                store.restore_runs(ids, None)
            case 2 if step % 2:
                store.delete_experiment("e", None)
                store.restore_experiment("e", None)
            case 3 if step % 2:
                store.delete_conversation("conversation-1", None)
                store.restore_conversation("conversation-1", None)
            case _:
                store.save_runs([_some_run(rng, id_) for id_ in ids])
        if step % 10 == 0:
            assert_counts_are_true(store)
    store.close()
    now += 60 * DAY
    store = Store.open(settings, clock=lambda: now)
    assert_counts_are_true(store)
    store.delete_runs([run.id for run in store.runs(RunFilter(visitor=None, limit=None))], None)
    assert store.models(None) == []
    assert store.count(RunFilter(visitor=None)) == 0
    store.close()


def _some_run(rng: random.Random, id_: str) -> Any:
    return make_run(
        id=id_,
        created_at=NOON + rng.random() * DAY,
        visitor=rng.choice(["local", "ann"]),
        setup=rng.choice([Setup(), Setup(kv_cache="off"), Setup(model="org/other")]),
        setup_label=rng.choice(["KV on", "KV off"]),
        status=rng.choice(["finished", "failed"]),
        warm=rng.random() < 0.8,
        purpose=rng.choice(["chat", "benchmark"]),
        conversation_id=rng.choice([None, "conversation-1"]),
        experiment=rng.choice([None, place(rng.randrange(2))]),
    )


def test_experiments_are_listed_with_their_runs_counted(store: Store) -> None:
    store.save_experiment(experiment("old"))
    store.save_experiment(experiment("e", created_at=NOON + DAY, state="stopped", reason="Stopped"))
    runs = [
        make_run(id="warm-up", experiment=place(round_=0)),
        make_run(id="of a pass", experiment=place(round_=-1)),
        make_run(id="one", experiment=place(), created_at=NOON + DAY),
        make_run(id="two", experiment=place(1), disturbed="other work"),
        make_run(id="three", experiment=place(1, attempt=2), status="failed"),
    ]
    store.save_runs(runs)
    newest, oldest = store.experiment_summaries("local")
    assert (newest.id, newest.name, newest.state, newest.reason) == (
        *("e", "Cache on or off", "stopped", "Stopped"),
    )
    assert (newest.setups, newest.finished, newest.failed, newest.disturbed) == (2, 2, 1, 1)
    assert (newest.workload, newest.last_run_at) == ("short-chat", NOON + DAY)
    assert (oldest.id, oldest.finished, oldest.last_run_at) == ("old", 0, None)
    assert [one.id for one in store.experiment_summaries("local", 1, 1)] == ["old"]
    assert store.experiment_summaries("ann") == []


def test_a_renamed_experiment_keeps_its_name_while_it_goes_on(store: Store) -> None:
    store.save_experiment(experiment())
    assert not store.rename_experiment("e", "ann", "Hers")
    assert store.rename_experiment("e", "local", "  Mine\nnow ")
    store.save_experiment(experiment(state="finished"))
    found = store.experiment("e", "local")
    assert found is not None
    assert (found.plan.name, found.state) == ("Mine now", "finished")
    assert store.experiment_summaries("local")[0].name == "Mine now"
    store.rename_experiment("e", "local", "")
    assert store.experiments("local")[0].plan.name == "Cache on or off"


def test_a_deleted_experiment_takes_its_runs_along_and_brings_back_just_those(
    settings: Settings,
) -> None:
    moments = iter(NOON + n * DAY for n in range(10))
    store = Store.open(settings, clock=lambda: next(moments))
    store.save_experiment(experiment())
    store.save_run(make_run(id="elsewhere"))
    for id_ in ("kept", "deleted-before"):
        store.save_run(make_run(id=id_, experiment=place()))
    store.delete_runs(["deleted-before"], "local")
    assert not store.delete_experiment("e", "ann")
    assert store.delete_experiment("e", "local")
    assert store.experiment("e", "local") is None
    assert store.experiments("local") == []
    assert store.experiment_summaries("local") == []
    store.save_run(make_run(id="made meanwhile", experiment=place(round_=2)))
    everything = RunFilter(visitor="local")
    assert {run.id for run in store.runs(everything)} == {"elsewhere"}
    assert store.count(everything) == 1
    assert store.restore_experiment("e", "local")
    assert {sample.run_id for sample in store.samples("e")} == {"kept", "made meanwhile"}
    assert store.experiment_summaries("local")[0].finished == 2
    assert not store.restore_experiment("e", "local")
    store.close()


def test_deleted_experiments_are_purged_on_open_after_30_days(settings: Settings) -> None:
    for days, remains in ((29, True), (31, False)):
        store = Store.open(settings, clock=lambda: NOON)
        store.save_experiment(experiment())
        store.delete_experiment("e", None)
        store.close()
        later = Store.open(settings, clock=lambda days=days: NOON + days * DAY)  # type: ignore[misc]
        assert later.restore_experiment("e", None) == remains
        later.close()
