"""The tokens that the API server accepts."""

import base64
from pathlib import Path

import pytest
from kubernetes.client import ApiClient, ApiException, Configuration, VersionApi
from kubernetes.dynamic import DynamicClient

from sandbox.addresses import Addresses
from sandbox.aws.client import client as aws_client
from sandbox.settings import SandboxSettings


def client_with(token: str, addresses: Addresses, state: Path, cache: Path) -> DynamicClient:
    configuration = Configuration()
    configuration.host = addresses.kubernetes
    configuration.ssl_ca_cert = str(state / "ca" / "ca.pem")
    configuration.api_key = {"BearerToken": f"Bearer {token}"}
    return DynamicClient(ApiClient(configuration), cache_file=str(cache / "discovery.json"))


def eks_token(url: str) -> str:
    return "k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


def presigned(addresses: Addresses, settings: SandboxSettings) -> str:
    sts = aws_client("sts", addresses, settings)
    return sts.generate_presigned_url("get_caller_identity", ExpiresIn=60, HttpMethod="GET")


def test_an_eks_token_that_sts_accepts_is_accepted(addresses, settings, state, tmp_path) -> None:
    client = client_with(eks_token(presigned(addresses, settings)), addresses, state, tmp_path)
    namespaces = client.resources.get(api_version="v1", kind="Namespace")
    assert namespaces.get(name="default").status.phase == "Active"


def test_a_token_for_another_aws_is_refused(addresses, settings, state, tmp_path) -> None:
    url = presigned(addresses, settings).replace(addresses.aws, "http://127.0.0.1:1")
    with pytest.raises(ApiException) as refused:
        client_with(eks_token(url), addresses, state, tmp_path)
    assert refused.value.status == 401


def test_a_token_for_another_aws_action_is_refused(addresses, settings, state, tmp_path) -> None:
    url = presigned(addresses, settings).replace("GetCallerIdentity", "GetSessionToken")
    with pytest.raises(ApiException) as refused:
        client_with(eks_token(url), addresses, state, tmp_path)
    assert refused.value.status == 401


@pytest.mark.parametrize("token", ["guessed", "k8s-aws-v1.%%%", ""])
def test_any_other_token_is_refused(token, addresses, state, tmp_path) -> None:
    with pytest.raises(ApiException) as refused:
        client_with(token, addresses, state, tmp_path)
    assert refused.value.status == 401


def test_the_version_needs_no_token(addresses, state) -> None:
    configuration = Configuration()
    configuration.host = addresses.kubernetes
    configuration.ssl_ca_cert = str(state / "ca" / "ca.pem")
    assert VersionApi(ApiClient(configuration)).get_code().major == "1"
