"""Corrections of the services of moto, and behaviour of moto that the sandbox needs."""

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.aws.cloud import Cloud
from sandbox.aws.services.acm import CERTIFICATE_ID
from sandbox.tests.aws.conftest import AwsClient
from sandbox.tests.aws.stacks import error_code

CONTENDERS = 16


def manifest(text: str) -> str:
    return json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "note": text})


def digest(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def test_an_image_is_found_by_the_digest_of_its_manifest(aws: AwsClient, name: str) -> None:
    ecr = aws("ecr")
    ecr.create_repository(repositoryName=f"{name}/backend")
    ecr.put_image(repositoryName=f"{name}/backend", imageManifest=manifest("a"), imageTag="1")
    missing = {"imageDigest": digest("nothing")}
    answer = ecr.batch_get_image(
        repositoryName=f"{name}/backend", imageIds=[{"imageDigest": digest(manifest("a"))}, missing]
    )
    assert [image["imageManifest"] for image in answer["images"]] == [manifest("a")]
    assert [failure["imageId"] for failure in answer["failures"]] == [missing]


def test_a_digest_that_does_not_match_the_manifest_is_rejected(aws: AwsClient, name: str) -> None:
    ecr = aws("ecr")
    ecr.create_repository(repositoryName=name)
    wanted = {"repositoryName": name, "imageManifest": manifest("a"), "imageDigest": digest("b")}
    assert error_code(lambda: ecr.put_image(**wanted)) == "ImageDigestDoesNotMatchException"


@pytest.fixture
def listener(aws: AwsClient, cloud: Cloud, name: str) -> str:
    """The HTTPS listener of a load balancer, with the certificate of the account."""
    ec2, elb = aws("ec2"), aws("elbv2")
    network = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=network, CidrBlock=f"10.0.{index}.0/24", AvailabilityZone=f"us-east-1{zone}")
        for index, zone in enumerate("ab")
    ]
    balancer = elb.create_load_balancer(Name=name, Subnets=[subnet["Subnet"]["SubnetId"] for subnet in subnets])
    nothing = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
    return elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancers"][0]["LoadBalancerArn"],
        Protocol="HTTPS",
        Port=443,
        Certificates=[{"CertificateArn": cloud.arn("acm", f"certificate/{CERTIFICATE_ID}")}],
        DefaultActions=[nothing],
    )["Listeners"][0]["ListenerArn"]


def groups(aws: AwsClient, name: str) -> list[str]:
    network = aws("ec2").create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    wanted = {"Protocol": "HTTP", "Port": 8080, "VpcId": network, "TargetType": "ip"}
    return [
        aws("elbv2").create_target_group(Name=f"{name}-{arm}", **wanted)["TargetGroups"][0]["TargetGroupArn"]
        for arm in ("stable", "canary")
    ]


def weighted(stable: str, canary: str, percent: int) -> list[dict[str, Any]]:
    weights = [{"TargetGroupArn": stable, "Weight": 100 - percent}, {"TargetGroupArn": canary, "Weight": percent}]
    return [{"Type": "forward", "ForwardConfig": {"TargetGroups": weights}}]


def test_the_last_weights_of_a_rule_are_read_back(aws: AwsClient, listener: str, name: str) -> None:
    elb, (stable, canary) = aws("elbv2"), groups(aws, name)
    conditions = [{"Field": "host-header", "HostHeaderConfig": {"Values": ["api.genai-demo.com"]}}]
    rule = elb.create_rule(
        ListenerArn=listener, Priority=1, Conditions=conditions, Actions=weighted(stable, canary, 0)
    )["Rules"][0]["RuleArn"]
    elb.modify_rule(RuleArn=rule, Actions=weighted(stable, canary, 20))
    rules = elb.describe_rules(ListenerArn=listener)["Rules"]
    found = next(one for one in rules if one["RuleArn"] == rule)
    weights = {
        group["TargetGroupArn"]: group["Weight"] for group in found["Actions"][0]["ForwardConfig"]["TargetGroups"]
    }
    assert weights == {stable: 80, canary: 20}
    assert found["Conditions"][0]["HostHeaderConfig"]["Values"] == ["api.genai-demo.com"]


def test_pods_on_loopback_can_be_targets(aws: AwsClient, listener: str, name: str) -> None:
    elb, (stable, _) = aws("elbv2"), groups(aws, name)
    elb.register_targets(TargetGroupArn=stable, Targets=[{"Id": "127.5.0.1", "Port": 8080}])
    found = elb.describe_target_health(TargetGroupArn=stable)["TargetHealthDescriptions"]
    assert [(one["Target"]["Id"], one["Target"]["Port"]) for one in found] == [("127.5.0.1", 8080)]


def test_a_target_is_unused_if_no_rule_forwards_to_its_group(aws: AwsClient, listener: str, name: str) -> None:
    elb, (stable, canary) = aws("elbv2"), groups(aws, name)
    elb.register_targets(TargetGroupArn=canary, Targets=[{"Id": "127.5.0.2", "Port": 8080}])

    def health() -> dict[str, str]:
        return elb.describe_target_health(TargetGroupArn=canary)["TargetHealthDescriptions"][0]["TargetHealth"]

    assert health() == {
        "State": "unused",
        "Reason": "Target.NotInUse",
        "Description": "Target group is not configured to receive traffic from the load balancer",
    }
    conditions = [{"Field": "host-header", "HostHeaderConfig": {"Values": ["unused.genai-demo.com"]}}]
    actions = weighted(stable, canary, 0)
    rule = elb.create_rule(ListenerArn=listener, Priority=2, Conditions=conditions, Actions=actions)["Rules"][0]
    assert health()["State"] != "unused"
    elb.delete_rule(RuleArn=rule["RuleArn"])
    assert health()["State"] == "unused"


class Metrics:
    """One metric of a target group, written and read with a period of five seconds."""

    def __init__(self, client: Any, arm: str) -> None:
        self.client, self.arm = client, arm
        self.dimensions = [{"Name": "TargetGroup", "Value": arm}, {"Name": "LoadBalancer", "Value": "app/x/1"}]

    def put(self, **datum: Any) -> None:
        wanted = {"MetricName": "RequestCount", "Dimensions": self.dimensions, "StorageResolution": 1, **datum}
        self.client.put_metric_data(Namespace="AWS/ApplicationELB", MetricData=[wanted])

    def read(self, start: datetime, end: datetime, stat: str = "Sum", **metric: Any) -> dict[datetime, float]:
        named = {
            "Namespace": "AWS/ApplicationELB",
            "MetricName": "RequestCount",
            "Dimensions": self.dimensions,
            **metric,
        }
        query = {"Id": "q", "MetricStat": {"Metric": named, "Period": 5, "Stat": stat}}
        answer = self.client.get_metric_data(MetricDataQueries=[query], StartTime=start, EndTime=end)
        result = answer["MetricDataResults"][0]
        return dict(zip(result["Timestamps"], result["Values"], strict=True))


@pytest.fixture
def metrics(aws: AwsClient, name: str) -> Metrics:
    return Metrics(aws("cloudwatch"), name)


def test_sums_are_per_aligned_period_and_a_period_without_data_is_missing(metrics: Metrics) -> None:
    begin = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
    for second, value in ((1, 7), (4, 3), (11, 5)):
        metrics.put(Timestamp=begin + timedelta(seconds=second), Value=value)
    found = metrics.read(begin + timedelta(seconds=2), begin + timedelta(seconds=60))
    assert found == {begin: 10.0, begin + timedelta(seconds=10): 5.0}


def test_the_period_that_starts_at_the_end_is_omitted(metrics: Metrics) -> None:
    begin = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
    metrics.put(Timestamp=begin + timedelta(seconds=5), Value=1)
    assert metrics.read(begin, begin + timedelta(seconds=5)) == {}


def test_a_metric_is_read_with_exactly_its_dimensions(metrics: Metrics) -> None:
    begin = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
    metrics.put(Timestamp=begin, Value=1)
    assert metrics.read(begin, begin + timedelta(seconds=5), Dimensions=metrics.dimensions[:1]) == {}
    assert metrics.read(begin, begin + timedelta(seconds=5), Dimensions=metrics.dimensions[::-1]) == {begin: 1.0}


@pytest.mark.parametrize(
    ("stat", "value"), [("SampleCount", 100), ("p99", 0.9), ("p90", 0.1), ("PR(:0.2)", 98), ("TC(0.2:)", 2)]
)
def test_counted_values_have_percentiles_and_ranks(metrics: Metrics, stat: str, value: float) -> None:
    begin = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
    metrics.put(Timestamp=begin, Values=[0.1, 0.2, 0.9], Counts=[90, 8, 2])
    assert metrics.read(begin, begin + timedelta(seconds=5), stat) == {begin: pytest.approx(value)}


def test_a_metric_is_listed_once(metrics: Metrics) -> None:
    begin = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
    for second in range(3):
        metrics.put(Timestamp=begin + timedelta(seconds=second), Value=1)
    listed = metrics.client.list_metrics(Dimensions=[{"Name": "TargetGroup", "Value": metrics.arm}])["Metrics"]
    assert [metric["MetricName"] for metric in listed] == ["RequestCount"]


def test_a_new_alarm_has_no_data_yet(aws: AwsClient, name: str) -> None:
    aws("cloudwatch").put_metric_alarm(
        AlarmName=name,
        Namespace="n",
        MetricName="m",
        Period=60,
        EvaluationPeriods=1,
        Statistic="Sum",
        Threshold=1.0,
        ComparisonOperator="GreaterThanThreshold",
    )
    assert aws("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"] == "INSUFFICIENT_DATA"


def test_one_of_many_conditional_writes_succeeds(aws: AwsClient, name: str) -> None:
    dynamodb, s3 = aws("dynamodb"), aws("s3")
    key = {"AttributeName": "k", "AttributeType": "S"}
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[key],
        BillingMode="PAY_PER_REQUEST",
    )
    s3.create_bucket(Bucket=name)

    def put_item(_: int) -> bool:
        item = {"TableName": name, "Item": {"k": {"S": "lock"}}, "ConditionExpression": "attribute_not_exists(k)"}
        return _succeeds(lambda: dynamodb.put_item(**item), "ConditionalCheckFailedException")

    def put_object(_: int) -> bool:
        return _succeeds(
            lambda: s3.put_object(Bucket=name, Key="lock", Body=b"x", IfNoneMatch="*"), "PreconditionFailed"
        )

    with ThreadPoolExecutor(CONTENDERS) as pool:
        assert sum(pool.map(put_item, range(CONTENDERS))) == 1
        assert sum(pool.map(put_object, range(CONTENDERS))) == 1


def _succeeds(call: Callable[[], Any], refusal: str) -> bool:
    """Whether the write succeeded. False for the error `refusal`; other errors are raised."""
    try:
        call()
    except ClientError as error:
        if error.response["Error"]["Code"] != refusal:
            raise
        return False
    return True
