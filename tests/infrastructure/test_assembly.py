"""Properties of the committed cloud assembly."""

import json
import re

import pytest

from infrastructure.cdk.sources import DIGESTS, digest_sources, list_sources
from infrastructure.cdk.stacks.outputs import OUTPUTS
from tests.infrastructure.assembly import ASSEMBLY, ROOT, read_stacks, read_template

DATA_STACKS = ("MSKStack", "RDSStack", "EKSStack")
NAMES = {
    "NetworkStack": "network",
    "SecurityStack": "security",
    "MSKStack": "msk",
    "RDSStack": "rds",
    "EKSStack": "eks",
    "ObservabilityStack": "observability",
}
# The limit of CloudFormation for a template in a request.
INLINE_LIMIT_BYTES = 51_200
# The deletion policies that keep the data of a resource.
KEPT = {"Retain", "RetainExceptOnCreate", "Snapshot"}
STATEFUL = {
    "AWS::KMS::Key",
    "AWS::S3::Bucket",
    "AWS::SecretsManager::Secret",
    "AWS::MSK::Cluster",
    "AWS::RDS::DBInstance",
    "AWS::ElastiCache::ReplicationGroup",
    "AWS::Logs::LogGroup",
}


def test_the_assembly_was_synthesized_from_the_current_sources() -> None:
    assert (ASSEMBLY / DIGESTS).read_text("utf-8") == digest_sources()


def test_the_sources_include_the_app_its_stacks_the_dashboard_and_the_locked_library() -> None:
    sources = {path.relative_to(ROOT).as_posix() for path in list_sources()}
    assert sources >= {
        "infrastructure/cdk/app.py",
        "infrastructure/cdk.json",
        "infrastructure/cdk/stacks/msk.py",
        "infrastructure/dashboards/observability.json",
        "requirements/synth.txt",
    }


def test_a_changed_source_changes_the_digest(tmp_path) -> None:
    (tmp_path / "infrastructure" / "cdk").mkdir(parents=True)
    app = tmp_path / "infrastructure" / "cdk" / "app.py"
    app.write_text("one")
    before = digest_sources(tmp_path)
    app.write_text("two")
    assert digest_sources(tmp_path) != before


def test_the_stacks_have_the_names_of_the_guide() -> None:
    names = {stack: artifact["properties"]["stackName"] for stack, artifact in read_stacks().items()}
    assert names == {stack: f"genai-demo-production-{suffix}" for stack, suffix in NAMES.items()}


def test_brokers_database_and_cluster_depend_only_on_the_security_stack() -> None:
    dependencies = {stack: set(artifact.get("dependencies", ())) for stack, artifact in read_stacks().items()}
    assert dependencies == {
        "NetworkStack": set(),
        "SecurityStack": {"NetworkStack"},
        **{stack: {"SecurityStack"} for stack in DATA_STACKS},
        "ObservabilityStack": set(DATA_STACKS),
    }


def test_the_manifest_lists_a_stack_after_those_that_it_depends_on() -> None:
    stacks = list(read_stacks())
    for stack, artifact in read_stacks().items():
        assert all(stacks.index(earlier) < stacks.index(stack) for earlier in artifact.get("dependencies", ()))


@pytest.mark.parametrize("stack", NAMES)
def test_a_stack_has_termination_protection(stack: str) -> None:
    assert read_stacks()[stack]["properties"]["terminationProtection"] is True


@pytest.mark.parametrize("stack", NAMES)
def test_a_stack_has_the_specified_outputs_and_no_others(stack: str) -> None:
    assert set(read_template(stack)["Outputs"]) == set(OUTPUTS[stack])


@pytest.mark.parametrize("stack", NAMES)
def test_no_output_is_exported(stack: str) -> None:
    assert not [name for name, output in read_template(stack)["Outputs"].items() if "Export" in output]
    assert "Fn::ImportValue" not in json.dumps(read_template(stack))


@pytest.mark.parametrize("stack", NAMES)
def test_a_template_is_small_enough_for_a_request(stack: str) -> None:
    size = (ASSEMBLY / read_stacks()[stack]["properties"]["templateFile"]).stat().st_size
    assert size < INLINE_LIMIT_BYTES


@pytest.mark.parametrize("stack", NAMES)
def test_a_template_works_in_any_account_and_region(stack: str) -> None:
    text = json.dumps(read_template(stack))
    assert not re.search(r"\b\d{12}\b", text)
    assert not re.search(r"\b(us|eu|ap|sa|ca|me|af)-[a-z]+-\d", text)
    assert read_stacks()[stack]["environment"] == "aws://unknown-account/unknown-region"


@pytest.mark.parametrize("stack", NAMES)
def test_a_template_needs_no_function_no_asset_and_no_bootstrap(stack: str) -> None:
    template = read_template(stack)
    types = {resource["Type"] for resource in template["Resources"].values()}
    assert not {name for name in types if name.startswith(("Custom::", "AWS::CloudFormation::", "AWS::Lambda::"))}
    assert not [name for name in template.get("Parameters", {}) if "Bootstrap" in name or "Asset" in name]


def test_the_manifest_contains_only_stacks() -> None:
    assert {artifact["type"] for artifact in read_stacks().values()} == {"aws:cloudformation:stack"}


@pytest.mark.parametrize("stack", NAMES)
def test_a_value_is_read_only_after_the_stack_that_publishes_it(stack: str) -> None:
    earlier = {path for name in list_earlier(stack) for path in list_published(name)}
    assert list_read(stack) <= earlier


def test_each_published_value_is_read_by_a_stack_or_is_an_output() -> None:
    outputs = {f"/genai-demo/production/{name}" for names in OUTPUTS.values() for name in names}
    read = {path for stack in NAMES for path in list_read(stack)}
    assert {path for stack in NAMES for path in list_published(stack)} - read - outputs == set()


@pytest.mark.parametrize("stack", NAMES)
def test_a_resource_with_data_is_kept_when_its_stack_is_deleted(stack: str) -> None:
    for name, resource in read_template(stack)["Resources"].items():
        if resource["Type"] in STATEFUL:
            policies = {resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy")}
            assert policies <= KEPT, name


def list_earlier(stack: str) -> set[str]:
    """The stacks that a stack depends on, directly or indirectly."""
    direct = set(read_stacks()[stack].get("dependencies", ()))
    return direct | {further for name in direct for further in list_earlier(name)}


def list_published(stack: str) -> set[str]:
    """The names in Parameter Store that a stack writes."""
    resources = read_template(stack)["Resources"].values()
    return {one["Properties"]["Name"] for one in resources if one["Type"] == "AWS::SSM::Parameter"}


def list_read(stack: str) -> set[str]:
    """The names in Parameter Store that a stack reads."""
    parameters = read_template(stack).get("Parameters", {}).values()
    return {one["Default"] for one in parameters if one["Type"] == "AWS::SSM::Parameter::Value<String>"}
