"""What a release reads from the cloud assembly."""

import json
from typing import Any

import pytest

from delivery.errors import SettingsError
from delivery.stacks.assembly import StackSpec, parse_assembly


def artifact(name: str, *needs: str, **properties: Any) -> dict[str, Any]:
    properties = {"stackName": f"genai-demo-production-{name.lower()}", "templateFile": f"{name}.json", **properties}
    return {"type": "aws:cloudformation:stack", "properties": properties, "dependencies": list(needs)}


def parse(**artifacts: dict[str, Any]) -> tuple[StackSpec, ...]:
    return parse_assembly({"artifacts": artifacts}, lambda file: json.dumps({"Resources": {}, "Description": file}))


def test_each_stack_comes_after_those_it_depends_on() -> None:
    stacks = parse(EKS=artifact("EKS", "MSK", "Network"), MSK=artifact("MSK", "Network"), Network=artifact("Network"))
    assert [stack.id for stack in stacks] == ["Network", "MSK", "EKS"]


def test_independent_stacks_keep_the_manifests_order() -> None:
    stacks = parse(RDS=artifact("RDS"), MSK=artifact("MSK"), EKS=artifact("EKS"))
    assert [stack.id for stack in stacks] == ["RDS", "MSK", "EKS"]


def test_a_dependency_on_a_file_is_not_a_dependency_on_a_stack() -> None:
    assets = {"type": "cdk:asset-manifest"}
    (stack,) = parse_assembly(
        {"artifacts": {"MSK.assets": assets, "MSK": artifact("MSK", "MSK.assets")}}, lambda _: '{"Resources": {}}'
    )
    assert stack.depends_on == ()


def test_a_stack_has_the_template_tags_and_protection_of_its_artifact() -> None:
    (stack,) = parse(MSK=artifact("MSK", tags={"Project": "genai-demo"}, terminationProtection=True))
    assert stack == StackSpec(
        id="MSK",
        name="genai-demo-production-msk",
        template='{"Resources": {}, "Description": "MSK.json"}',
        tags={"Project": "genai-demo"},
        is_protected=True,
    )


def test_a_cycle_of_stacks_is_an_error_with_their_names() -> None:
    with pytest.raises(SettingsError, match=r"cycle: (EKS -> MSK -> EKS|MSK -> EKS -> MSK)\."):
        parse(EKS=artifact("EKS", "MSK"), MSK=artifact("MSK", "EKS"))


def test_an_assembly_without_stacks_is_an_error() -> None:
    with pytest.raises(SettingsError, match="contains no stack"):
        parse_assembly({"artifacts": {"Tree": {"type": "cdk:tree"}}}, lambda _: "{}")


@pytest.mark.parametrize(
    ("resource_type", "capabilities"), [("AWS::IAM::Role", ("CAPABILITY_NAMED_IAM",)), ("AWS::S3::Bucket", ())]
)
def test_the_capabilities_depend_on_the_resources_of_the_template(
    resource_type: str, capabilities: tuple[str, ...]
) -> None:
    template = json.dumps({"Resources": {"One": {"Type": resource_type}}})
    assert StackSpec(id="One", name="one", template=template).capabilities == capabilities
