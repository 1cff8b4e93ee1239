"""The users, the load balancer and CloudWatch count the same requests."""

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
from sandbox.tests.load_balancer.site import (
    create_group,
    create_listener,
    create_load_balancer,
    forward,
    requests_published,
)

PROBES = 1


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """A separate sandbox, because its traffic would change the counts of other tests."""
    settings = SandboxSettings(metric_period_seconds=1, requests_per_second=100)
    with Sandbox(tmp_path, parts=("aws", "load_balancer", "traffic"), settings=settings) as instance:
        yield instance


def totals(sandbox: Sandbox) -> dict[str, Any]:
    return json.loads((sandbox.state / "traffic.json").read_text())


def end_traffic(sandbox: Sandbox) -> dict[str, Any]:
    """Stop the generator and return its last totals."""
    os.kill(sandbox.supervisor.pid("traffic"), signal.SIGTERM)
    eventually(lambda: totals(sandbox)["sent"] == totals(sandbox)["finished"])
    eventually(lambda: not is_running(sandbox.supervisor.pid("traffic")))
    return totals(sandbox)


def is_running(pid: int) -> bool:
    return "(zombie)" not in Path(f"/proc/{pid}/status").read_text()


def test_nothing_is_counted_before_the_site_exists(sandbox: Sandbox) -> None:
    eventually((sandbox.state / "traffic.json").exists)
    assert totals(sandbox)["sent"] == 0


def test_the_counts_of_the_users_equal_those_of_the_load_balancer(sandbox: Sandbox) -> None:
    balancer = create_load_balancer(sandbox, "traffic")
    with closing(Backend(f"{sandbox.addresses.pod_network}.220.1", "only")) as backend:
        group = create_group(sandbox, backend)
        create_listener(sandbox, balancer, forward({group: 1}))
        eventually(lambda: totals(sandbox)["finished"] >= 200)
        counted = end_traffic(sandbox)
        assert counted["by_pod"] == {"only": {"200": counted["sent"]}}
        eventually(lambda: requests_published(sandbox, balancer, group) == counted["sent"] + PROBES)
