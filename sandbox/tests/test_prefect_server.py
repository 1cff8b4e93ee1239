import httpx
import pytest

from sandbox.instance import Sandbox


@pytest.mark.proof
def test_the_prefect_ui_uses_the_api_of_its_own_server(sandbox: Sandbox) -> None:
    sandbox.require("prefect")
    api = sandbox.addresses.prefect
    assert httpx.get(f"{api.removesuffix('/api')}/ui-settings").json()["api_url"] == api
