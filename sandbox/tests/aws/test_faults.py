"""Faults hit the requests that they match, as often as they state, with the errors of each protocol."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError

from sandbox.aws.client import client_at
from sandbox.aws.cloud import Cloud
from sandbox.tests.aws.conftest import AwsClient
from sandbox.tests.aws.stacks import deployed, error_code, events, finished, planned, queues

Inject = Callable[..., None]


@pytest.fixture
def inject(cloud: Cloud) -> Iterator[Inject]:
    control = f"{cloud.addresses.aws}/sandbox/faults"

    def add(**fault: Any) -> None:
        httpx.post(control, json=fault).raise_for_status()

    yield add
    httpx.delete(control).raise_for_status()


def hits(cloud: Cloud) -> list[dict[str, str]]:
    return httpx.get(f"{cloud.addresses.aws}/sandbox/faults").json()["hits"]


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "code"),
    [
        ("cloudformation", "DescribeStacks", {}, "Throttling"),
        ("ssm", "GetParameter", {"Name": "x"}, "ThrottlingException"),
        ("kafka", "ListClustersV2", {}, "ThrottlingException"),
        ("s3", "GetObject", {"Bucket": "b", "Key": "a/b"}, "SlowDown"),
        ("monitoring", "ListMetrics", {}, "Throttling"),
    ],
)
def test_a_throttled_operation_gets_the_error_of_its_protocol(
    aws: AwsClient, inject: Inject, service: str, operation: str, arguments: dict[str, Any], code: str
) -> None:
    inject(kind="throttle", match=f"{service}:{operation}")
    client = aws({"monitoring": "cloudwatch"}.get(service, service))
    call = getattr(client, next(name for name, api in client.meta.method_to_api_mapping.items() if api == operation))
    assert error_code(lambda: call(**arguments)) == code


def test_other_operations_are_not_hit(aws: AwsClient, inject: Inject) -> None:
    inject(kind="down", match="ssm:GetParameter")
    assert aws("ssm").describe_parameters()["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_a_fault_hits_as_often_as_it_states(aws: AwsClient, cloud: Cloud, inject: Inject) -> None:
    inject(kind="deny", match="sts:*", times=2)
    codes = [error_code(aws("sts").get_caller_identity) for _ in range(2)]
    assert codes == ["AccessDenied"] * 2
    assert aws("sts").get_caller_identity()["Account"] == cloud.account_id
    assert hits(cloud) == [{"kind": "deny", "at": "sts:GetCallerIdentity"}] * 2


def test_a_retry_succeeds_after_one_throttled_request(cloud: Cloud, inject: Inject) -> None:
    inject(kind="throttle", match="sts:*", times=1)
    patient = Config(retries={"mode": "standard", "total_max_attempts": 3})
    sts = client_at(cloud.addresses.aws, "sts", cloud.region, config=patient)
    assert sts.get_caller_identity()["ResponseMetadata"]["RetryAttempts"] == 1


def test_a_fault_with_a_probability_hits_some_requests(aws: AwsClient, cloud: Cloud, inject: Inject) -> None:
    inject(kind="slow", match="sts:*", probability=0.5, seconds=0.0)
    for _ in range(20):
        aws("sts").get_caller_identity()
    assert 0 < len(hits(cloud)) < 20


def test_a_request_with_a_dropped_response_is_executed(aws: AwsClient, inject: Inject, name: str) -> None:
    inject(kind="drop", match="ssm:PutParameter", times=1)
    with pytest.raises(ConnectionClosedError):
        aws("ssm").put_parameter(Name=name, Value="1", Type="String")
    assert aws("ssm").get_parameter(Name=name)["Parameter"]["Value"] == "1"


def test_an_execution_with_a_dropped_response_runs_once(aws: AwsClient, inject: Inject, name: str) -> None:
    cfn = aws("cloudformation")
    plan = planned(cfn, name, queues(name))
    inject(kind="drop", match="cloudformation:ExecuteChangeSet", times=1)
    wanted = {"ChangeSetName": plan["ChangeSetId"], "ClientRequestToken": "once"}
    with pytest.raises(ConnectionClosedError):
        cfn.execute_change_set(**wanted)
    cfn.execute_change_set(**wanted)
    assert finished(cfn, name)["StackStatus"] == "CREATE_COMPLETE"
    assert [event["ResourceStatus"] for event in events(cfn, name)].count("CREATE_COMPLETE") == 2


def test_an_ignored_write_is_answered_and_not_executed(aws: AwsClient, inject: Inject, name: str) -> None:
    aws("ssm").put_parameter(Name=name, Value="1", Type="String")
    inject(kind="ignore", match="ssm:PutParameter")
    answer = aws("ssm").put_parameter(Name=name, Value="2", Type="String", Overwrite=True)
    assert answer["Version"] == 2
    assert aws("ssm").get_parameter(Name=name)["Parameter"]["Value"] == "1"


def test_an_ignored_execution_does_not_change_the_stack(aws: AwsClient, inject: Inject, name: str) -> None:
    cfn = aws("cloudformation")
    plan = planned(cfn, name, queues(name))
    inject(kind="ignore", match="cloudformation:ExecuteChangeSet", times=1)
    cfn.execute_change_set(ChangeSetName=plan["ChangeSetId"])
    found = cfn.describe_change_set(ChangeSetName=plan["ChangeSetId"])
    assert found["ExecutionStatus"] == "AVAILABLE"


def test_an_ignored_metric_is_not_stored(aws: AwsClient, inject: Inject, name: str) -> None:
    inject(kind="ignore", match="monitoring:PutMetricData")
    aws("cloudwatch").put_metric_data(Namespace=name, MetricData=[{"MetricName": "requests", "Value": 1.0}] * 500)
    assert aws("cloudwatch").list_metrics(Namespace=name)["Metrics"] == []


def test_an_ignored_object_does_not_exist(aws: AwsClient, inject: Inject, name: str) -> None:
    s3 = aws("s3")
    s3.create_bucket(Bucket=name)
    inject(kind="ignore", match="s3:PutObject")
    s3.put_object(Bucket=name, Key="a/b", Body=b"x")
    assert error_code(lambda: s3.get_object(Bucket=name, Key="a/b")) == "NoSuchKey"


def test_a_resource_fails_with_the_given_reason(aws: AwsClient, inject: Inject, name: str) -> None:
    inject(resource="Queue1", stack=f"{name}*", reason="Insufficient capacity.", times=1)
    cfn = aws("cloudformation")
    stack = deployed(cfn, name, queues(name, f"{name}-b"))
    failed = [event for event in events(cfn, name) if event["ResourceStatus"] == "CREATE_FAILED"]
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert ("Queue1", "Insufficient capacity.") in {
        (event["LogicalResourceId"], event["ResourceStatusReason"]) for event in failed
    }


def test_faults_do_not_hit_the_calls_of_cloudformation(aws: AwsClient, inject: Inject, name: str) -> None:
    inject(kind="deny", match="sqs:*")
    assert deployed(aws("cloudformation"), name, queues(name))["StackStatus"] == "CREATE_COMPLETE"


def test_a_fault_can_be_limited_to_one_caller(aws: AwsClient, cloud: Cloud, inject: Inject) -> None:
    inject(kind="deny", match="sts:*", caller="tester")
    other_caller = client_at(cloud.addresses.aws, "sts", cloud.region, caller="other")
    assert other_caller.get_caller_identity()["Account"] == cloud.account_id
    assert error_code(aws("sts").get_caller_identity) == "AccessDenied"


@pytest.mark.parametrize("wrong", [{"kind": "nope"}, {"match": "x"}, {"kind": "deny", "often": 1}, "deny"])
def test_an_invalid_fault_is_rejected(cloud: Cloud, wrong: object) -> None:
    assert httpx.post(f"{cloud.addresses.aws}/sandbox/faults", json=wrong).status_code == 400
