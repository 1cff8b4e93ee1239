"""One cluster and its AWS per test session. Contract tests also run against a control plane, if there is one."""

import os
import random
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes.client import ApiClient, ApiException
from kubernetes.config import new_client_from_config
from kubernetes.dynamic import DynamicClient
from moto.server import ThreadedMotoServer

from sandbox.addresses import Addresses, choose_addresses
from sandbox.aws.client import client as aws_client
from sandbox.certificates import write_certificates
from sandbox.settings import SandboxSettings
from sandbox.testing import PATIENCE, eventually
from sandbox.tests.kubernetes.contract import KUBECONFIG, SANDBOX
from sandbox.tests.kubernetes.images import SERVER, push


@pytest.fixture(scope="session")
def settings() -> SandboxSettings:
    return SandboxSettings(time_factor=20.0)


@pytest.fixture(scope="session")
def state(tmp_path_factory: pytest.TempPathFactory, settings: SandboxSettings) -> Iterator[Path]:
    """The state folder of a running API server, with an AWS for images, load balancers and caller identities."""
    folder = tmp_path_factory.mktemp("state")
    aws = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    aws.start()
    _, port = aws.get_host_and_port()
    _addresses(f"http://127.0.0.1:{port}").write(folder)
    settings.write(folder)
    write_certificates(folder)
    process = start_part("sandbox.kubernetes", folder)
    yield folder
    stop_part(process)
    aws.stop()


@pytest.fixture(scope="session")
def addresses(state: Path) -> Addresses:
    return Addresses.read(state)


@pytest.fixture(scope="session")
def endpoint(request: pytest.FixtureRequest) -> str:
    """The API server of the test: the sandbox's, unless the test is parametrised with `each_endpoint`."""
    return getattr(request, "param", SANDBOX)


@pytest.fixture(scope="session")
def kubeconfig(endpoint: str, request: pytest.FixtureRequest) -> Path:
    if endpoint == SANDBOX:
        return request.getfixturevalue("state") / "kubeconfig"
    return Path(os.environ[KUBECONFIG])


@pytest.fixture(scope="session")
def api_client(kubeconfig: Path) -> ApiClient:
    return new_client_from_config(str(kubeconfig))


@pytest.fixture(scope="session")
def client(api_client: ApiClient, tmp_path_factory: pytest.TempPathFactory) -> DynamicClient:
    return DynamicClient(api_client, cache_file=str(tmp_path_factory.mktemp("discovery") / "cache.json"))


@pytest.fixture
def namespace(client: DynamicClient) -> Iterator[str]:
    """A new namespace for the test, with its default service account."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    namespaces = client.resources.get(api_version="v1", kind="Namespace")
    namespaces.create({"metadata": {"name": name}})
    accounts = client.resources.get(api_version="v1", kind="ServiceAccount")
    eventually(lambda: accounts.get(namespace=name).items, "the default service account")
    yield name
    namespaces.delete(name=name)


@pytest.fixture(scope="session")
def image(addresses: Addresses, settings: SandboxSettings) -> Callable[..., str]:
    """Pushes an image that runs a program, by default a server, and returns its reference."""
    ecr = aws_client("ecr", addresses, settings)
    return lambda program=SERVER, **environment: push(ecr, "genai-demo/backend", program, **environment)


@pytest.fixture
def wait_for_deletion() -> Callable[[Any, str, str | None], None]:
    """Waits until an object of a resource does not exist."""

    def wait(resource: Any, name: str, namespace: str | None) -> None:
        def is_missing() -> bool:
            try:
                resource.get(name=name, namespace=namespace)
            except ApiException as error:
                return error.status == 404
            return False

        eventually(is_missing, f"the deletion of {name}")

    return wait


@pytest.fixture(scope="session")
def kubectl(kubeconfig: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Runs kubectl and returns its output. manifest: its standard input, for `-f -`. code: the expected exit code."""
    program = Path(sys.executable).parent / "kubectl"
    cache = tmp_path_factory.mktemp("kubectl")

    def run(*arguments: str, manifest: Any = None, code: int = 0) -> str:
        command = [str(program), "--kubeconfig", str(kubeconfig), "--cache-dir", str(cache), *arguments]
        text = yaml.safe_dump(manifest) if manifest else None
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert done.returncode == code, f"{arguments}: {done.stdout}{done.stderr}"
        assert "error" not in done.stderr, f"{arguments}: {done.stderr}"
        return done.stdout

    return run


def start_part(module: str, state: Path) -> subprocess.Popen[str]:
    """Start a part of the sandbox and wait until it prints `ready`. Its errors go to a log in the state folder."""
    logs = state / "logs"
    logs.mkdir(exist_ok=True)
    with (logs / f"{module}.log").open("w") as errors:
        command = [sys.executable, "-m", module, "--state", str(state)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
    assert process.stdout
    assert process.stdout.readline() == "ready\n", (logs / f"{module}.log").read_text()
    return process


def stop_part(process: subprocess.Popen[str]) -> None:
    process.terminate()
    process.wait(timeout=PATIENCE)


def _addresses(aws: str) -> Addresses:
    return replace(choose_addresses(f"127.{random.randint(16, 250)}"), aws=aws)
