import os
import signal
from pathlib import Path

import pytest

from sandbox.instance import Sandbox
from sandbox.parts import Part, choose_parts
from sandbox.supervisor import PartFailed
from sandbox.testing import eventually


def is_running(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_only_the_named_parts_run(tmp_path: Path) -> None:
    with Sandbox(tmp_path, parts=("valkey",)) as sandbox:
        assert sandbox.supervisor.running() == ["valkey"]


def test_a_part_can_be_required_later_and_twice(tmp_path: Path) -> None:
    with Sandbox(tmp_path, parts=("valkey",)) as sandbox:
        first = sandbox.supervisor.pid("valkey")
        sandbox.require("nginx", "valkey")
        assert sandbox.supervisor.running() == ["valkey", "nginx"]
        assert sandbox.supervisor.pid("valkey") == first


def test_one_part_can_be_stopped_and_started_again(tmp_path: Path) -> None:
    with Sandbox(tmp_path, parts=("valkey", "nginx")) as sandbox:
        first = sandbox.supervisor.pid("valkey")
        sandbox.supervisor.end("valkey")
        assert not is_running(first)
        assert sandbox.supervisor.running() == ["nginx"]
        sandbox.require("valkey")
        assert is_running(sandbox.supervisor.pid("valkey"))


def test_a_part_that_ended_is_named(tmp_path: Path) -> None:
    with Sandbox(tmp_path, parts=("valkey", "nginx")) as sandbox:
        os.kill(sandbox.supervisor.pid("valkey"), signal.SIGKILL)
        with pytest.raises(PartFailed, match="valkey ended with exit code -9"):
            eventually(sandbox.supervisor.refuse_dead)


def test_a_part_that_cannot_start_is_reported_with_the_end_of_its_log(tmp_path: Path) -> None:
    with Sandbox(tmp_path, parts=()) as sandbox, pytest.raises(PartFailed, match=r"No module named sandbox\.nowhere"):
        sandbox.supervisor.start([Part("broken", "sandbox.nowhere")])


def test_no_process_runs_after_the_end(tmp_path: Path) -> None:
    with Sandbox(tmp_path, parts=("valkey", "nginx", "postgres")) as sandbox:
        pids = [sandbox.supervisor.pid(name) for name in sandbox.supervisor.running()]
        assert all(is_running(pid) for pid in pids)
    assert not any(is_running(pid) for pid in pids)


def test_a_second_sandbox_runs_beside_the_first(tmp_path: Path) -> None:
    parts = ("valkey", "nginx")
    with Sandbox(tmp_path / "first", parts=parts) as first, Sandbox(tmp_path / "second", parts=parts) as second:
        first.supervisor.refuse_dead()
        second.supervisor.refuse_dead()
        assert first.addresses.pod_network != second.addresses.pod_network


def test_a_folder_with_another_sandbox_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "addresses.json").write_text("{}")
    with pytest.raises(SystemExit, match=r"is not empty\. Nothing was started"):
        Sandbox(tmp_path, parts=())


def test_an_unknown_part_is_rejected_with_the_list_of_parts() -> None:
    with pytest.raises(ValueError, match=r"There is no part redis\. The parts are aws, kafka"):
        choose_parts(["redis"])
