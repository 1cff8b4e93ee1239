"""What the command line asks Prefect for."""

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings

from cli.main import main
from delivery.outcome import QUEUE_TIMED_OUT
from tests.environments import installed

DIGEST = "sha256:" + "d" * 64


@pytest.fixture(params=[("plan", "plan-release"), ("release", "deploy-production")], ids=["plan", "release"])
def command(
    request: pytest.FixtureRequest, prefect_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """A command whose Prefect deployment exists; no worker takes its runs."""
    name, flow = request.param
    installed(tmp_path, monkeypatch)
    with temporary_settings({PREFECT_API_URL: prefect_server}), get_client(sync_client=True) as client:
        deployment = client.create_deployment(flow_id=client.create_flow_from_name(flow), name="production")
        yield name
        client.delete_deployment(deployment)


@pytest.mark.parametrize("options", [(), ("--canary",)], ids=["without", "with --canary"])
def test_a_digest_that_served_gets_another_canary_only_with_the_flag(
    command: str, options: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main([command, "--digest", DIGEST, "--queue-timeout", "1", "--json", *options])
    assert end.value.code == QUEUE_TIMED_OUT
    run = UUID(json.loads(capsys.readouterr().out)["run"])
    with get_client(sync_client=True) as client:
        parameters = client.read_flow_run(run).parameters
    assert (parameters["artifact_digest"], parameters["canary"]) == (DIGEST, bool(options))
