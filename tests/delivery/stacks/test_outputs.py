"""The stack outputs that a release reads."""

from pathlib import Path

import pytest

from delivery.errors import NotFound
from delivery.stacks.outputs import StackOutputs, find_outputs
from tests.environments import production

SOURCES = production(Path("/nowhere")).outputs


def found(**stacks: dict[str, str]) -> StackOutputs:
    return find_outputs(SOURCES, stacks)


def test_an_output_is_found_under_its_name_in_the_settings() -> None:
    assert found(MSKStack={"MSKClusterArn": "arn:msk"}).need("broker_cluster_arn") == "arn:msk"


def test_a_missing_output_names_its_stack_and_key() -> None:
    with pytest.raises(
        NotFound, match=r"^Stack EKSStack has no output EKSClusterName\. .* correct \[outputs\] cluster_name\.$"
    ):
        found(EKSStack={"AppRoleArn": "arn:role"}).need("cluster_name")


def test_the_stacks_to_deploy_first_are_named_once() -> None:
    outputs = found(MSKStack={"MSKClusterArn": "arn:msk"})
    names = ("broker_cluster_arn", "database_host", "cache_host", "database_secret_arn")
    assert outputs.missing(*names) == ("RDSStack", "SecurityStack")
