"""Executions reach their final status or are rolled back completely."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.tests.aws.conftest import AwsClient
from sandbox.tests.aws.stacks import deployed, events, finished, planned, queues


def failing(template: dict[str, Any], after: str = "Queue0") -> dict[str, Any]:
    """The template with a resource that the service rejects, created after the resource `after`."""
    refused = {"TopicArn": "arn:aws:sns:us-east-1:123456789012:nowhere", "Protocol": "sqs", "Endpoint": "x"}
    bad = {"Type": "AWS::SNS::Subscription", "DependsOn": after, "Properties": refused}
    return {**template, "Resources": {**template["Resources"], "Bad": bad}}


def statuses(cfn: Any, stack: str, logical_id: str) -> list[str]:
    return [event["ResourceStatus"] for event in events(cfn, stack) if event["LogicalResourceId"] == logical_id]


def test_a_created_stack_has_outputs_and_resources(cfn: Any, name: str) -> None:
    stack = deployed(cfn, name, queues(name))
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert [(output["OutputKey"], output["OutputValue"].rpartition("/")[2]) for output in stack["Outputs"]] == [
        ("Url", name)
    ]
    resources = cfn.list_stack_resources(StackName=name)["StackResourceSummaries"]
    assert [(one["LogicalResourceId"], one["ResourceStatus"]) for one in resources] == [("Queue0", "CREATE_COMPLETE")]


def test_every_event_of_an_execution_has_its_token(cfn: Any, name: str) -> None:
    plan = planned(cfn, name, queues(name))
    cfn.execute_change_set(ChangeSetName=plan["ChangeSetId"], ClientRequestToken="release-7")
    finished(cfn, name)
    found = events(cfn, name)[1:]
    assert {event["ClientRequestToken"] for event in found} == {"release-7"}
    assert [event["ResourceStatus"] for event in found] == [
        "CREATE_IN_PROGRESS",
        "CREATE_IN_PROGRESS",
        "CREATE_IN_PROGRESS",
        "CREATE_COMPLETE",
        "CREATE_COMPLETE",
    ]


def test_a_resource_waits_for_its_dependencies(cfn: Any, name: str) -> None:
    template = queues(f"{name}-a", f"{name}-b", f"{name}-c")
    template["Resources"]["Queue0"]["DependsOn"] = ["Queue1"]
    template["Resources"]["Queue1"]["Properties"]["Tags"] = [{"Key": "k", "Value": {"Ref": "Queue2"}}]
    deployed(cfn, name, template)
    queue_events = [event for event in events(cfn, name) if event["ResourceType"] == "AWS::SQS::Queue"]
    finished = [event["LogicalResourceId"] for event in queue_events if event["ResourceStatus"] == "CREATE_COMPLETE"]
    assert finished == ["Queue2", "Queue1", "Queue0"]


def test_events_come_newest_first_in_pages_that_new_events_do_not_shift(cfn: Any, name: str) -> None:
    deployed(cfn, name, queues(*(f"{name}-{number}" for number in range(40))))
    page = cfn.describe_stack_events(StackName=name)
    assert page["StackEvents"][0]["ResourceStatus"] == "CREATE_COMPLETE"
    cfn.delete_stack(StackName=name)
    rest = cfn.describe_stack_events(StackName=name, NextToken=page["NextToken"])
    ids = [event["EventId"] for event in page["StackEvents"] + rest["StackEvents"]]
    assert len(ids) == len(set(ids)) == 123
    assert rest["StackEvents"][-1]["ResourceStatus"] == "REVIEW_IN_PROGRESS"


def test_a_failed_creation_is_rolled_back_with_its_reason(cfn: Any, aws: AwsClient, name: str) -> None:
    stack = deployed(cfn, name, failing(queues(name)))
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    bad = next(event for event in events(cfn, name) if event["ResourceStatus"] == "CREATE_FAILED")
    assert bad["LogicalResourceId"] == "Bad"
    assert "Topic does not exist" in bad["ResourceStatusReason"]
    assert aws("sqs").list_queues(QueueNamePrefix=name).get("QueueUrls", []) == []


def test_a_rolled_back_creation_cannot_be_updated(cfn: Any, name: str) -> None:
    deployed(cfn, name, failing(queues(name)))
    with pytest.raises(ClientError, match="is in ROLLBACK_COMPLETE state and can not be updated"):
        planned(cfn, name, queues(name), "UPDATE")


def test_an_update_is_read_back(cfn: Any, aws: AwsClient, name: str) -> None:
    first = deployed(cfn, name, queues(name, DelaySeconds=1))
    stack = deployed(cfn, name, queues(name, DelaySeconds=9), "UPDATE")
    url = first["Outputs"][0]["OutputValue"]
    read = aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["DelaySeconds"])
    assert (stack["StackStatus"], read["Attributes"]["DelaySeconds"]) == ("UPDATE_COMPLETE", "9")


def test_a_failed_update_restores_changed_and_deletes_new_resources(cfn: Any, aws: AwsClient, name: str) -> None:
    url = deployed(cfn, name, queues(name, DelaySeconds=1))["Outputs"][0]["OutputValue"]
    worse = queues(name, f"{name}-new", DelaySeconds=9)
    worse["Resources"]["Queue1"]["DependsOn"] = "Queue0"
    stack = deployed(cfn, name, failing(worse, after="Queue1"), "UPDATE")
    read = aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["DelaySeconds"])
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert read["Attributes"]["DelaySeconds"] == "1"
    assert aws("sqs").list_queues(QueueNamePrefix=f"{name}-new").get("QueueUrls", []) == []
    assert statuses(cfn, name, "Queue0")[-2:] == ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"]


def test_a_rolled_back_stack_has_no_changes_against_its_old_template(cfn: Any, name: str) -> None:
    deployed(cfn, name, queues(name, DelaySeconds=1))
    deployed(cfn, name, failing(queues(name, DelaySeconds=9)), "UPDATE")
    assert planned(cfn, name, queues(name, DelaySeconds=1), "UPDATE")["Status"] == "FAILED"


def test_a_resource_that_left_the_template_is_removed(cfn: Any, aws: AwsClient, name: str) -> None:
    deployed(cfn, name, queues(name, f"{name}-gone"))
    deployed(cfn, name, queues(name), "UPDATE")
    assert aws("sqs").list_queues(QueueNamePrefix=f"{name}-gone").get("QueueUrls", []) == []


def test_a_retained_resource_that_left_the_template_stays(cfn: Any, aws: AwsClient, name: str) -> None:
    template = queues(name, f"{name}-kept")
    template["Resources"]["Queue1"]["DeletionPolicy"] = "Retain"
    deployed(cfn, name, template)
    deployed(cfn, name, queues(name), "UPDATE")
    assert len(aws("sqs").list_queues(QueueNamePrefix=f"{name}-kept")["QueueUrls"]) == 1
    assert statuses(cfn, name, "Queue1")[-1] == "DELETE_SKIPPED"


@pytest.mark.parametrize("policy", ["Retain", "RetainExceptOnCreate"])
def test_a_retained_resource_outlives_its_stack(cfn: Any, aws: AwsClient, name: str, policy: str) -> None:
    template = queues(name)
    template["Resources"]["Queue0"]["DeletionPolicy"] = policy
    stack_id = deployed(cfn, name, template)["StackId"]
    cfn.delete_stack(StackName=name)
    assert finished(cfn, stack_id)["StackStatus"] == "DELETE_COMPLETE"
    assert len(aws("sqs").list_queues(QueueNamePrefix=name)["QueueUrls"]) == 1


def test_a_rolled_back_creation_deletes_resources_with_retain_except_on_create(
    cfn: Any, aws: AwsClient, name: str
) -> None:
    template = queues(f"{name}-kept", f"{name}-gone")
    template["Resources"]["Queue0"]["DeletionPolicy"] = "Retain"
    template["Resources"]["Queue1"].update(DeletionPolicy="RetainExceptOnCreate", DependsOn="Queue0")
    deployed(cfn, name, failing(template, after="Queue1"))
    left = aws("sqs").list_queues(QueueNamePrefix=name)["QueueUrls"]
    assert [url.rpartition("/")[2] for url in left] == [f"{name}-kept"]


def test_a_named_resource_cannot_be_replaced_with_the_same_name(cfn: Any, name: str) -> None:
    deployed(cfn, name, queues(f"{name}.fifo", FifoQueue=True))
    template = queues(f"{name}.fifo")
    stack = deployed(cfn, name, template, "UPDATE")
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"


def test_a_protected_stack_is_not_deleted(cfn: Any, name: str) -> None:
    deployed(cfn, name, queues(name))
    cfn.update_termination_protection(StackName=name, EnableTerminationProtection=True)
    with pytest.raises(ClientError, match="TerminationProtection is enabled"):
        cfn.delete_stack(StackName=name)


def test_a_deleted_stack_is_found_only_by_its_id(cfn: Any, aws: AwsClient, name: str) -> None:
    stack_id = deployed(cfn, name, queues(name))["StackId"]
    cfn.delete_stack(StackName=name)
    assert finished(cfn, stack_id)["StackStatus"] == "DELETE_COMPLETE"
    with pytest.raises(ClientError, match="does not exist"):
        cfn.describe_stacks(StackName=name)
    assert aws("sqs").list_queues(QueueNamePrefix=name).get("QueueUrls", []) == []


def test_stacks_can_be_executed_in_parallel(cfn: Any, name: str) -> None:
    names = [f"{name}-{number}" for number in range(6)]
    plans = [planned(cfn, one, queues(*(f"{one}-{queue}" for queue in range(12)))) for one in names]
    for plan in plans:
        cfn.execute_change_set(ChangeSetName=plan["ChangeSetId"])
    assert {finished(cfn, one)["StackStatus"] for one in names} == {"CREATE_COMPLETE"}


def test_a_dynamic_reference_is_resolved_and_not_shown(cfn: Any, aws: AwsClient, name: str) -> None:
    aws("secretsmanager").create_secret(Name=name, SecretString='{"delay": "7"}')
    reference = f"{{{{resolve:secretsmanager:{name}:SecretString:delay}}}}"
    url = deployed(cfn, name, queues(name, DelaySeconds=reference))["Outputs"][0]["OutputValue"]
    read = aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["DelaySeconds"])
    assert read["Attributes"]["DelaySeconds"] == "7"
    assert reference in next(event["ResourceProperties"] for event in events(cfn, name) if "Queue0" in str(event))


def test_an_unsupported_operation_is_an_error(cfn: Any, name: str) -> None:
    with pytest.raises(ClientError, match="does not support DetectStackDrift"):
        cfn.detect_stack_drift(StackName=name)


def test_a_property_that_the_type_does_not_have_fails_the_resource(cfn: Any, name: str) -> None:
    stack = deployed(cfn, name, queues(name, Delay=1))
    failed = next(event for event in events(cfn, name) if event["ResourceStatus"] == "CREATE_FAILED")
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "extraneous key [Delay]" in failed["ResourceStatusReason"]
