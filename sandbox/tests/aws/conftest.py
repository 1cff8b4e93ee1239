"""The AWS of the sandbox in the process of the tests, with a real socket."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from botocore.config import Config

from sandbox.addresses import choose_addresses
from sandbox.aws.client import client_at
from sandbox.aws.cloud import Cloud
from sandbox.aws.server import make_aws_server
from sandbox.certificates import write_certificates
from sandbox.settings import SandboxSettings
from sandbox.testing import PATIENCE

AwsClient = Callable[[str], Any]


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """Nothing listens at the other addresses. Tests start what they need there."""
    state: Path = tmp_path_factory.mktemp("aws")
    write_certificates(state)
    addresses = replace(choose_addresses("127.99"), prefect="http://127.0.0.1:9/api")
    cloud = Cloud(addresses, SandboxSettings(time_factor=500.0), state)
    server = make_aws_server(cloud)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield cloud
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="session")
def aws(cloud: Cloud) -> AwsClient:
    """Creates clients without retries, so that tests see each error."""
    made: dict[str, Any] = {}

    def client(service: str) -> Any:
        if service not in made:
            once = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, read_timeout=PATIENCE)
            made[service] = client_at(cloud.addresses.aws, service, cloud.region, caller="tester", config=once)
        return made[service]

    return client


@pytest.fixture
def cfn(aws: AwsClient) -> Any:
    return aws("cloudformation")


@pytest.fixture
def name() -> str:
    """A name that no other test uses."""
    return f"t{uuid4().hex[:10]}"
