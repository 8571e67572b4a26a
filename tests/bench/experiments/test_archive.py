"""An experiment goes to another machine as a file and is the same there; what is no such file is
refused whole."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.bench.experiments.archive import AlreadyHere, export_json, import_json
from app.bench.experiments.archive_file import ArchiveInvalid
from app.bench.experiments.experiment import Experiment
from app.bench.experiments.json_stream import NotJson, members
from app.bench.experiments.plan import Plan, PlannedSetup
from app.bench.experiments.running import CannotResume, resume
from app.bench.experiments.samples import SetupFigure
from app.bench.experiments.shelf import WorkloadShelf
from app.bench.experiments.statistics import conclude
from app.bench.experiments.workloads import Workload
from app.bench.record import ExperimentPlace, RunRecord
from app.bench.store import RunFilter, Store
from backends.errors import NotRecorded
from backends.request import Message
from backends.settings import Settings
from backends.setup import Setup
from tests.bench.samples import NOON, make_run

ASKED = Workload("/home/ann/prompts.txt", ((Message(role="user", content="Why \x00 “so”?"),),))
SETUPS = (PlannedSetup(setup=Setup()), PlannedSetup(setup=Setup(kv_cache="off")))
FIGURE = SetupFigure("perplexity", "Perplexity", "ratio", "lower", 3.5, 3.1, 4.0, 40)


@dataclass(slots=True)
class Machine:
    """A store and what lies beside it."""

    store: Store
    shelf: WorkloadShelf

    def file(self, experiment: Experiment) -> io.BytesIO:
        return io.BytesIO("".join(export_json(self.store, experiment, self.shelf)).encode())

    def take(self, file: io.BytesIO, visitor: str = "bob") -> Experiment:
        return import_json(self.store, file, visitor, self.shelf)

    def records(self, experiment: Experiment) -> dict[str, RunRecord]:
        return {record.id: record for record in self.store.each_record(experiment.id)}


def machine(folder: Path) -> Machine:
    settings = Settings(data_dir=folder)
    return Machine(Store.open(settings), WorkloadShelf(settings))


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Machine]:
    made = machine(tmp_path / "here")
    yield made
    made.store.close()


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Machine]:
    made = machine(tmp_path / "there")
    yield made
    made.store.close()


def made_on(place: Machine, **changes: Any) -> Experiment:
    """An experiment of ann's with runs, kept."""
    plan = Plan(name="Cache", setups=SETUPS, workload=ASKED.name, quality=True)
    fields = {"created_at": NOON, "updated_at": NOON, "plan": plan, "state": "finished"}
    experiment = Experiment(
        id="abc", visitor="ann", workload_digest=ASKED.digest, **(fields | changes)
    )
    place.shelf.keep(ASKED)
    place.store.save_experiment(experiment)
    place.store.save_runs([run(f"r{n}", n % 2, n // 2) for n in range(8)])
    place.store.save_pass("abc", "quality", {1: [FIGURE]})
    return experiment


def run(id_: str, setup: int, round_: int, **changes: Any) -> RunRecord:
    where = ExperimentPlace(id="abc", round=round_, conversation=0, turn=0, setup=setup)
    fields = {"setup": SETUPS[setup].setup, "visitor": "ann", "answer": "Odd \x00 answer"}
    return make_run(id=id_, experiment=where, **(fields | changes))


def test_it_is_the_same_on_the_other_machine(here: Machine, there: Machine) -> None:
    made = made_on(here)
    taken = there.take(here.file(made))
    assert (taken.id, taken.visitor, taken.state) == ("abc", "bob", "finished")
    assert taken.imported_from == "test CPU, 2 cores"
    assert there.store.experiment("abc", "bob") == taken
    assert there.records(taken) == {
        id_: record.model_copy(update={"visitor": "bob"})
        for id_, record in here.records(made).items()
    }
    assert there.store.passes("abc") == here.store.passes("abc")
    assert there.shelf.find(ASKED.digest, "again") is not None
    ids = [one.setup.id for one in SETUPS]
    conclusions = [conclude("ab", ids, one.store.samples("abc")) for one in (here, there)]
    assert conclusions[0] == conclusions[1]


def test_the_file_is_json_without_visitors_and_places_of_files(here: Machine) -> None:
    text = here.file(made_on(here)).getvalue().decode()
    parsed = json.loads(text)
    assert (parsed["format"], parsed["version"]) == ("llm-dyno-experiment", 1)
    assert len(parsed["runs"]) == 8
    assert parsed["workload"]["name"] == "prompts.txt"
    assert "ann" not in text
    assert "visitor" not in text


def test_it_may_be_written_anew_by_another_program(here: Machine, there: Machine) -> None:
    parsed = json.loads(here.file(made_on(here)).getvalue())
    rewritten = io.BytesIO(json.dumps(parsed, sort_keys=True, indent=2).encode("utf-8-sig"))
    assert len(there.records(there.take(rewritten))) == 8


def test_the_same_again_is_said_and_changes_nothing(here: Machine, there: Machine) -> None:
    made = made_on(here)
    with pytest.raises(AlreadyHere, match="same runs"):
        here.take(here.file(made), "ann")
    there.take(here.file(made))
    with pytest.raises(AlreadyHere) as caught:
        there.take(here.file(made))
    assert caught.value.experiment.id == "abc"
    assert there.store.experiment_summaries(None)[0].finished == 6
    assert len(there.store.experiments(None)) == 1


@pytest.mark.parametrize("whose", ["bob", "ann"])
def test_another_content_or_owner_gets_new_ids_and_overwrites_nothing(
    here: Machine, there: Machine, whose: str
) -> None:
    made = made_on(here)
    first = there.take(here.file(made), whose)
    here.store.save_run(run("r8", 0, 4))
    second = there.take(here.file(made), "bob")
    assert second.id != first.id
    assert "experiment abc there" in second.imported_from
    assert (len(there.records(first)), len(there.records(second))) == (8, 9)
    assert there.records(first).keys().isdisjoint(there.records(second))
    assert there.store.experiment("abc", whose) == first


def test_a_deleted_one_stays_restorable(here: Machine, there: Machine) -> None:
    made = made_on(here)
    first = there.take(here.file(made))
    there.store.delete_experiment(first.id, "bob")
    assert there.take(here.file(made)).id != first.id
    assert there.store.restore_experiment(first.id, "bob")


def test_an_unfinished_one_is_stopped_and_is_not_gone_on_with(
    here: Machine, there: Machine
) -> None:
    taken = there.take(here.file(made_on(here, state="begun")))
    assert (taken.state, taken.reason) == ("stopped", "It was exported before it had ended.")
    with pytest.raises(CannotResume, match="another machine"):
        resume(there.store, "abc", taken.plan, ASKED)


def test_what_breaks_off_leaves_nothing(
    here: Machine, there: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = here.file(made_on(here))

    def full(*_: Any) -> None:
        raise NotRecorded("Not recorded: full.", "")

    monkeypatch.setattr(there.store, "save_pass", full)
    with pytest.raises(NotRecorded):
        there.take(file)
    assert there.store.experiments(None) == []
    assert there.store.count(RunFilter(visitor=None)) == 0
    monkeypatch.undo()
    file.seek(0)
    assert there.take(file).id == "abc"


def test_files_that_are_none_are_refused_with_the_reason(here: Machine, there: Machine) -> None:
    good = here.file(made_on(here)).getvalue()
    parsed = json.loads(good)

    def changed(**changes: Any) -> bytes:
        return json.dumps({**parsed, **changes}).encode()

    runs = parsed["runs"]
    bad = {
        b"": "breaks off",
        b"[1]": "missing",
        good[: len(good) // 2]: "no whole JSON",
        good + b"x": "after the object",
        good.replace(b"Odd", b"\xff\xfe"): "no UTF-8",
        good.replace(b'"warm":true', b'"warm":NaN', 1): "NaN",
        b'{"a":' + b"[" * 200_000: "no whole JSON",
        b'{"format": "llm-dyno-runs", "runs": [{}]}': "no exported experiment",
        changed(version=2): "version 2",
        changed(experiment={}): "required",
        changed(experiment={**parsed["experiment"], "id": "../x"}): "id",
        changed(workload={**parsed["workload"], "conversations": [], "answers": []}): "prompts",
        changed(passes=[{"name": "quality"}]): "figures",
        changed(runs=[1]): "no object",
        changed(runs=[{**runs[0], "unknown": 1}]): "unknown",
        changed(runs=[{**runs[0], "id": "a b"}]): "no id",
        changed(runs=[{**runs[0], "experiment": None}]): "no experiment",
        changed(runs=[runs[0], runs[0]]): "same id",
        changed(runs=[{**runs[0], "experiment": {**runs[0]["experiment"], "setup": 9}}]): "planned",
        changed(runs=[{**runs[0], "experiment": {**runs[0]["experiment"], "id": "z"}}]): "another",
    }
    for content, said in bad.items():
        with pytest.raises(ArchiveInvalid) as caught:
            there.take(io.BytesIO(content))
        assert said in caught.value.message, said
        assert caught.value.remedy
    assert there.store.experiments(None) == []
    with pytest.raises(ArchiveInvalid, match="more than"):
        import_json(there.store, io.BytesIO(good), "bob", there.shelf, max_bytes=1_000)


def test_values_are_read_whole_wherever_the_parts_of_the_file_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = '{ "a": 1234567, "runs": [ {"x": "[{é"}, 12 , [] ], "b": {"c": [null, "}"]} } '
    expected = [("a", 1234567), ("runs", {"x": "[{é"}), ("runs", 12), ("runs", [])]
    expected.append(("b", {"c": [None, "}"]}))
    for size in range(1, 12):
        monkeypatch.setattr("app.bench.experiments.json_stream._CHARS_AT_ONCE", size)
        assert list(members(io.BytesIO(text.encode()), "runs", 1_000)) == expected
        with pytest.raises(NotJson):
            list(members(io.BytesIO(text[:-4].encode()), "runs", 1_000))


def test_a_file_opens_no_text_of_the_machine_that_takes_it(
    here: Machine, there: Machine, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("sesame")
    forged = json.loads(here.file(made_on(here)).getvalue())
    forged["experiment"]["plan"]["quality_text"] = str(secret)
    taken = there.take(io.BytesIO(json.dumps(forged).encode()))
    assert b"sesame" not in there.file(taken).getvalue()


def test_a_file_names_no_prompts_of_the_machine_that_takes_it(
    here: Machine, there: Machine
) -> None:
    forged = json.loads(here.file(made_on(here)).getvalue())
    forged["experiment"]["plan"]["workload"] = "/etc/secrets.txt"
    forged["workload"] = None
    assert there.take(io.BytesIO(json.dumps(forged).encode())).plan.workload == "secrets.txt"
