"""What all tests share: a Prefect server and a sandbox for those that need one."""

from collections.abc import Iterator

import pytest
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW,
    PREFECT_SERVER_EPHEMERAL_ENABLED,
    temporary_settings,
)
from prefect.testing.utilities import prefect_test_harness

from sandbox.instance import Sandbox
from sandbox.settings import SandboxSettings
from tests.sandbox.polling import PATIENCE

pytest_plugins = ["tests.scheduling"]


@pytest.fixture(scope="session", autouse=True)
def no_server_unasked() -> Iterator[None]:
    """A flow or task without `prefect_server` fails at once; Prefect would start a server of its own for it."""
    with temporary_settings({PREFECT_SERVER_EPHEMERAL_ENABLED: False}):
        yield


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[str]:
    """The address of a server of this test process; flows called here report to it.

    Without heartbeats, whose thread takes a second to end with each flow. A task that is called by itself logs nowhere.
    """
    with pytest.MonkeyPatch.context() as variables:
        variables.setenv("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
        with (
            prefect_test_harness(server_startup_timeout=PATIENCE),
            temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}),
            temporary_settings({PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW: "ignore"}),
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
