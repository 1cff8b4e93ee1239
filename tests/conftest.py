"""What all tests share: a Prefect server and a sandbox for those that need one."""

from collections.abc import Iterator

import pytest
from prefect.settings import PREFECT_API_URL, PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings
from prefect.testing.utilities import prefect_test_harness

from sandbox.instance import Sandbox
from sandbox.settings import SandboxSettings

LONGEST = ("rollout", "brokers", "prefect")


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in this hook as well
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of one group run in one worker, so that what they share starts once; the longest begin first."""
    groups = {item: group_of(item) for item in items}
    ranks = {kind: rank for rank, kind in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(groups[item].partition(" ")[0], len(ranks)))
    for item, group in groups.items():
        item.add_marker(pytest.mark.xdist_group(group))


def group_of(item: pytest.Item) -> str:
    """What the test says itself; a rollout, which mostly waits, alone; else by the Prefect server, or by the file."""
    needed = getattr(item, "fixturenames", ())
    if named := item.get_closest_marker("xdist_group"):
        return named.args[0]
    if item.nodeid.startswith("tests/guide/"):
        return "guide"
    if "shop" in needed:
        return f"rollout {item.name}"
    return "prefect" if "prefect_server" in needed else item.nodeid.partition("::")[0]


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[str]:
    """The address of a server of this test process; flows called here report to it.

    Without heartbeats, whose thread takes a second to end with each flow.
    """
    with pytest.MonkeyPatch.context() as variables:
        variables.setenv("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
        with (
            prefect_test_harness(server_startup_timeout=120),
            temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}),
        ):
            yield PREFECT_API_URL.value()


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One sandbox per pytest worker, with no part running: a test says `sandbox.require("kafka", "aws")` first.

    What runs already is shared with the tests before, so a test keeps to names of its own.
    """
    settings = SandboxSettings(time_factor=20.0, metric_period_seconds=2)
    with Sandbox(tmp_path_factory.mktemp("sandbox"), parts=(), settings=settings) as instance:
        yield instance
