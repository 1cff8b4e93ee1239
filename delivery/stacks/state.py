"""A stack before a release, as values: what CloudFormation says it is, and what a change set would do to it."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from delivery.stacks.status import Standing, standing_of

# What holds data, or makes data readable: losing it cannot be taken back.
STATEFUL = (
    "AWS::RDS::DBInstance",
    "AWS::RDS::DBCluster",
    "AWS::MSK::Cluster",
    "AWS::ElastiCache::ReplicationGroup",
    "AWS::ElastiCache::CacheCluster",
    "AWS::EKS::Cluster",
    "AWS::KMS::Key",
    "AWS::S3::Bucket",
    "AWS::SecretsManager::Secret",
    "AWS::DynamoDB::Table",
)


class ParameterValue(BaseModel):
    """given: as the template or the request says it. resolved: what an SSM parameter of that name held then."""

    model_config = ConfigDict(frozen=True)

    given: str
    resolved: str | None = None


class StackState(BaseModel):
    """A stack as CloudFormation describes it. arn: stays the same through its life, unlike what its name stands for."""

    model_config = ConfigDict(frozen=True)

    arn: str
    name: str
    status: str
    reason: str = ""
    outputs: dict[str, str] = {}
    tags: dict[str, str] = {}
    is_protected: bool = False
    parameters: dict[str, ParameterValue] = {}


class PropertyChange(BaseModel):
    """path: from the resource's properties on, with dots. None: the property is not there."""

    model_config = ConfigDict(frozen=True)

    path: str
    before: str | None = None
    after: str | None = None


class ResourceChange(BaseModel):
    """One resource in a change set.

    action: Add, Modify, Remove, Import or Dynamic. replacement: True, False or Conditional. before, after: all
    properties.
    """

    model_config = ConfigDict(frozen=True)

    logical_id: str
    type: str
    action: str
    replacement: str = "False"
    properties: tuple[PropertyChange, ...] = ()
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}

    @property
    def is_stateful(self) -> bool:
        return self.type in STATEFUL

    @property
    def loses_data(self) -> bool:
        """Also where CloudFormation does not know yet whether it will replace the resource."""
        is_lost = self.action == "Remove" or (self.action == "Modify" and self.replacement != "False")
        return self.is_stateful and is_lost


class ObservedStack(BaseModel):
    """A stack before the release.

    changes: what an UPDATE change set would do to resources. is_changed: also where only tags or outputs would change.
    refused: why no change set could be made. operation: token of what is under way at the stack, where it has one.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    state: StackState | None = None
    changes: tuple[ResourceChange, ...] = ()
    is_changed: bool = False
    refused: str | None = None
    operation: str | None = None

    @property
    def standing(self) -> Standing:
        return standing_of(self.state.status if self.state else None)
