import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from prefect.context import SyncClientContext
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED,
    temporary_settings,
)

from delivery.release import Release
from flows.rollback import roll_back_release
from tests.environments import installed

RELEASE = Release(
    environment="production", number=7, nonce="1", artifact_digest=f"sha256:{'a' * 64}", plan_hash="p", lock_epoch=1
)


def test_a_rollback_continues_without_a_run_if_prefect_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    installed(tmp_path, monkeypatch)
    caplog.set_level("INFO")
    with without_prefect():
        assert roll_back_release(RELEASE) == ""
    assert "Prefect did not create a subflow run for the rollback (ConnectError: " in caplog.text


@contextmanager
def without_prefect() -> Iterator[None]:
    """As in a release's own run, whose client has met the server before it went away."""
    away: dict[Any, Any] = {
        PREFECT_API_URL: f"http://127.0.0.1:{closed_port()}/api",
        PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED: False,
    }
    with temporary_settings(away), SyncClientContext.get_or_create():
        yield


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]
