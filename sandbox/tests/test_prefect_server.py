import httpx
import pytest

from sandbox.instance import Sandbox


@pytest.mark.proof
def test_prefects_pages_ask_the_server_that_they_come_from(sandbox: Sandbox) -> None:
    sandbox.require("prefect")
    api = sandbox.addresses.prefect
    assert httpx.get(f"{api.removesuffix('/api')}/ui-settings").json()["api_url"] == api
