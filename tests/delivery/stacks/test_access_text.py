"""Values and conditions of a template or a change set as short text."""

from typing import Any

import pytest

from delivery.stacks.access_text import describe_conditions, readable, text_of

ACCOUNT = {"Ref": "AWS::AccountId"}
TRAIL = ["arn:", {"Ref": "AWS::Partition"}, ":cloudtrail:", {"Ref": "AWS::Region"}, ":", ACCOUNT, ":trail/the-trail"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("sg-1", "sg-1"),
        ({"Ref": "Alerts91F83244"}, "Alerts"),
        ({"Ref": "Cluster"}, "Cluster"),
        ({"Fn::GetAtt": ["WorkloadGroupDA0A067E", "GroupId"]}, "WorkloadGroup"),
        ({"Fn::GetAtt": "TrailBucketA831CE63.Arn"}, "TrailBucket"),
        ({"Fn::GetAtt": ["Cluster", "ClusterSecurityGroupId"]}, "Cluster.ClusterSecurityGroupId"),
        ({"Fn::Join": ["", TRAIL]}, "arn:aws:cloudtrail:…:trail/the-trail"),
        ({"Fn::Sub": "arn:${AWS::Partition}:s3:::${Data0A1B2C3D}/*"}, "arn:aws:s3:::Data/*"),
        ({"Fn::Sub": ["${Name}-${AWS::Region}", {"Name": {"Ref": "Data0A1B2C3D"}}]}, "Data-(this region)"),
        (ACCOUNT, "this account"),
        ({"Ref": "AWS::Region"}, "this region"),
        ({"Fn::Join": [":", ["arn", {"Ref": "AWS::Partition"}, "iam", "", ACCOUNT, "root"]]}, "this account"),
        ({"Fn::Join": ["", ["arn:aws:iam::", ACCOUNT, ":role/x"]]}, "arn:aws:iam:…:role/x"),
        ({"Fn::Select": [0, {"Fn::GetAZs": ""}]}, '{"Fn::Select": [0, {"Fn::GetAZs": ""}]}'),
    ],
)
def test_a_value_of_a_template_is_short_text(value: Any, text: str) -> None:
    assert readable(text_of(value)) == text


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        ({"StringEquals": {"aws:SourceAccount": ACCOUNT}}, "aws:SourceAccount is this account"),
        ({"ArnLike": {"aws:SourceArn": "arn:x:*"}}, "aws:SourceArn is like arn:x:*"),
        ({"Null": {"aws:RequestTag/a": "false"}}, "aws:RequestTag/a is present"),
        ({"Null": {"aws:RequestTag/a": True}}, "aws:RequestTag/a is absent"),
        ({"StringEquals": {"a:b": ["x", "y", "z"]}}, "a:b is x, y or z"),
        ({"Bool": {"aws:SecureTransport": "true"}}, "aws:SecureTransport is true"),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, "aws:SourceIp is in 10.0.0.0/8"),
        ({"StringNotEqualsIfExists": {"a:b": "x"}}, "a:b (if present) is not x"),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": "a"}}, "each value of aws:TagKeys is a"),
        ({"NumericLessThan": {"a:b": 3}}, "a:b NumericLessThan 3"),
        ({"Null": {"a": "false"}, "StringEquals": {"b": "x", "c": "y"}}, "a is present and b is x and c is y"),
    ],
)
def test_a_condition_is_described_in_words(condition: dict[str, dict[str, Any]], text: str) -> None:
    assert describe_conditions(condition) == text
