"""An experiment on a real Ray: a head and a second node with a worker each, on this machine."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from app.bench.experiments.experiment import Experiment
from app.bench.experiments.on_ray import PASSES_ARE_MADE_HERE, conduct_on_ray
from app.bench.experiments.plan import Plan
from app.bench.experiments.progress import Status
from app.bench.experiments.ray_cluster import prepare_environment
from app.bench.experiments.running import Laboratory, begin, records_of, resume
from app.bench.record import RunRecord
from backends.engine import CancelToken
from backends.errors import DynoError
from backends.settings import ROOT
from tests.bench.experiments.ray_hook import DYING_FILE, NODE
from tests.bench.experiments.test_fanning_out import ASKED, aside, compared, plan_of
from tests.fakes.workshop import Workshop

pytestmark = pytest.mark.ray
# Seconds that Ray gives its own servers to start: where two cores are shared, 30 are not enough.
_SLOW_MACHINE = ("RAY_CLIENT_SERVER_CHECK_CHANNEL_TIMEOUT_S", "RAY_gcs_server_port_wait_time_s")
_PLUGIN = "[llm_dyno.backends]\nfake = tests.bench.experiments.ray_hook:DyingBackend\n"


@dataclass(frozen=True, slots=True)
class TwoNodes:
    """`dying`: see ray_hook. `raylets` are the processes that start workers."""

    address: str
    dying: Path
    raylets: tuple[int, ...]

    def workers(self) -> list[psutil.Process]:
        """Processes of actors."""
        found = []
        for pid in self.raylets:
            for process in psutil.Process(pid).children():
                with contextlib.suppress(psutil.Error):
                    if any("_Worker" in word for word in process.cmdline()):
                        found.append(process)
        return found


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture(scope="module")
def two_nodes(session_folder: Path) -> Iterator[TwoNodes]:
    """Their environment knows the fake backend as a plugin; nothing else of ours is given."""
    folder = session_folder / "plugin"
    (folder / "fake-1.0.dist-info").mkdir(parents=True)
    (folder / "fake-1.0.dist-info" / "METADATA").write_text("Name: fake\nVersion: 1.0\n")
    (folder / "fake-1.0.dist-info" / "entry_points.txt").write_text(_PLUGIN)
    prepare_environment(is_local=True)  # for good: Ray keeps its token, too
    port, dying = free_port(), session_folder / "dying"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(folder), str(ROOT)]))
        patch.setenv(DYING_FILE, str(dying))
        patch.setenv(NODE, "1")
        for name in _SLOW_MACHINE:
            patch.setenv(name, "120")
        cluster_utils = pytest.importorskip("ray.cluster_utils")
        cluster = cluster_utils.Cluster()
        try:
            cluster.add_node(ray_client_server_port=port, include_dashboard=False)
            patch.setenv(NODE, "2")
            second = cluster.add_node()
            nodes = (cluster.head_node, second)
            raylets = tuple(one.all_processes["raylet"][0].process.pid for one in nodes)
            yield TwoNodes(f"ray://127.0.0.1:{port}", dying, raylets)
        finally:
            cluster.shutdown()


def fanned_out(
    two_nodes: TwoNodes,
    workshop: Workshop,
    plan: Plan,
    again: Experiment | None = None,
    at: int | None = None,
    do: Callable[[CancelToken], None] = CancelToken.cancel,
) -> Experiment:
    """Conducted on the cluster; after `at` runs something is done, once."""
    token, done = CancelToken(), []

    def tell(status: Status) -> None:
        if at is not None and status.made >= at and not done:
            done.append(status)
            do(token)

    laboratory = Laboratory(workshop.bench, workshop.store)
    experiment = again or begin(workshop.store, plan, ASKED)
    return conduct_on_ray(laboratory, experiment, ASKED, token, tell, two_nodes.address)


def assert_whole(workshop: Workshop, experiment: Experiment) -> set[str]:
    """Each pair was made by one worker. Returns the workers."""
    pairs = compared(workshop, experiment)
    assert len(pairs) == 3 * 4
    assert all(len(workers) == 1 for workers in pairs.values())
    return set().union(*pairs.values())


def test_two_workers_make_every_run_and_each_pair_on_one_of_them(
    two_nodes: TwoNodes, workshop: Workshop
) -> None:
    plan = plan_of("a", "b")
    ended = fanned_out(two_nodes, workshop, plan)
    assert (ended.state, ended.reason, ended.left_out) == ("finished", "", {})
    host = socket.gethostname()
    assert assert_whole(workshop, ended) == {f"{host} (1)", f"{host} (2)"}
    orders = defaultdict(list)
    records = records_of(workshop.store, ended)
    for run in sorted(records, key=lambda run: run.timeline.queued_ns):
        assert run.experiment
        if run.experiment.round > 0 and run.experiment.attempt == 1:
            orders[run.experiment.worker].append(run.experiment.setup)
    for order in orders.values():
        fours = [order[start : start + 4] for start in range(0, len(order), 4)]
        assert all(four in ([0, 1, 1, 0], [1, 0, 0, 1]) for four in fours)
    assert all(run.environment.hardware for run in records)
    assert two_nodes.workers() == []


def test_the_work_of_a_killed_worker_is_done_by_the_other_and_no_run_is_lost(
    two_nodes: TwoNodes, workshop: Workshop
) -> None:
    before: list[str] = []

    def kill_one(token: CancelToken) -> None:
        (found,) = workshop.store.experiments(None)
        before.extend(run.id for run in records_of(workshop.store, found))
        two_nodes.workers()[0].kill()

    ended = fanned_out(two_nodes, workshop, plan_of("a", "b"), at=3, do=kill_one)
    assert ended.state == "finished"
    assert_whole(workshop, ended)
    assert set(before) <= {run.id for run in records_of(workshop.store, ended)}


def test_what_a_worker_had_half_made_is_made_again_whole(
    two_nodes: TwoNodes, workshop: Workshop
) -> None:
    two_nodes.dying.touch()
    ended = fanned_out(two_nodes, workshop, plan_of("a", "dies", warm_ups=0))
    assert not two_nodes.dying.exists()
    assert (ended.state, ended.left_out) == ("finished", {})
    assert_whole(workshop, ended)
    assert len(aside(workshop, ended)) <= 1


def test_a_stop_ends_all_workers_and_what_is_missing_is_made_later(
    two_nodes: TwoNodes, workshop: Workshop
) -> None:
    plan = plan_of("a", "b")
    stopped = fanned_out(two_nodes, workshop, plan, at=7)
    assert stopped.state == "stopped"
    assert two_nodes.workers() == []
    again = resume(workshop.store, stopped.id, plan, ASKED)
    ended = fanned_out(two_nodes, workshop, plan, again=again)
    assert ended.state == "finished"
    assert_whole(workshop, ended)


def test_a_model_that_one_worker_lacks_is_told_before_anything_is_run(
    two_nodes: TwoNodes, workshop: Workshop
) -> None:
    with pytest.raises(DynoError, match=r"\(\d\) cannot run “one-node”: There is no folder"):
        fanned_out(two_nodes, workshop, plan_of("a", "one-node"))
    (experiment,) = workshop.store.experiments(None)
    assert records_of(workshop.store, experiment) == []


def test_no_token_goes_to_the_workers(
    two_nodes: TwoNodes, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    ended = fanned_out(two_nodes, workshop, plan_of("a", "tells"))
    assert "The token is not here." in ended.left_out["tells"]
    assert "hf_secret" not in "".join(map(str, records_of(workshop.store, ended)))


def test_passes_are_left_to_one_machine(two_nodes: TwoNodes, workshop: Workshop) -> None:
    ended = fanned_out(two_nodes, workshop, plan_of("a", "b", energy=True))
    assert (ended.state, ended.reason) == ("stopped", PASSES_ARE_MADE_HERE)
    assert_whole(workshop, ended)


def test_where_no_cluster_answers_it_says_how_to_start_one(workshop: Workshop) -> None:
    nowhere = TwoNodes(f"ray://127.0.0.1:{free_port()}", Path(), ())
    with pytest.raises(DynoError, match="No Ray cluster answers"):
        fanned_out(nowhere, workshop, plan_of("a"))


def test_records_of_a_worker_are_records(two_nodes: TwoNodes, workshop: Workshop) -> None:
    ended = fanned_out(two_nodes, workshop, plan_of("a", repeats=1))
    for run in records_of(workshop.store, ended):
        assert RunRecord.model_validate_json(run.model_dump_json()) == run
        assert run.visitor == "local"
        assert run.timeline.released_ns is not None


# A Ray of one's own

PLAN = """
name = "Two engines"
workload = "two.txt"
repeats = 1
output_tokens = 4
warm_ups = 0
[[setups]]
model = "{model}"
threads = 1
[[setups]]
model = "{model}"
threads = 1
kv_cache = "off"
"""


def processes_of(folder: Path) -> list[psutil.Process]:
    """Living processes that were told of this folder when they were started."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            told = [*process.cmdline(), *process.environ().values()]
            if any(str(folder) in one for one in told):
                found.append(process)
    return found


def listening(processes: list[psutil.Process]) -> dict[str, set[str]]:
    """Addresses that processes answer on, with the processes' names."""
    found = defaultdict(set)
    for process in processes:
        with contextlib.suppress(psutil.Error):
            for one in process.net_connections("inet"):
                if one.status == psutil.CONN_LISTEN:
                    found[one.laddr.ip].add(process.name())
    return found


@pytest.mark.slow
def test_the_bundled_model_on_a_ray_of_its_own_which_answers_on_the_loopback_alone(
    tmp_path: Path, session_folder: Path, bundled_model: Path
) -> None:
    (tmp_path / "two.txt").write_text("What is 1 + 1?\nWhat is 2 + 2?\n")
    plan = tmp_path / "plan.toml"
    plan.write_text(PLAN.format(model=bundled_model))
    scratch = session_folder / secrets.token_hex(2)  # paths of sockets must be short
    scratch.mkdir()
    ours = {"TMPDIR": str(scratch), "HOME": str(tmp_path)}
    env = {name: one for name, one in os.environ.items() if not name.startswith("RAY_")} | ours
    command = [sys.executable, "-m", "app.bench", "run", str(plan), "--json"]
    process = subprocess.Popen(
        [*command, "--on", "ray", "--workers", "2"],
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    answering: dict[str, set[str]] = {}
    try:
        while process.poll() is None:
            for address, names in listening(processes_of(scratch)).items():
                answering.setdefault(address, set()).update(names)
            time.sleep(1)
        told = process.stdout.read() if process.stdout else ""
        assert process.returncode == 0, told
        assert processes_of(scratch) == []
    finally:
        for one in processes_of(scratch):
            one.kill()
    assert json.loads(told.splitlines()[-1])["experiment"]["state"] == "finished"
    assert f"Runs made on: {socket.gethostname()} (1)" in told
    assert set(answering) <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}, answering
    assert any("raylet" in names for names in answering.values())
    assert list(scratch.glob("ray-*")) == []
    assert not (tmp_path / ".ray").exists()
