"""What a change lets somebody do who could not before."""

from typing import Any

from delivery.plan import Phase, ReleasePlan, Step, StepAction
from delivery.plan_text import describe_plan
from delivery.stacks.access import Grant, describe_widening, widened
from delivery.stacks.planning import plan_stacks
from delivery.stacks.state import ObservedStack, ResourceChange
from tests.delivery.stacks.specs import spec, state


def policy(*actions: str, resource: Any = "*", effect: str = "Allow", **more: Any) -> dict[str, Any]:
    statement = {"Effect": effect, "Action": list(actions), "Resource": resource, **more}
    return {"PolicyDocument": {"Statement": [statement]}}


def lines(before: dict[str, Any], after: dict[str, Any], logical_id: str = "AppRole") -> tuple[str, ...]:
    return tuple(access.says for access in describe_widening([(logical_id, before, after)]))


def test_an_action_that_was_added_widens() -> None:
    assert lines(policy("s3:GetObject"), policy("s3:GetObject", "s3:PutObject")) == (
        "AppRole may s3:PutObject on everything",
    )


def test_an_action_that_was_taken_away_does_not_widen() -> None:
    assert lines(policy("s3:GetObject", "s3:PutObject"), policy("s3:GetObject")) == ()


def test_the_same_statement_in_another_order_does_not_widen() -> None:
    assert lines(policy("a:One", "a:Two"), policy("a:Two", "a:One")) == ()


def test_a_condition_that_was_taken_away_widens() -> None:
    before = policy("kms:Decrypt", Condition={"StringEquals": {"aws:SourceAccount": "1"}})
    assert lines(before, policy("kms:Decrypt")) == ("AppRole may kms:Decrypt on everything",)


def test_a_denial_that_was_taken_away_widens() -> None:
    assert lines(policy("s3:*", effect="Deny"), {}) == ("AppRole is no longer denied s3:* on everything",)


def test_a_new_denial_does_not_widen() -> None:
    assert lines({}, policy("s3:*", effect="Deny")) == ()


def test_who_may_take_a_role_is_told() -> None:
    trust = {
        "AssumeRolePolicyDocument": {
            "Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "pods.amazonaws.com"}}
        }
    }
    assert lines({}, trust) == ("pods.amazonaws.com may take the role AppRole",)


def test_a_policy_of_aws_that_is_attached_is_told() -> None:
    arn = {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":iam::aws:policy/AdministratorAccess"]]}
    assert lines({"ManagedPolicyArns": []}, {"ManagedPolicyArns": [arn]}) == (
        "AppRole has AWS's policy AdministratorAccess",
    )


def test_an_inline_policy_of_a_role_is_looked_into() -> None:
    assert widened({}, {"Policies": [{"PolicyName": "one", **policy("a:One")}]}) == {Grant(what="a:One", on="*")}


def test_a_source_that_a_group_admits_is_told() -> None:
    rule = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "CidrIp": "0.0.0.0/0"}
    assert lines({}, {"SecurityGroupIngress": [rule]}, "Database") == ("0.0.0.0/0 may reach Database on port 5432",)


def test_a_rule_beside_its_group_is_told() -> None:
    rule = {"GroupId": "sg-1", "IpProtocol": "-1", "SourceSecurityGroupId": {"Fn::GetAtt": ["Pods", "GroupId"]}}
    assert lines({}, rule, "Rule") == ("Pods may reach sg-1 on every port",)


def test_a_network_that_reaches_the_kubernetes_api_is_told() -> None:
    before, after = ({"ResourcesVpcConfig": {"PublicAccessCidrs": networks}} for networks in (["10.0.0.0/8"], ["::/0"]))
    assert lines(before, after, "Cluster") == ("::/0 may reach Cluster on every port",)


def test_many_actions_are_counted() -> None:
    assert lines({}, policy("a:1", "a:2", "a:3", "a:4", "a:5")) == (
        "AppRole may a:1, a:2, a:3 and 2 more on everything",
    )


def test_a_plan_shows_apart_what_a_changed_stack_lets_do() -> None:
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
    assert "Access that is given:\n  RDS\n    AppPolicy may s3:* on everything\n" in text


def test_the_statement_stands_in_full_beside_what_is_said_of_it() -> None:
    condition = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    queue = {"Fn::GetAtt": ["Queue91F83244", "Arn"]}
    (access,) = describe_widening(
        [("AppRole", {}, policy("a:1", "a:2", "a:3", "a:4", resource=queue, Condition=condition))]
    )
    assert access.says == "AppRole may a:1, a:2, a:3 and 1 more on Queue where aws:SourceAccount is this account"
    assert access.what == ("a:1", "a:2", "a:3", "a:4")
    assert (access.on, access.under) == ("${Queue91F83244.Arn}", condition)


def test_all_but_what_a_statement_leaves_out_is_told_as_that() -> None:
    statement = {"Effect": "Allow", "NotAction": ["iam:*", "kms:*"], "NotResource": "arn:x"}
    assert lines({}, {"PolicyDocument": {"Statement": statement}}) == (
        "AppRole may anything but iam:*, kms:* on anything but arn:x",
    )


def test_a_policy_is_told_by_the_role_that_carries_it() -> None:
    attached = policy("a:1") | {"Roles": [{"Ref": "AppRoleDC883459"}]}
    assert lines({}, attached, "AppRoleDefaultPolicy1872B475") == ("AppRole may a:1 on everything",)


def test_a_plan_that_gives_no_access_does_not_speak_of_it() -> None:
    step = Step(phase=Phase.STACKS, name="RDS", action=StepAction.CHANGE, changes=("~ one",))
    plan = ReleasePlan(environment="production", artifact_digest="sha256:0", steps=(step,))
    assert "Access" not in describe_plan(plan)
