"""The access that a change newly grants."""

from typing import Any

from delivery.plan import Phase, ReleasePlan, Step, StepAction
from delivery.plan_text import describe_plan
from delivery.stacks.access import Grant, find_new_grants, list_new_access
from delivery.stacks.planning import plan_stacks
from delivery.stacks.state import ObservedStack, ResourceChange
from tests.delivery.stacks.specs import spec, state


def policy(*actions: str, resource: Any = "*", effect: str = "Allow", **more: Any) -> dict[str, Any]:
    statement = {"Effect": effect, "Action": list(actions), "Resource": resource, **more}
    return {"PolicyDocument": {"Statement": [statement]}}


def lines(before: dict[str, Any], after: dict[str, Any], logical_id: str = "AppRole") -> tuple[str, ...]:
    return tuple(access.says for access in list_new_access([(logical_id, before, after)]))


def test_an_added_action_is_new_access() -> None:
    assert lines(policy("s3:GetObject"), policy("s3:GetObject", "s3:PutObject")) == (
        "AppRole may use s3:PutObject on all resources",
    )


def test_a_removed_action_is_no_new_access() -> None:
    assert lines(policy("s3:GetObject", "s3:PutObject"), policy("s3:GetObject")) == ()


def test_the_same_statement_in_another_order_is_no_new_access() -> None:
    assert lines(policy("a:One", "a:Two"), policy("a:Two", "a:One")) == ()


def test_a_removed_condition_is_new_access() -> None:
    before = policy("kms:Decrypt", Condition={"StringEquals": {"aws:SourceAccount": "1"}})
    assert lines(before, policy("kms:Decrypt")) == ("AppRole may use kms:Decrypt on all resources",)


def test_a_removed_denial_is_new_access() -> None:
    assert lines(policy("s3:*", effect="Deny"), {}) == ("AppRole is no longer denied s3:* on all resources",)


def test_a_new_denial_is_no_new_access() -> None:
    assert lines({}, policy("s3:*", effect="Deny")) == ()


def trust_policy(effect: str) -> dict[str, Any]:
    statement = {"Effect": effect, "Action": "sts:AssumeRole", "Principal": {"Service": "pods.amazonaws.com"}}
    return {"AssumeRolePolicyDocument": {"Statement": statement}}


def test_a_trust_policy_names_who_may_assume_the_role() -> None:
    assert lines({}, trust_policy("Allow")) == ("pods.amazonaws.com may assume the role AppRole",)


def test_a_removed_denial_in_a_trust_policy_is_new_access() -> None:
    assert lines(trust_policy("Deny"), {}) == ("pods.amazonaws.com is no longer denied sts:AssumeRole on AppRole",)


def test_an_action_with_port_in_its_name_is_an_action() -> None:
    assert lines({}, policy("support:DescribeCases")) == ("AppRole may use support:DescribeCases on all resources",)


def test_an_attached_aws_managed_policy_is_new_access() -> None:
    arn = {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":iam::aws:policy/AdministratorAccess"]]}
    assert lines({"ManagedPolicyArns": []}, {"ManagedPolicyArns": [arn]}) == (
        "AppRole gets the AWS managed policy AdministratorAccess",
    )


def test_an_inline_policy_of_a_role_grants_access() -> None:
    assert find_new_grants({}, {"Policies": [{"PolicyName": "one", **policy("a:One")}]}) == {
        Grant(what="a:One", on="*")
    }


def test_an_ingress_rule_of_a_security_group_grants_access() -> None:
    rule = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "CidrIp": "0.0.0.0/0"}
    assert lines({}, {"SecurityGroupIngress": [rule]}, "Database") == (
        "0.0.0.0/0 may connect to Database on port 5432",
    )


def test_an_ingress_rule_outside_its_security_group_grants_access() -> None:
    rule = {"GroupId": "sg-1", "IpProtocol": "-1", "SourceSecurityGroupId": {"Fn::GetAtt": ["Pods", "GroupId"]}}
    assert lines({}, rule, "Rule") == ("Pods may connect to sg-1 on all ports",)


def test_a_public_network_of_the_kubernetes_api_gets_access() -> None:
    before, after = ({"ResourcesVpcConfig": {"PublicAccessCidrs": networks}} for networks in (["10.0.0.0/8"], ["::/0"]))
    assert lines(before, after, "Cluster") == ("::/0 may connect to Cluster on all ports",)


def test_the_fourth_and_later_actions_are_counted() -> None:
    assert lines({}, policy("a:1", "a:2", "a:3", "a:4", "a:5")) == (
        "AppRole may use a:1, a:2, a:3 and 2 more on all resources",
    )


def test_a_plan_shows_the_new_access_of_a_changed_stack_in_its_own_section() -> None:
    change = ResourceChange(
        logical_id="AppPolicy",
        type="AWS::IAM::Policy",
        action="Modify",
        before=policy("s3:GetObject"),
        after=policy("s3:*"),
    )
    found = ObservedStack(id="RDS", state=state(), changes=(change,), is_changed=True)
    (step,) = plan_stacks([spec()], {"RDS": found}).steps
    text = describe_plan(ReleasePlan(environment="production", artifact_digest="sha256:0", steps=(step,)))
    assert "New access:\n  RDS\n    AppPolicy may use s3:* on all resources\n" in text


def test_an_access_contains_its_sentence_and_the_full_statement() -> None:
    condition = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    queue = {"Fn::GetAtt": ["Queue91F83244", "Arn"]}
    (access,) = list_new_access(
        [("AppRole", {}, policy("a:1", "a:2", "a:3", "a:4", resource=queue, Condition=condition))]
    )
    assert access.says == "AppRole may use a:1, a:2, a:3 and 1 more on Queue if aws:SourceAccount is this account"
    assert access.what == ("a:1", "a:2", "a:3", "a:4")
    assert (access.on, access.under) == ("${Queue91F83244.Arn}", condition)


def test_not_action_and_not_resource_are_described_as_exceptions() -> None:
    statement = {"Effect": "Allow", "NotAction": ["iam:*", "kms:*"], "NotResource": "arn:x"}
    assert lines({}, {"PolicyDocument": {"Statement": statement}}) == (
        "AppRole may use all actions except iam:*, kms:* on all resources except arn:x",
    )


def test_a_policy_of_a_role_grants_access_to_the_role() -> None:
    attached = policy("a:1") | {"Roles": [{"Ref": "AppRoleDC883459"}]}
    assert lines({}, attached, "AppRoleDefaultPolicy1872B475") == ("AppRole may use a:1 on all resources",)


def test_a_plan_without_new_access_has_no_such_section() -> None:
    step = Step(phase=Phase.STACKS, name="RDS", action=StepAction.CHANGE, changes=("~ one",))
    plan = ReleasePlan(environment="production", artifact_digest="sha256:0", steps=(step,))
    assert "access" not in describe_plan(plan).lower()
