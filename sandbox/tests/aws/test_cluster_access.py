"""The access entries of a cluster, from a template and through the API."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.tests.aws.conftest import AwsClient
from sandbox.tests.aws.stacks import deployed, one

WORKER = "arn:aws:iam::123456789012:role/worker"
POLICY = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"


def cluster(name: str, **entry: Any) -> dict[str, Any]:
    network = {"SubnetIds": ["subnet-a", "subnet-b"]}
    wanted = {"Name": name, "RoleArn": "arn:aws:iam::123456789012:role/x", "ResourcesVpcConfig": network}
    template = one("AWS::EKS::Cluster", wanted)
    properties = {"ClusterName": {"Ref": "It"}, "PrincipalArn": WORKER, **entry}
    template["Resources"]["Access"] = {"Type": "AWS::EKS::AccessEntry", "Properties": properties}
    return template


def test_a_principal_gets_access_with_its_policies(cfn: Any, aws: AwsClient, name: str) -> None:
    policies = [{"PolicyArn": POLICY, "AccessScope": {"Type": "cluster"}}]
    deployed(cfn, name, cluster(name, AccessPolicies=policies))
    entry = aws("eks").describe_access_entry(clusterName=name, principalArn=WORKER)["accessEntry"]
    found = aws("eks").list_associated_access_policies(clusterName=name, principalArn=WORKER)
    assert entry["principalArn"] == WORKER
    assert [one["policyArn"] for one in found["associatedAccessPolicies"]] == [POLICY]


def test_a_principal_that_left_the_template_has_no_access(cfn: Any, aws: AwsClient, name: str) -> None:
    template = cluster(name)
    deployed(cfn, name, template)
    del template["Resources"]["Access"]
    deployed(cfn, name, template, "UPDATE")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        aws("eks").describe_access_entry(clusterName=name, principalArn=WORKER)
