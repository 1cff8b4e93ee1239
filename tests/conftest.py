"""A Prefect server for the product's tests that need one."""

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
def no_ephemeral_server() -> Iterator[None]:
    """A flow or task without `prefect_server` fails at once. By default, Prefect would start a server for it."""
    with temporary_settings({PREFECT_SERVER_EPHEMERAL_ENABLED: False}):
        yield


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[str]:
    """The address of this test process's server. Flows that a test calls report to it.

    Heartbeats are off: their thread takes a second to end with each flow. The logs of a task outside a flow are not
    sent.
    """
    with pytest.MonkeyPatch.context() as variables:
        variables.setenv("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
        with (
            prefect_test_harness(server_startup_timeout=PATIENCE),
            temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}),
            temporary_settings({PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW: "ignore"}),
        ):
            yield PREFECT_API_URL.value()
