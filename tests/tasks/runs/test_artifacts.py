import socket

import pytest
from prefect.artifacts import create_table_artifact
from prefect.settings import PREFECT_API_URL, temporary_settings

from tasks.runs.artifacts import showing


def test_an_artifact_that_prefect_does_not_create_is_logged_and_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    with (
        temporary_settings({PREFECT_API_URL: f"http://127.0.0.1:{closed_port()}/api"}),
        pytest.warns(FutureWarning, match="outside of a flow or task run"),
        showing("The table"),
    ):
        create_table_artifact([{"arm": "canary"}], key="table")
    assert "The table is not shown in Prefect (ConnectError: " in caplog.text


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]
