"""The store keeps every run, shows each visitor their own, and undoes deletions."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from app.bench.record import ErrorNote, Price
from app.bench.store import RunFilter, Store
from backends.errors import NotRecorded
from backends.settings import ROOT, Settings
from backends.setup import Setup
from tests.bench.conftest import environment_of
from tests.bench.samples import NOON, make_conversation, make_run, stamps

DAY = dt.timedelta(days=1)


def ids(store: Store, **filters: object) -> set[str]:
    return {run.id for run in store.runs(RunFilter(**({"visitor": "local"} | filters)))}  # type: ignore[arg-type]


def test_a_saved_run_is_read_back_whole_by_another_store_of_the_same_folder(
    store: Store, settings: Settings
) -> None:
    run = make_run()
    store.save_run(run)
    other = Store.open(settings)
    assert other.run(run.id, "local") == run
    other.close()


def test_saving_a_run_again_replaces_it(store: Store) -> None:
    run = make_run(status="failed", error=ErrorNote(type="X", message="broke"))
    store.save_run(run)
    store.save_run(run.model_copy(update={"status": "finished", "error": None}))
    assert [summary.status for summary in store.runs(RunFilter(visitor="local"))] == ["finished"]


def test_a_summary_holds_the_figures_without_the_samples(store: Store) -> None:
    price = Price(dollars_per_hour=Decimal("0.40"), source="test", date=dt.date(2026, 11, 1))
    store.save_run(make_run(price=price))
    (summary,) = store.runs(RunFilter(visitor="local"))
    assert (summary.ttft_ns, summary.tpot_ns, summary.e2e_ns) == (20_000_000, 10e6, 50_000_000)
    assert (summary.prompt_tokens, summary.output_tokens) == (8, 3)
    assert summary.peak_memory_bytes == 1_500
    assert summary.cost_dollars == Decimal("0.40") * 50_000_000 / (3600 * 10**9)
    assert summary.created_at == NOON
    assert summary.comparable


def test_what_was_not_measured_is_none_in_a_summary(store: Store) -> None:
    store.save_run(make_run(chunks=(), usage=None, status="failed"))
    (summary,) = store.runs(RunFilter(visitor="local"))
    assert summary.ttft_ns is None
    assert summary.tpot_ns is None
    assert summary.output_tokens is None
    assert summary.cost_dollars is None


def test_runs_are_listed_newest_first_in_pages_that_count_does_not_see(store: Store) -> None:
    for day in range(5):
        store.save_run(make_run(id=f"run{day}", created_at=NOON + day * DAY))
    page = RunFilter(visitor="local", limit=2, offset=1)
    assert [run.id for run in store.runs(page)] == ["run3", "run2"]
    assert store.count(page) == 5


def test_each_filter_narrows_the_list(store: Store) -> None:
    kv_off = Setup(kv_cache="off")
    store.save_run(make_run(id="plain"))
    store.save_run(make_run(id="off", setup=kv_off, setup_label="fp32 · KV off_1"))
    store.save_run(make_run(id="other", setup=Setup(model="org/other"), setup_label=""))
    store.save_run(make_run(id="failed", status="failed"))
    store.save_run(make_run(id="race", contended=True))
    store.save_run(make_run(id="cold", warm=False))
    store.save_run(make_run(id="later", created_at=NOON + DAY, conversation_id="c"))
    store.save_run(make_run(id="bench", purpose="benchmark"))
    everything = ids(store)
    assert len(everything) == 8
    assert ids(store, model="org/other") == {"other"}
    assert ids(store, setup=kv_off.id) == {"off"}
    assert ids(store, setup="kv OFF") == {"off"}
    assert ids(store, setup="off_1") == {"off"}
    assert ids(store, setup="%") == set()
    assert ids(store, status="failed") == {"failed"}
    assert ids(store, purpose="benchmark") == {"bench"}
    assert ids(store, since=NOON + DAY) == {"later"}
    assert ids(store, until=NOON + DAY) == everything - {"later"}
    assert ids(store, conversation_id="c") == {"later"}
    assert ids(store, comparable_only=True) == everything - {"failed", "race", "cold"}
    assert store.models("local") == ["bundled", "org/other"]


def test_a_visitor_sees_and_deletes_only_their_own_runs_and_the_owner_all(store: Store) -> None:
    store.save_run(make_run(id="hers", visitor="ann"))
    store.save_run(make_run(id="his", visitor="bob"))
    assert ids(store, visitor="ann") == {"hers"}
    assert ids(store, visitor=None) == {"hers", "his"}
    assert store.run("hers", "bob") is None
    assert store.run("hers", None) is not None
    assert store.delete_runs(["hers", "his"], "bob") == 1
    assert ids(store, visitor=None) == {"hers"}
    assert store.restore_runs(["his"], "ann") == 0


def test_deleted_runs_can_be_restored(store: Store) -> None:
    store.save_run(make_run(id="one"))
    assert store.delete_runs(["one", "unknown"], "local") == 1
    assert ids(store) == set()
    assert store.run("one", "local") is None
    assert store.restore_runs(["one"], "local") == 1
    assert ids(store) == {"one"}


def test_thousands_of_runs_are_deleted_at_once(store: Store) -> None:
    store.save_run(make_run(id="one"))
    assert store.delete_runs([*(f"no{n}" for n in range(40_000)), "one"], "local") == 1


def test_deleted_runs_and_conversations_are_purged_on_open_after_30_days(
    settings: Settings,
) -> None:
    for days, remains in ((29, 1), (31, 0)):
        store = Store.open(settings, clock=lambda: NOON)
        store.save_run(make_run(id="one"))
        store.save_conversation(make_conversation("hello"))
        store.delete_runs(["one"], None)
        store.delete_conversation("conversation-1", None)
        store.close()
        later = Store.open(settings, clock=lambda days=days: NOON + days * DAY)  # type: ignore[misc]
        assert later.restore_runs(["one"], None) == remains
        assert later.restore_conversation("conversation-1", None) == bool(remains)
        later.close()


def test_a_conversation_is_read_back_with_the_latest_run_of_each_turn_and_column(
    store: Store,
) -> None:
    store.save_conversation(make_conversation("one", "two", title="Prefill"))
    place: dict[str, Any] = {"conversation_id": "conversation-1", "turn": 0, "column_key": "a"}
    store.save_run(make_run(id="old", **place))
    store.save_run(make_run(id="new", created_at=NOON + DAY, **place))
    store.save_run(make_run(id="repeat", created_at=NOON + 2 * DAY, purpose="repeat", **place))
    store.save_run(make_run(id="b1", **(place | {"turn": 1, "column_key": "b"})))
    found = store.conversation("conversation-1", "local")
    assert found is not None
    assert found.title == "Prefill"
    assert [turn.prompt for turn in found.turns] == ["one", "two"]
    answers = [{key: run.id for key, run in turn.runs.items()} for turn in found.turns]
    assert answers == [{"a": "new"}, {"b": "b1"}]


def test_an_edited_turn_loses_its_earlier_answers_and_the_runs_stay_in_the_store(
    store: Store,
) -> None:
    store.save_conversation(make_conversation("one", "two"))
    for turn in (0, 1):
        store.save_run(
            make_run(id=f"run{turn}", conversation_id="conversation-1", turn=turn, column_key="a")
        )
    store.save_conversation(make_conversation("one", "two, edited"))
    found = store.conversation("conversation-1", "local")
    assert found is not None
    assert [list(turn.runs) for turn in found.turns] == [["a"], []]
    assert ids(store) == {"run0", "run1"}


def test_a_turn_that_was_removed_and_asked_again_has_no_old_answers(store: Store) -> None:
    store.save_conversation(make_conversation("one"))
    store.save_run(make_run(conversation_id="conversation-1", turn=0, column_key="a"))
    store.save_conversation(make_conversation())
    store.save_conversation(make_conversation("one"))
    found = store.conversation("conversation-1", "local")
    assert found is not None
    assert found.turns[0].runs == {}


def test_a_run_of_someone_else_never_enters_a_conversation(store: Store) -> None:
    store.save_conversation(make_conversation("one"))
    intruder = make_run(visitor="bob", conversation_id="conversation-1", turn=0, column_key="a")
    store.save_run(intruder)
    found = store.conversation("conversation-1", None)
    assert found is not None
    assert found.turns[0].runs == {}


def test_a_conversation_belongs_to_its_visitor(store: Store) -> None:
    store.save_conversation(make_conversation("one", visitor="ann"))
    assert store.conversation("conversation-1", "bob") is None
    assert store.conversations("bob") == []
    assert not store.delete_conversation("conversation-1", "bob")
    with pytest.raises(NotRecorded):
        store.save_conversation(make_conversation("taken", visitor="bob"))
    assert store.conversation("conversation-1", "ann") is not None
    assert [found.turns for found in store.conversations(None)] == [1]


def test_conversations_are_listed_newest_first_with_a_title(store: Store) -> None:
    store.save_conversation(make_conversation("one", "two", id="old", title="Mine"))
    long_prompt = "why is the sky\nblue? " * 10
    store.save_conversation(make_conversation(long_prompt, id="new", updated_at=NOON + DAY))
    store.save_conversation(make_conversation(id="empty", updated_at=NOON - DAY))
    listed = store.conversations("local")
    assert [found.id for found in listed] == ["new", "old", "empty"]
    assert [found.turns for found in listed] == [1, 2, 0]
    assert listed[0].title.startswith("why is the sky blue?")
    assert len(listed[0].title) <= 60
    assert [found.title for found in listed[1:]] == ["Mine", "New conversation"]


def test_deleting_a_conversation_hides_its_runs_and_restoring_brings_back_just_those(
    settings: Settings,
) -> None:
    moments = iter(NOON + n * DAY for n in range(10))
    store = Store.open(settings, clock=lambda: next(moments))
    store.save_conversation(make_conversation("one"))
    for id_ in ("kept", "deleted-before"):
        store.save_run(make_run(id=id_, conversation_id="conversation-1"))
    store.save_run(make_run(id="elsewhere"))
    store.delete_runs(["deleted-before"], "local")
    assert store.delete_conversation("conversation-1", "local")
    assert store.conversation("conversation-1", "local") is None
    assert ids(store) == {"elsewhere"}
    assert store.restore_conversation("conversation-1", "local")
    assert ids(store) == {"elsewhere", "kept"}
    store.close()


def test_two_processes_writing_into_a_new_store_lose_nothing(
    empty: Settings,
) -> None:
    each = 60 if empty.database_url else 200
    script = (
        "import sys; from app.bench.store import Store; from backends.settings import Settings;"
        "from tests.bench.samples import make_run; from pathlib import Path;"
        "store = Store.open(Settings(data_dir=Path(sys.argv[1])));"
        "assert store.problem is None, store.problem;"
        "[store.save_run(make_run(id=f'{sys.argv[2]}-{n}')) for n in range(int(sys.argv[3]))]"
    )
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(empty.data_dir), name, str(each)],
            cwd=ROOT,
            env=environment_of(empty),
            stderr=subprocess.PIPE,
        )
        for name in ("one", "two")
    ]
    for writer in writers:
        _, stderr = writer.communicate(timeout=120)
        assert writer.returncode == 0, stderr.decode()
    store = Store.open(empty)
    assert store.count(RunFilter(visitor="local")) == 2 * each
    assert store.run(f"two-{each - 1}", "local") == make_run(id=f"two-{each - 1}")
    store.close()


def test_a_process_killed_right_after_a_save_has_recorded_it(settings: Settings) -> None:
    script = (
        "import sys, os, signal; from app.bench.store import Store;"
        "from backends.settings import Settings; from pathlib import Path;"
        "from tests.bench.samples import make_run;"
        "Store.open(Settings(data_dir=Path(sys.argv[1]))).save_run(make_run(id='last'));"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run(
        [sys.executable, "-c", script, str(settings.data_dir)],
        cwd=ROOT,
        env=environment_of(settings),
        check=False,
    )
    store = Store.open(settings)
    assert ids(store) == {"last"}
    store.close()


def test_threads_share_a_store(store: Store) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: store.save_run(make_run(id=f"run{n}")), range(80)))
        counts = list(threads.map(lambda _: store.count(RunFilter(visitor=None)), range(16)))
    assert counts == [80] * 16


def test_lists_do_not_read_samples(store: Store) -> None:
    store.save_run(make_run(id="one", chunks=stamps((30, 1), (40, 1))))
    with store._database.writing() as session:
        session.execute(text("UPDATE run_bodies SET body = 'garbage'"))
    assert ids(store) == {"one"}


def test_any_character_comes_back_as_it_was(store: Store) -> None:
    odd = "a\x00b \ufffe0 \ufffe \U0001f3c1 ' \\ %s"
    run = make_run(prompt=odd, id="odd", answer=odd, setup_label=odd, disturbed=odd)
    store.save_run(run)
    store.save_conversation(make_conversation(odd, title=odd))
    assert store.run("odd", "local") == run
    (summary,) = store.runs(RunFilter(visitor="local", setup=odd))
    assert (summary.label, summary.prompt_start) == (odd, odd)
    found = store.conversation("conversation-1", "local")
    assert found is not None
    assert (found.title, found.turns[0].prompt) == (odd, odd)


def test_moments_come_back_in_utc_whatever_their_zone(store: Store) -> None:
    there = NOON.astimezone(dt.timezone(dt.timedelta(hours=-5, minutes=-30)))
    store.save_run(make_run(id="there", created_at=there))
    (summary,) = store.runs(RunFilter(visitor="local"))
    assert (summary.created_at, summary.created_at.tzinfo) == (NOON, dt.UTC)
    assert ids(store, since=there) == {"there"}
    assert ids(store, until=there) == set()


def test_threads_that_write_the_same_things_lose_nothing(store: Store) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def write(n: int) -> None:
        store.save_run(make_run(id=f"run{n % 8}", warm=bool(n % 3)))
        store.save_conversation(make_conversation("one", id=f"conversation{n % 4}"))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(64)))
    assert len(store.conversations(None)) == 4
    everything = RunFilter(visitor=None)
    assert store.count(everything) == len(store.runs(everything)) == 8


def test_the_store_loads_no_heavy_library() -> None:
    script = (
        "import sys, app.bench.store;"
        "print({'torch', 'transformers', 'streamlit', 'scipy', 'alembic'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr
