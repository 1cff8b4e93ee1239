"""One sandbox for all rehearsals, which are whole releases; it is installed by releases that are broken on the way."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from sandbox.instance import Sandbox
from sandbox.parts import NAMES
from sandbox.settings import SandboxSettings
from tests.rehearsals.rehearsal import Ending, Rehearsal, worker

SETTINGS = SandboxSettings(time_factor=20.0, metric_period_seconds=2, requests_per_second=40.0)
NO_CAPACITY = "Insufficient capacity for kafka.m5.large in us-east-1a"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Releases take as long as they take."""
    for item in items:
        if "tests/rehearsals/" in item.nodeid:
            item.add_marker(pytest.mark.timeout(900))


@dataclass(frozen=True)
class Installation:
    """Three releases of one digest to an empty account.

    no_capacity: MSKStack failed. topics_after_it: which topics that release asked for. frozen: no broker answered.
    """

    digest: str
    no_capacity: Ending
    topics_after_it: list[str]
    frozen: Ending
    last: Ending


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    """Everything runs, nothing was released."""
    with Sandbox(tmp_path_factory.mktemp("guide") / "sandbox", parts=NAMES, settings=SETTINGS) as sandbox:
        rehearsal = Rehearsal(sandbox)
        rehearsal.install()
        with worker(rehearsal):
            yield rehearsal


@pytest.fixture(scope="session")
def installation(empty: Rehearsal) -> Installation:
    digest = empty.push("first")
    failing = {"resource": "AWS::MSK::Cluster", "stack": "*msk*", "times": 1, "reason": NO_CAPACITY}
    with empty.counting("kafka:CreateTopic") as topics:
        empty.ask_faults("POST", failing)
        no_capacity = empty.release(digest)
    command = empty.start_release(digest)
    command.wait_for("check that nothing changed since plan")  # long before topics are asked for
    with empty.frozen("kafka"):
        frozen = command.wait()
    return Installation(digest, no_capacity, topics, frozen, empty.release(digest))


@pytest.fixture(scope="session")
def production(empty: Rehearsal, installation: Installation) -> Rehearsal:
    """A digest serves all traffic; what it is does not matter to a test."""
    assert installation.last.exit_code == 0, installation.last.output
    return empty
