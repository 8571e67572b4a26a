"""The Compare page over the fake backend: a first visit, the form, progress, the list."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app.bench.conversation import Column, Comparison
from app.bench.experiments.disturbance import OtherLoad
from app.bench.experiments.experiment import Experiment
from app.bench.experiments.plan import Plan, PlannedSetup
from app.bench.experiments.progress import Status
from app.bench.experiments.workloads import pasted
from app.ui.compare import drafting
from app.ui.compare.draft import Draft, draft_of
from app.ui.compare.experiment_list import PAGE_SIZE
from app.ui.compare.exports import EXPORTS
from app.ui.compare.progress_view import told
from app.ui.compare.recommend_panel import Asked
from app.ui.server import OWNER, Server, close_server
from backends.capabilities import Availability
from backends.local.backend import LocalBackend
from backends.settings import ROOT, get_settings
from backends.setup import Setup
from tests.fakes import FakeBackend, Script
from tests.fakes.backend import DEVICE
from tests.fakes.workshop import setup_of, wait_until

OpenCompare = Callable[..., AppTest]
ASKED: Asked = ("smallest", {})
OWN = pasted("What is prefill?\nWhat is decode?")


def plan_of(*models: str, **fields: object) -> Plan:
    setups = tuple(PlannedSetup(label=model, setup=setup_of(model)) for model in models)
    small = {"name": "Two fakes", "workload": OWN.name, "setups": setups, "repeats": 3}
    return Plan.model_validate(small | {"output_tokens": 4} | fields)


@pytest.fixture
def open_compare(server: Server, fake: FakeBackend, monkeypatch: pytest.MonkeyPatch) -> OpenCompare:
    """`open_compare(**query)` runs the entry and goes to the Compare page with this address."""
    monkeypatch.setattr(
        OtherLoad, "look", lambda self, record: ""
    )  # whatever else this machine does

    def open_(**query: str) -> AppTest:
        page = AppTest.from_file(str(ROOT / "app/ui/main.py"), default_timeout=30)
        page.switch_page("../../pages/compare.py")
        for name, value in query.items():
            page.query_params[name] = value
        page.run()
        assert not page.exception
        return page

    return open_


@pytest.fixture
def gate(fake: FakeBackend) -> threading.Event:
    """Runs of the model "slow" wait here."""
    opened = threading.Event()
    fake.scripts["slow"] = Script(gate=opened)
    return opened


def begun(server: Server, *models: str, **fields: object) -> Experiment:
    return server.experiments.start(plan_of(*models, **fields), OWN, OWNER)


def ended(server: Server, id_: str) -> Experiment:
    wait_until(lambda: server.experiments.status(id_) is None)
    found = server.experiments.last(id_, OWNER)
    assert found is not None
    return found


def texts(page: AppTest) -> str:
    kinds = [page.title, page.markdown, page.caption, page.warning, page.error]
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def click(page: AppTest, key: str) -> AppTest:
    page.button(key=key).click().run()
    assert not page.exception
    return page


def keys(page: AppTest) -> set[str]:
    return {str(one.key) for one in page.button}


def in_address(page: AppTest, name: str) -> str:
    """A value of the page's address; a test's own is text, one set by the page a list."""
    value = page.query_params.get(name, "")
    return value if isinstance(value, str) else value[0]


def draft_in(page: AppTest) -> Draft:
    found = drafting._drafts().find(in_address(page, "new"))
    assert found is not None
    return found


# A first visit


def test_a_first_visit_offers_an_example(open_compare: OpenCompare) -> None:
    page = open_compare()
    assert {"example-start", "experiment-new"} <= keys(page)
    assert "an experiment proves it" in texts(page)
    assert "× 8 prompts × 2 rounds = " in texts(page)


def test_what_does_not_work_here_is_left_out_of_the_example(
    open_compare: OpenCompare, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = LocalBackend.check

    def without_int8(self: LocalBackend, setup: Setup) -> Availability:
        missing = Availability(False, "bitsandbytes is not installed.", "Install it.")
        return missing if setup.weights == "int8" else check(self, setup)

    monkeypatch.setattr(LocalBackend, "check", without_int8)
    written = texts(open_compare())
    assert "INT8: bitsandbytes is not installed. Install it." in written
    assert "INT8 ·" not in written
    assert "5 setups × 8 prompts" in written


# The form


def test_the_form_starts_an_experiment_and_shows_it(
    open_compare: OpenCompare, server: Server
) -> None:
    columns = (Column(setup=setup_of("a"), label="A"), Column(setup=setup_of("b")))
    page = open_compare(s=Comparison(columns=columns).to_permalink())
    assert [one.label for one in draft_in(page).entries] == ["A", ""]
    key = draft_in(page).key
    page.number_input(key=f"plan-repeats-{key}").set_value(2).run()
    page.number_input(key=f"plan-output_tokens-{key}").set_value(4).run()
    assert "2 setups × 8 prompts × 2 rounds = 32 runs" in texts(page)
    click(page, "plan-start")
    (made,) = server.store.experiments(OWNER)
    assert in_address(page, "experiment") == made.id
    assert (made.plan.repeats, made.plan.output_tokens) == (2, 4)
    assert made.plan.labels[0] == "A"
    assert ended(server, made.id).state == "finished"


@pytest.mark.usefixtures("server")
def test_setups_are_added_moved_and_removed(open_compare: OpenCompare) -> None:
    page = open_compare(new="1")
    first, second = (one.key for one in draft_in(page).entries)
    click(page, "plan-add")
    assert len(draft_in(page).entries) == 3
    click(page, f"icon-arrow_upward-{second}")
    assert draft_in(page).entries[0].key == second
    click(page, f"icon-content_copy-{second}")
    assert draft_in(page).entries[1].setup == draft_in(page).entries[0].setup
    click(page, f"icon-delete-{first}")
    assert first not in [one.key for one in draft_in(page).entries]


def test_pasted_prompts_are_counted_and_bad_files_say_what_to_do(
    open_compare: OpenCompare,
) -> None:
    page = open_compare(new="1")
    key = draft_in(page).key
    page.button_group(key=f"plan-source-{key}").set_value("pasted").run()
    assert page.button(key="plan-start").disabled
    page.text_area(key=f"plan-pasted-{key}").set_value("One?\nTwo?\n").run()
    assert "2 setups × 2 prompts × 8 rounds = 32 runs" in texts(page)
    assert not page.button(key="plan-start").disabled
    page.button_group(key=f"plan-source-{key}").set_value("file").run()
    page.file_uploader(key=f"plan-upload-{key}").set_value(
        ("bad.csv", b"question\nOne?\n", "text/csv")
    ).run()
    assert "no column “prompt”" in texts(page)
    assert page.button(key="plan-start").disabled


def test_a_refresh_and_a_look_elsewhere_lose_nothing(open_compare: OpenCompare) -> None:
    page = open_compare(new="1")
    click(page, "plan-add")
    draft = draft_in(page)
    assert draft_in(open_compare(new=draft.key)) == draft  # another session: a refresh
    click(page, "plan-back")
    click(page, "experiment-new")
    assert draft_in(page) == draft


def test_a_grid_of_lengths_is_planned(open_compare: OpenCompare, server: Server) -> None:
    page = open_compare(new="1")
    key = draft_in(page).key
    page.button_group(key=f"plan-source-{key}").set_value("lengths").run()
    assert "2 setups × 6 prompts × 8 rounds = 96 runs" in texts(page)
    page.multiselect(key=f"plan-prompt_tokens_grid-{key}").set_value(["64", "100", "ten"]).run()
    assert "“ten” is no number of tokens" in texts(page)
    assert "2 setups × 4 prompts × 8 rounds = 64 runs" in texts(page)
    page.number_input(key=f"plan-narrow-{key}").set_value(2.5).run()
    plan = replace(draft_in(page), name="grid").plan()
    assert (plan.workload, plan.prompt_tokens_grid) == ("lengths", (64, 100))
    assert plan.stop_within_percent == 2.5
    assert draft_of(plan).plan() == plan


def test_what_it_will_take_is_told_from_earlier_runs(
    open_compare: OpenCompare, server: Server
) -> None:
    columns = (Column(setup=setup_of("a")), Column(setup=setup_of("b")))
    link = Comparison(columns=columns).to_permalink()
    assert "no undisturbed run of" in texts(open_compare(s=link))
    ended(server, begun(server, "a", "b").id)
    st.cache_resource.clear()
    said = texts(open_compare(s=link))
    assert re.search(r"= 128 runs, about \d+ (s|min)\*\*", said)
    assert "The cost is not known: no price is set for" in said


def test_passes_say_what_they_cannot_measure(open_compare: OpenCompare, server: Server) -> None:
    columns = (Column(setup=setup_of("a")), Column(setup=setup_of("b")))
    page = open_compare(s=Comparison(columns=columns).to_permalink())
    key = draft_in(page).key
    page.toggle(key=f"plan-energy-{key}").set_value(True).run()
    assert f"no energy counter is known for {DEVICE}" in texts(page)
    page.toggle(key=f"plan-quality-{key}").set_value(True).run()
    second = draft_in(page).entries[1].key
    page.selectbox(key=f"plan-quality-reference-{key}").set_value(second).run()
    assert not page.exception
    plan = replace(draft_in(page), name="named").plan()
    assert (plan.energy, plan.quality, plan.quality_reference) == (True, True, plan.labels[1])
    text = page.file_uploader(key=f"plan-quality-text-{key}")
    text.set_value(("mine.txt", b"\xff\xfe", "text/plain")).run()
    assert "mine.txt is not UTF-8" in texts(page)
    text = page.file_uploader(key=f"plan-quality-text-{key}")
    text.set_value(("mine.txt", b"A text to score. " * 20, "text/plain")).run()
    kept = Path(str(draft_in(page).value("quality_text")))
    assert kept.parent == server.settings.data_dir / "workloads"
    assert kept.read_text().startswith("A text to score.")


@pytest.mark.usefixtures("fake")
def test_a_public_server_tells_its_limits(
    open_compare: OpenCompare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DYNO_PUBLIC", "1")
    close_server()
    get_settings.cache_clear()
    page = open_compare(new="1")
    assert "at most 500 runs and 30 minutes" in texts(page)
    key = draft_in(page).key
    page.toggle(key=f"plan-quality-{key}").set_value(True).run()
    assert not page.exception
    assert not page.file_uploader(key=f"plan-load-{key}").disabled
    assert not [one for one in page.get("file_uploader") if "quality-text" in str(one)]


# While it runs


def test_a_running_experiment_is_found_again_paused_and_resumed(
    open_compare: OpenCompare, server: Server, gate: threading.Event
) -> None:
    id_ = begun(server, "slow", "b").id
    for page in (open_compare(experiment=id_), open_compare(experiment=id_)):
        assert {"experiment-pause", "experiment-cancel"} <= keys(page)
        assert "of 12 runs" in str(page.get("progress")[0].proto)
    click(page, "experiment-pause")
    assert ended(server, id_).state == "paused"
    gate.set()
    page.run()
    assert "It is paused." in texts(page)
    click(page, "experiment-resume")
    assert ended(server, id_).state == "finished"
    page.run()
    assert "experiment-resume" not in keys(page)


def test_cancelling_asks_while_much_is_left(
    open_compare: OpenCompare, server: Server, gate: threading.Event
) -> None:
    id_ = begun(server, "slow", "b").id
    page = click(open_compare(experiment=id_), "experiment-cancel")
    assert {"experiment-end", "experiment-keep"} <= keys(page)
    click(page, "experiment-keep")
    assert server.experiments.status(id_) is not None
    click(click(page, "experiment-cancel"), "experiment-end")
    gate.set()
    assert ended(server, id_).state == "stopped"
    page.run()
    assert "experiment-resume" in keys(page)


def test_the_list_tells_which_one_runs_and_which_waits(
    open_compare: OpenCompare, server: Server, gate: threading.Event
) -> None:
    def waits(id_: str) -> bool:
        status = server.experiments.status(id_)
        return status is not None and status.is_waiting

    first = begun(server, "slow", "b").id
    second = begun(server, "a", "b", name="After it").id
    wait_until(lambda: waits(second))
    said = texts(open_compare())
    assert " of 12 runs made" in said
    assert "waiting for another experiment: Two fakes" in said
    gate.set()
    assert {ended(server, id_).state for id_ in (first, second)} == {"finished"}


def test_progress_tells_what_is_known_and_nothing_else() -> None:
    begun = Status(planned=576, made=0, doing="bf16, round 1", seconds=0)
    assert told(begun).startswith("0 of 576 runs · time left is told after")
    later = Status(planned=576, made=312, doing="", seconds=60, seconds_left=370, disturbed=3)
    assert told(later) == "312 of 576 runs · about 6 min left · 3 disturbed runs made again"


# The list, and one that has ended


def test_the_list_opens_experiments_and_one_opens_its_plan_again(
    open_compare: OpenCompare, server: Server
) -> None:
    id_ = begun(server, "a", "b").id
    ended(server, id_)
    page = open_compare()
    assert "finished · 2 setups · pasted prompts · 12 runs" in texts(page)
    click(page, f"open-experiment-{id_}")
    assert in_address(page, "experiment") == id_
    page.menu_button(key=f"experiment-menu-{id_}").click("Edit a copy").run()
    draft = draft_in(page)
    assert draft.plan().setups == plan_of("a", "b").setups
    assert draft.own is not None
    assert draft.own.conversations == OWN.conversations


def test_experiments_are_renamed_and_deleted_with_undo(
    open_compare: OpenCompare, server: Server
) -> None:
    id_ = begun(server, "a", "b").id
    ended(server, id_)
    page = open_compare(experiment=id_)

    def choose(action: str) -> None:
        page.menu_button(key=f"experiment-menu-{id_}").click(action).run()
        assert not page.exception

    choose("Rename")
    page.text_input(key=f"experiment-name-{id_}").set_value("My two").run()
    assert "My two" in texts(page)
    choose("Delete")
    assert "Deleted “My two” and its runs." in texts(page)
    assert "example-start" in keys(page)
    click(page, "undo-delete")
    assert f"open-experiment-{id_}" in keys(page)
    choose("Run again")
    assert in_address(page, "experiment") not in ("", id_)
    assert ended(server, in_address(page, "experiment")).plan.setups == plan_of("a", "b").setups


def test_hundreds_of_experiments_come_in_pages(open_compare: OpenCompare, server: Server) -> None:
    first = begun(server, "a")
    for number in range(PAGE_SIZE):
        server.store.save_experiment(first.model_copy(update={"id": f"{number:012x}"}))
    page = open_compare()
    opened = [key for key in keys(page) if key.startswith("open-experiment-")]
    assert len(opened) == PAGE_SIZE
    page.session_state["compare_list_page"] = 2
    page.run()
    assert len([key for key in keys(page) if key.startswith("open-experiment-")]) == 1


def test_an_experiment_that_is_not_there_says_so(open_compare: OpenCompare) -> None:
    page = open_compare(experiment="nope")
    assert "no such experiment" in texts(page)
    assert "back-to-list" in keys(page)


def test_the_chat_s_columns_come_over(server: Server, fake: FakeBackend) -> None:
    columns = (Column(setup=setup_of("a")), Column(setup=setup_of("a", kv_cache="off")))
    page = AppTest.from_file(str(ROOT / "app/ui/main.py"), default_timeout=30)
    page.query_params["s"] = Comparison(columns=columns).to_permalink()
    page.run()
    click(page, "to-experiment")
    assert [one.setup for one in draft_in(page).entries] == [one.setup for one in columns]
    assert "New experiment" in texts(page)
    assert isinstance(draft_in(page).entries[0].setup, Setup)


def test_exports_are_offered_when_they_are_asked_for(
    open_compare: OpenCompare, server: Server
) -> None:
    id_ = begun(server, "a", "b").id
    experiment = ended(server, id_)
    page = open_compare(experiment=id_)
    assert not [one for one in page.download_button if str(one.key).startswith("export-")]
    page.session_state["exports"] = True
    page.run()
    offered = {str(one.key).removeprefix("export-") for one in page.download_button}
    assert offered >= {one.ending for one in EXPORTS}
    made = {one.ending: one.make(experiment, server.store, ASKED) for one in EXPORTS}
    assert "Two fakes" in str(made["html"])
    assert "Which setup to use, if it is to be the smallest" in str(made["html"])
    lines = str(made["csv"]).splitlines()
    assert len(lines) == 1 + 12 + 2  # head, runs, warm-ups
    assert {"round", "attempt", "disturbed"} <= set(lines[0].split(","))
    assert bytes(made["parquet"])[:4] == b"PAR1"  # type: ignore[arg-type]


def test_an_experiment_comes_back_from_its_file(open_compare: OpenCompare, server: Server) -> None:
    experiment = ended(server, begun(server, "a", "b").id)
    (whole,) = [one for one in EXPORTS if one.ending == "json"]
    file = str(whole.make(experiment, server.store, None)).encode()
    page = open_compare()

    def import_(data: bytes) -> None:
        upload = page.file_uploader(key="experiment-import")
        upload.set_value(("experiment.json", data, "application/json")).run()
        assert not page.exception

    import_(b"{}")
    assert page.error
    assert in_address(page, "experiment") == ""
    import_(file)
    assert in_address(page, "experiment") == experiment.id
    assert "is here already" in texts(page)
    click(page, "back-to-list")
    import_(file.replace(experiment.id.encode(), b"0" * 12))
    assert in_address(page, "experiment") not in ("", experiment.id)
    assert "made on " in texts(page)
    assert "12 runs" in texts(click(page, "back-to-list"))
    assert f"open-experiment-{experiment.id}" in keys(page)
