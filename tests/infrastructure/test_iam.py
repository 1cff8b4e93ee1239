"""The committed policies: the worker has the permissions for the calls of the clients, and no others."""

import json
from typing import Any

import pytest

from tests.infrastructure.assembly import ROOT, list_resources, read_stacks, read_template
from tests.infrastructure.operations import list_actions

FOLDER = ROOT / "infrastructure" / "iam"
# The permissions that AWS requires in addition to the action itself: dependent action -> the actions that need it.
DEPENDENT = {
    "iam:PassRole": {"cloudformation:CreateChangeSet"},
    "kms:Decrypt": {"secretsmanager:GetSecretValue"},
    "kafka-cluster:Connect": {"kafka:CreateTopic"},
    "kafka-cluster:CreateTopic": {"kafka:CreateTopic"},
    "kafka-cluster:DescribeCluster": {"kafka:ListTopics"},
    "kafka-cluster:DescribeTopic": {"kafka:DescribeTopic"},
    "kafka-cluster:DescribeTopicDynamicConfiguration": {"kafka:DescribeTopic"},
    "kafka-cluster:AlterTopic": {"kafka:UpdateTopic"},
    "kafka-cluster:AlterTopicDynamicConfiguration": {"kafka:UpdateTopic"},
}
# If the prefix in a policy is not the service in the name of a resource type.
PREFIXES = {"msk": "kafka"}


def statements(name: str) -> list[dict[str, Any]]:
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"))["Statement"]


def as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def allowed(name: str) -> list[str]:
    return [action for one in statements(name) if one["Effect"] == "Allow" for action in as_list(one["Action"])]


def test_the_worker_has_the_permissions_for_the_calls_of_the_clients_and_no_others() -> None:
    called = list_actions()
    dependent = {action for action, causes in DEPENDENT.items() if causes <= called}
    assert sorted(allowed("worker")) == sorted(called | dependent)


def test_operations_are_found_in_calls_and_in_paginators() -> None:
    found = list_actions()
    assert {"cloudformation:ExecuteChangeSet", "elasticloadbalancing:DescribeRules", "s3:PutObject"} <= found


def test_no_action_of_the_worker_has_a_wildcard() -> None:
    assert not [action for action in allowed("worker") if "*" in action]


def test_the_worker_can_only_read_all_resources() -> None:
    everywhere = [one for one in statements("worker") if one["Resource"] == "*"]
    actions = [action.partition(":")[2] for one in everywhere for action in as_list(one["Action"])]
    assert all(action.startswith(("Describe", "Get", "List")) for action in actions)


def test_the_role_of_cloudformation_is_allowed_the_services_of_the_stacks() -> None:
    types = {one["Type"] for stack in read_stacks() for one in read_template(stack)["Resources"].values()}
    services = {kind.split("::")[1].lower() for kind in types}
    prefixes = {action.partition(":")[0] for action in allowed("stacks")}
    assert prefixes == {PREFIXES.get(service, service) for service in services}


def test_the_role_of_cloudformation_changes_only_roles_of_the_project_and_not_itself_or_the_worker() -> None:
    iam = [one for one in statements("stacks") if any(action.startswith("iam:") for action in as_list(one["Action"]))]
    denied = [resource for one in iam if one["Effect"] == "Deny" for resource in one["Resource"]]
    assert [resource.rpartition("/")[2] for resource in denied] == [
        "$PROJECT-$ENVIRONMENT-stacks",
        "$PROJECT-$ENVIRONMENT-worker",
    ]
    own = next(one for one in iam if "iam:CreateRole" in one["Action"])
    assert own["Resource"].endswith("role/$PROJECT-$ENVIRONMENT-*")


def test_the_roles_and_buckets_of_the_stacks_have_names_with_the_prefix_of_the_policies() -> None:
    """Without an explicit name, the name begins with the name of the stack."""
    assert not [one for one in list_resources("AWS::IAM::Role") if "RoleName" in one["Properties"]]
    assert not [one for one in list_resources("AWS::S3::Bucket") if "BucketName" in one["Properties"]]
    names = [artifact["properties"]["stackName"] for artifact in read_stacks().values()]
    assert all(name.startswith("genai-demo-production-") for name in names)


@pytest.mark.parametrize("name", ["worker", "stacks"])
def test_a_policy_is_small_enough_for_an_inline_policy(name: str) -> None:
    """The inline policies of a role have at most 10,240 characters, without white space."""
    text = json.dumps(json.loads((FOLDER / f"{name}.json").read_text("utf-8")), separators=(",", ":"))
    assert len(text) < 10_240
