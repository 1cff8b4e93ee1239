"""Change sets behave as in CloudFormation."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.tests.aws.conftest import AwsClient
from sandbox.tests.aws.stacks import deployed, error_code, finished, planned, queues


def test_a_first_change_set_leaves_the_stack_in_review(cfn: Any, name: str) -> None:
    plan = planned(cfn, name, queues(name))
    assert (plan["Status"], plan["ExecutionStatus"]) == ("CREATE_COMPLETE", "AVAILABLE")
    assert [change["ResourceChange"]["Action"] for change in plan["Changes"]] == ["Add"]
    assert cfn.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"] == "REVIEW_IN_PROGRESS"


def test_a_repeat_with_the_same_token_is_the_same_change_set(cfn: Any, name: str) -> None:
    wanted = {"StackName": name, "ChangeSetName": "plan", "ChangeSetType": "CREATE", "ClientToken": "once"}
    first = cfn.create_change_set(TemplateBody=json.dumps(queues(name)), **wanted)
    second = cfn.create_change_set(TemplateBody=json.dumps(queues(name)), **wanted)
    assert (first["Id"], first["StackId"]) == (second["Id"], second["StackId"])


def test_a_name_in_use_is_rejected_without_its_token(cfn: Any, name: str) -> None:
    planned(cfn, name, queues(name), ChangeSetName="plan")
    code = error_code(lambda: planned(cfn, name, queues(name), ChangeSetName="plan", ClientToken="other"))
    assert code == "AlreadyExistsException"


def test_creating_a_stack_that_exists_is_rejected(cfn: Any, name: str) -> None:
    deployed(cfn, name, queues(name))
    with pytest.raises(ClientError, match="already exists"):
        planned(cfn, name, queues(name))


def test_updating_a_stack_that_does_not_exist_is_rejected(cfn: Any, name: str) -> None:
    with pytest.raises(ClientError, match="does not exist"):
        planned(cfn, name, queues(name), "UPDATE")


def test_updating_a_stack_in_review_is_rejected(cfn: Any, name: str) -> None:
    planned(cfn, name, queues(name))
    with pytest.raises(ClientError, match="REVIEW_IN_PROGRESS state and can not be updated"):
        planned(cfn, name, queues(name), "UPDATE")


def test_the_same_template_again_has_no_changes_and_cannot_be_executed(cfn: Any, name: str) -> None:
    deployed(cfn, name, queues(name))
    plan = planned(cfn, name, queues(name), "UPDATE")
    assert (plan["Status"], plan["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    assert "didn't contain changes" in plan["StatusReason"]
    code = error_code(lambda: cfn.execute_change_set(ChangeSetName=plan["ChangeSetId"]))
    assert code == "InvalidChangeSetStatus"


def test_a_change_of_only_the_tags_is_a_change(cfn: Any, name: str) -> None:
    deployed(cfn, name, queues(name), Tags=[{"Key": "a", "Value": "1"}])
    plan = planned(cfn, name, queues(name), "UPDATE", Tags=[{"Key": "a", "Value": "2"}])
    assert (plan["Status"], plan["Changes"]) == ("CREATE_COMPLETE", [])


def test_a_changed_property_is_shown_before_and_after(cfn: Any, name: str) -> None:
    deployed(cfn, name, queues(name, DelaySeconds=1))
    change = planned(cfn, name, queues(name, DelaySeconds=2), "UPDATE")["Changes"][0]["ResourceChange"]
    target = change["Details"][0]["Target"]
    assert (change["Action"], change["Replacement"]) == ("Modify", "False")
    assert (target["Name"], target["BeforeValue"], target["AfterValue"]) == ("DelaySeconds", "1", "2")
    assert target["RequiresRecreation"] == "Never"


def test_a_property_set_at_creation_only_replaces_the_resource(cfn: Any, name: str) -> None:
    deployed(cfn, name, queues(name))
    change = planned(cfn, name, queues(f"{name}-b"), "UPDATE")["Changes"][0]["ResourceChange"]
    assert change["Replacement"] == "True"
    assert change["Details"][0]["Target"]["RequiresRecreation"] == "Always"


def test_a_reference_to_a_replaced_resource_is_known_after_apply(cfn: Any, name: str) -> None:
    def template(queue: str) -> dict[str, Any]:
        parameter = {"Name": f"/{name}", "Type": "String", "Value": {"Fn::GetAtt": ["Queue0", "Arn"]}}
        body = queues(queue)
        body["Resources"]["Parameter"] = {"Type": "AWS::SSM::Parameter", "Properties": parameter}
        return body

    deployed(cfn, name, template(name))
    changes = planned(cfn, name, template(f"{name}-b"), "UPDATE")["Changes"]
    parameter = next(
        one["ResourceChange"] for one in changes if one["ResourceChange"]["LogicalResourceId"] == "Parameter"
    )
    assert parameter["Details"][0]["Target"]["AfterValue"] == "{{changeSet:KNOWN_AFTER_APPLY}}"
    assert parameter["Details"][0]["ChangeSource"] == "ResourceAttribute"


def test_a_resource_that_reads_an_attribute_of_a_changed_resource_is_listed(cfn: Any, name: str) -> None:
    def template(text: str) -> dict[str, Any]:
        settings = {"Name": name, "KafkaVersionsList": ["3.9.x"], "ServerProperties": text}
        revision = {"Fn::GetAtt": ["Settings", "LatestRevision.Revision"]}
        resources = {
            "Settings": {"Type": "AWS::MSK::Configuration", "Properties": settings},
            "Parameter": {
                "Type": "AWS::SSM::Parameter",
                "Properties": {"Name": f"/{name}", "Type": "String", "Value": revision},
            },
        }
        return {"Resources": resources}

    deployed(cfn, name, template("a=1\n"))
    changes = planned(cfn, name, template("a=2\n"), "UPDATE")["Changes"]
    listed = {one["ResourceChange"]["LogicalResourceId"]: one["ResourceChange"]["Replacement"] for one in changes}
    assert listed == {"Settings": "False", "Parameter": "False"}


def test_a_changed_value_in_the_parameter_store_is_a_change(cfn: Any, aws: AwsClient, name: str) -> None:
    template = queues(name, DelaySeconds={"Ref": "Delay"})
    template["Parameters"] = {"Delay": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": f"/{name}"}}
    aws("ssm").put_parameter(Name=f"/{name}", Value="3", Type="String")
    deployed(cfn, name, template)
    aws("ssm").put_parameter(Name=f"/{name}", Value="4", Type="String", Overwrite=True)
    change = planned(cfn, name, template, "UPDATE")["Changes"][0]["ResourceChange"]
    assert change["Details"][0]["ChangeSource"] == "ParameterReference"
    assert change["Details"][0]["Target"]["AfterValue"] == "4"


def test_a_parameter_that_is_not_in_the_parameter_store_is_rejected(cfn: Any, name: str) -> None:
    template = queues(name, DelaySeconds={"Ref": "Delay"})
    template["Parameters"] = {"Delay": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": f"/{name}"}}
    with pytest.raises(ClientError, match="Unable to fetch parameters"):
        planned(cfn, name, template)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("not a template", "unsupported structure"),
        ('{"Resources": {}}', "At least one Resources member"),
        ('{"Resources": {"X": {"Type": "AWS::Nope::X"}}}', "Unrecognized resource types"),
        ('{"Resources": {"X": {"Type": "AWS::SQS::Queue", "DependsOn": "Y"}}}', "Unresolved resource dependencies"),
        (json.dumps({**queues("q"), "Description": "x" * 51_200}), "less than or equal to 51200"),
    ],
)
def test_an_invalid_template_is_rejected(cfn: Any, name: str, body: str, reason: str) -> None:
    with pytest.raises(ClientError, match=reason):
        planned(cfn, name, body)


def test_a_template_with_roles_needs_a_capability(cfn: Any, name: str) -> None:
    role = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": name, "AssumeRolePolicyDocument": {}}}
    code = error_code(lambda: planned(cfn, name, {"Resources": {"R": role}}, Capabilities=["CAPABILITY_IAM"]))
    assert code == "InsufficientCapabilitiesException"


def test_change_sets_of_one_name_belong_to_their_stacks(cfn: Any, name: str) -> None:
    first = planned(cfn, f"{name}-a", queues(f"{name}-a"), ChangeSetName="same")
    second = planned(cfn, f"{name}-b", queues(f"{name}-b"), ChangeSetName="same")
    found = cfn.describe_change_set(ChangeSetName="same", StackName=f"{name}-a")
    assert found["ChangeSetId"] == first["ChangeSetId"] != second["ChangeSetId"]


def test_a_deleted_change_set_is_not_found(cfn: Any, name: str) -> None:
    plan = planned(cfn, name, queues(name))
    cfn.delete_change_set(ChangeSetName=plan["ChangeSetId"])
    assert error_code(lambda: cfn.describe_change_set(ChangeSetName=plan["ChangeSetId"])) == "ChangeSetNotFound"


def test_a_repeated_execution_does_nothing_with_its_token_and_is_rejected_with_another(cfn: Any, name: str) -> None:
    plan = planned(cfn, name, queues(name))
    for _ in range(2):
        cfn.execute_change_set(ChangeSetName=plan["ChangeSetId"], ClientRequestToken="first")
    finished(cfn, name)
    cfn.execute_change_set(ChangeSetName=plan["ChangeSetId"], ClientRequestToken="first")
    second = error_code(lambda: cfn.execute_change_set(ChangeSetName=plan["ChangeSetId"], ClientRequestToken="second"))
    events = cfn.describe_stack_events(StackName=name)["StackEvents"]
    assert second == "InvalidChangeSetStatus"
    assert [event["ResourceStatus"] for event in events if event["LogicalResourceId"] == name].count(
        "CREATE_COMPLETE"
    ) == 1


def test_executing_one_change_set_makes_the_others_obsolete(cfn: Any, name: str) -> None:
    first, second = (planned(cfn, name, queues(name)) for _ in range(2))
    cfn.execute_change_set(ChangeSetName=first["ChangeSetId"])
    assert cfn.describe_change_set(ChangeSetName=second["ChangeSetId"])["ExecutionStatus"] == "OBSOLETE"


def test_a_template_in_a_bucket_may_be_larger_than_a_request(cfn: Any, aws: AwsClient, name: str) -> None:
    large = {**queues(name), "Metadata": {"why": "x" * 60_000}}
    aws("s3").create_bucket(Bucket=name)
    aws("s3").put_object(Bucket=name, Key="templates/one.json", Body=json.dumps(large).encode())
    url = f"https://{name}.s3.us-east-1.amazonaws.com/templates/one.json"
    made = cfn.create_change_set(StackName=name, ChangeSetName="plan", ChangeSetType="CREATE", TemplateURL=url)
    assert cfn.get_template(StackName=name, ChangeSetName=made["Id"])["TemplateBody"] == large


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://{name}.s3.us-east-1.amazonaws.com/none.json", "S3 error: The specified bucket does not exist"),
        ("https://example.com/none.json", "TemplateURL must be a supported URL"),
    ],
)
def test_a_template_url_without_a_template_is_rejected(cfn: Any, name: str, url: str, words: str) -> None:
    with pytest.raises(ClientError, match=words):
        cfn.create_change_set(
            StackName=name, ChangeSetName="plan", ChangeSetType="CREATE", TemplateURL=url.format(name=name)
        )
