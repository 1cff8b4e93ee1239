"""What the product's tests share: a Prefect server for those that need one."""

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

from sandbox.testing import PATIENCE


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
