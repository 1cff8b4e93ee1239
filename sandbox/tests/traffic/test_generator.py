"""Users, load balancer and CloudWatch have to agree on what happened."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sandbox.instance import Sandbox
from sandbox.settings import SandboxSettings
from sandbox.testing import eventually
from sandbox.tests.load_balancer.backend import Backend
from sandbox.tests.load_balancer.site import forward, make_group, make_listener, make_load_balancer, requests_published

PROBES = 1


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """A sandbox of its own, for its traffic would be in every other test's counts."""
    settings = SandboxSettings(metric_period_seconds=1, requests_per_second=100)
    with Sandbox(tmp_path, parts=("aws", "load_balancer", "traffic"), settings=settings) as instance:
        yield instance


def totals(sandbox: Sandbox) -> dict[str, Any]:
    return json.loads((sandbox.state / "traffic.json").read_text())


def end_traffic(sandbox: Sandbox) -> dict[str, Any]:
    """The totals of a generator that was asked to end and has written them for the last time."""
    os.kill(sandbox.supervisor.pid("traffic"), signal.SIGTERM)
    eventually(lambda: totals(sandbox)["sent"] == totals(sandbox)["finished"])
    eventually(lambda: not is_running(sandbox.supervisor.pid("traffic")))
    return totals(sandbox)


def is_running(pid: int) -> bool:
    return "(zombie)" not in Path(f"/proc/{pid}/status").read_text()


def test_nothing_is_counted_before_the_site_is_there(sandbox: Sandbox) -> None:
    eventually((sandbox.state / "traffic.json").exists)
    assert totals(sandbox)["sent"] == 0


def test_what_users_counted_is_what_the_load_balancer_published(sandbox: Sandbox) -> None:
    balancer = make_load_balancer(sandbox, "traffic")
    with closing(Backend(f"{sandbox.addresses.pod_network}.220.1", "only")) as backend:
        group = make_group(sandbox, backend)
        make_listener(sandbox, balancer, forward({group: 1}))
        eventually(lambda: totals(sandbox)["finished"] >= 200)
        told = end_traffic(sandbox)
        assert told["by_pod"] == {"only": {"200": told["sent"]}}
        eventually(lambda: requests_published(sandbox, balancer, group) == told["sent"] + PROBES)
