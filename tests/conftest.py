"""What all tests share: a Prefect server for those that need one."""

from collections.abc import Iterator

import pytest
from prefect.settings import PREFECT_API_URL, PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings
from prefect.testing.utilities import prefect_test_harness


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
