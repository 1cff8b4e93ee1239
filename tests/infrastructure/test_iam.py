"""The committed policies: what the worker may do is what the clients ask for, and no more."""

import json
from typing import Any

import pytest

from tests.infrastructure.assembly import ROOT, list_resources, read_stacks, read_template
from tests.infrastructure.operations import list_actions

FOLDER = ROOT / "infrastructure" / "iam"
# What AWS asks of the caller besides the action itself: dependent action -> the actions that need it.
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
# Where a policy's prefix is not the service in a resource type's name.
PREFIXES = {"msk": "kafka"}


def statements(name: str) -> list[dict[str, Any]]:
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"))["Statement"]


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def allowed(name: str) -> list[str]:
    return [action for one in statements(name) if one["Effect"] == "Allow" for action in listed(one["Action"])]


def test_the_worker_may_do_what_the_clients_ask_for_and_nothing_else() -> None:
    asked = list_actions()
    needed = {action for action, causes in DEPENDENT.items() if causes <= asked}
    assert sorted(allowed("worker")) == sorted(asked | needed)


def test_operations_are_found_where_they_are_called_and_where_they_are_paged() -> None:
    found = list_actions()
    assert {"cloudformation:ExecuteChangeSet", "elasticloadbalancing:DescribeRules", "s3:PutObject"} <= found


def test_no_action_of_the_worker_is_a_pattern() -> None:
    assert not [action for action in allowed("worker") if "*" in action]


def test_only_reads_of_the_worker_are_on_every_resource() -> None:
    everywhere = [one for one in statements("worker") if one["Resource"] == "*"]
    actions = [action.partition(":")[2] for one in everywhere for action in listed(one["Action"])]
    assert all(action.startswith(("Describe", "Get", "List")) for action in actions)


def test_the_stacks_role_reaches_the_services_that_the_stacks_are_made_of() -> None:
    types = {one["Type"] for stack in read_stacks() for one in read_template(stack)["Resources"].values()}
    services = {kind.split("::")[1].lower() for kind in types}
    prefixes = {action.partition(":")[0] for action in allowed("stacks")}
    assert prefixes == {PREFIXES.get(service, service) for service in services}


def test_the_stacks_role_changes_roles_of_the_project_alone_and_neither_itself_nor_the_workers() -> None:
    iam = [one for one in statements("stacks") if any(action.startswith("iam:") for action in listed(one["Action"]))]
    denied = [resource for one in iam if one["Effect"] == "Deny" for resource in one["Resource"]]
    assert [resource.rpartition("/")[2] for resource in denied] == [
        "$PROJECT-$ENVIRONMENT-stacks",
        "$PROJECT-$ENVIRONMENT-worker",
    ]
    own = next(one for one in iam if "iam:CreateRole" in one["Action"])
    assert own["Resource"].endswith("role/$PROJECT-$ENVIRONMENT-*")


def test_the_names_that_the_stacks_give_roles_and_buckets_are_the_ones_that_are_reached() -> None:
    """Without a name of their own they are called after their stack."""
    assert not [one for one in list_resources("AWS::IAM::Role") if "RoleName" in one["Properties"]]
    assert not [one for one in list_resources("AWS::S3::Bucket") if "BucketName" in one["Properties"]]
    names = [artifact["properties"]["stackName"] for artifact in read_stacks().values()]
    assert all(name.startswith("genai-demo-production-") for name in names)


@pytest.mark.parametrize("name", ["worker", "stacks"])
def test_a_policy_fits_into_one(name: str) -> None:
    """An inline policy of a role takes 10,240 characters without white space."""
    text = json.dumps(json.loads((FOLDER / f"{name}.json").read_text("utf-8")), separators=(",", ":"))
    assert len(text) < 10_240
