"""What a change does to a resource with data, and its reversibility."""

import pytest

from delivery.plan import Reversibility
from delivery.stacks.planning import reversibility_of
from delivery.stacks.state import ObservedStack, ResourceChange
from tests.delivery.stacks.specs import modified, plan_changes, plan_one, removed, spec

STATEFUL_TYPES = [
    "AWS::DynamoDB::Table",
    "AWS::ElastiCache::CacheCluster",
    "AWS::ElastiCache::ReplicationGroup",
    "AWS::EKS::Cluster",
    "AWS::KMS::Key",
    "AWS::MSK::Cluster",
    "AWS::RDS::DBCluster",
    "AWS::RDS::DBInstance",
    "AWS::S3::Bucket",
    "AWS::SecretsManager::Secret",
]


def test_a_new_stack_with_data_is_costly_to_undo() -> None:
    (step,) = plan_one(spec(types=("AWS::RDS::DBInstance",)), ObservedStack(id="RDS")).steps
    assert step.reversibility is Reversibility.COSTLY


@pytest.mark.parametrize("kind", STATEFUL_TYPES)
@pytest.mark.parametrize("replacement", ["True", "Conditional"])
def test_the_replacement_of_a_resource_with_data_is_refused(kind: str, replacement: str) -> None:
    (refusal,) = plan_changes(modified(kind, replacement=replacement)).refusals
    would = "would" if replacement == "True" else "may"
    replaced = f"RDS: Database ({kind}) {would} be replaced (BackupRetentionPeriod)"
    assert refusal.startswith(f"{replaced}, and its data {would} be lost.")


@pytest.mark.parametrize("kind", STATEFUL_TYPES)
def test_the_deletion_of_a_resource_with_data_is_refused(kind: str) -> None:
    (refusal,) = plan_changes(removed(kind)).refusals
    assert refusal.startswith(f"RDS: Old ({kind}) would be deleted, and its data would be lost.")


@pytest.mark.parametrize(
    "kind",
    [
        "AWS::RDS::DBInstance",
        "AWS::MSK::Cluster",
        "AWS::ElastiCache::ReplicationGroup",
        "AWS::EKS::Cluster",
        "AWS::KMS::Key",
        "AWS::S3::Bucket",
    ],
)
def test_all_changes_that_lose_data_are_refused_together(kind: str) -> None:
    plan = plan_changes(removed(kind), modified(kind, "Name", "True"), modified(kind, "Name", "Conditional"))
    rule = "Slipway never replaces or deletes a resource that stores data. Remove the change from the template."
    advice = f"{rule} To replace the resource, deploy the stack manually."
    assert plan.refusals == (
        f"RDS: Old ({kind}) would be deleted, and its data would be lost. {rule} "
        "To delete the resource, deploy the stack manually.",
        f"RDS: Database ({kind}) would be replaced (Name), and its data would be lost. {advice}",
        f"RDS: Database ({kind}) may be replaced (Name), and its data may be lost. {advice}",
    )


def test_the_replacement_of_a_resource_without_data_is_planned() -> None:
    plan = plan_changes(modified("AWS::EC2::LaunchTemplate", "LaunchTemplateName", "True"))
    assert plan.refusals == ()
    assert plan.steps[0].changes[0].startswith("~ Database (AWS::EC2::LaunchTemplate, replaced) ")


@pytest.mark.parametrize(
    ("change", "reversibility"),
    [
        (modified("AWS::CloudWatch::Alarm", "Threshold"), Reversibility.REVERSIBLE),
        (ResourceChange(logical_id="New", type="AWS::SNS::Topic", action="Add"), Reversibility.REVERSIBLE),
        (ResourceChange(logical_id="New", type="AWS::S3::Bucket", action="Add"), Reversibility.COSTLY),
        (modified(path="BackupRetentionPeriod"), Reversibility.COSTLY),
        (removed("AWS::SNS::Topic"), Reversibility.COSTLY),
        (modified("AWS::EC2::LaunchTemplate", "Name", "True"), Reversibility.COSTLY),
        (modified(path="AllocatedStorage"), Reversibility.IRREVERSIBLE),
        (
            modified("AWS::MSK::Cluster", "BrokerNodeGroupInfo.StorageInfo.EBSStorageInfo.VolumeSize"),
            Reversibility.IRREVERSIBLE,
        ),
        (removed("AWS::KMS::Key"), Reversibility.IRREVERSIBLE),
    ],
)
def test_a_change_is_as_reversible_as_what_it_changes(change: ResourceChange, reversibility: Reversibility) -> None:
    assert reversibility_of([change]) is reversibility


def test_the_reversibility_of_a_stack_is_the_worst_of_its_changes() -> None:
    changes = [modified("AWS::CloudWatch::Alarm"), modified(path="AllocatedStorage"), modified()]
    assert reversibility_of(changes) is Reversibility.IRREVERSIBLE
