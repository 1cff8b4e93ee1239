"""What a change does to a resource that holds data, and how hard its way back is."""

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


def test_a_new_stack_that_holds_data_is_costly_to_take_back() -> None:
    (step,) = plan_one(spec(types=("AWS::RDS::DBInstance",)), ObservedStack(id="RDS")).steps
    assert step.way_back is Reversibility.COSTLY


@pytest.mark.parametrize("kind", STATEFUL_TYPES)
@pytest.mark.parametrize("replacement", ["True", "Conditional"])
def test_what_holds_data_is_not_replaced(kind: str, replacement: str) -> None:
    (refusal,) = plan_changes(modified(kind, replacement=replacement)).refusals
    would = "would be" if replacement == "True" else "may be"
    assert refusal.startswith(f"RDS: Database ({kind}) {would} replaced (BackupRetentionPeriod), and with it what")


@pytest.mark.parametrize("kind", STATEFUL_TYPES)
def test_what_holds_data_is_not_deleted(kind: str) -> None:
    (refusal,) = plan_changes(removed(kind)).refusals
    assert refusal.startswith(f"RDS: Old ({kind}) would be deleted, and with it what it holds")


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
def test_deleting_or_replacing_what_holds_data_is_refused(kind: str) -> None:
    plan = plan_changes(removed(kind), modified(kind, "Name", "True"), modified(kind, "Name", "Conditional"))
    after = ", and with it what it holds: move its data by hand, or take the change out of the stack."
    assert plan.refusals == (
        f"RDS: Old ({kind}) would be deleted{after}",
        f"RDS: Database ({kind}) would be replaced (Name){after}",
        f"RDS: Database ({kind}) may be replaced (Name){after}",
    )


def test_replacing_what_holds_no_data_is_planned() -> None:
    plan = plan_changes(modified("AWS::EC2::LaunchTemplate", "LaunchTemplateName", "True"))
    assert plan.refusals == ()
    assert plan.steps[0].changes[0].startswith("~ Database (AWS::EC2::LaunchTemplate, replaced) ")


@pytest.mark.parametrize(
    ("change", "way_back"),
    [
        (modified("AWS::CloudWatch::Alarm", "Threshold"), Reversibility.REVERSIBLE),
        (ResourceChange(logical_id="New", type="AWS::SNS::Topic", action="Add"), Reversibility.REVERSIBLE),
        (ResourceChange(logical_id="New", type="AWS::S3::Bucket", action="Add"), Reversibility.COSTLY),
        (modified(path="BackupRetentionPeriod"), Reversibility.COSTLY),
        (removed("AWS::SNS::Topic"), Reversibility.COSTLY),
        (modified("AWS::EC2::LaunchTemplate", "Name", "True"), Reversibility.COSTLY),
        (modified(path="AllocatedStorage"), Reversibility.NONE),
        (
            modified("AWS::MSK::Cluster", "BrokerNodeGroupInfo.StorageInfo.EBSStorageInfo.VolumeSize"),
            Reversibility.NONE,
        ),
        (removed("AWS::KMS::Key"), Reversibility.NONE),
    ],
)
def test_the_way_back_of_a_change(change: ResourceChange, way_back: Reversibility) -> None:
    assert reversibility_of([change]) is way_back


def test_the_hardest_way_back_counts() -> None:
    changes = [modified("AWS::CloudWatch::Alarm"), modified(path="AllocatedStorage"), modified()]
    assert reversibility_of(changes) is Reversibility.NONE
