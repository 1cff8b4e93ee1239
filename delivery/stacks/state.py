"""A stack before a release, as values: its state in CloudFormation, and the changes of a change set."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from delivery.stacks.status import StatusClass, classify

# Resources that store data or are needed to read data. Their loss cannot be undone.
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
    """One parameter of a stack.

    given: as in the template or the request. resolved: the value in Parameter Store if `given` is a name there.
    """

    model_config = ConfigDict(frozen=True)

    given: str
    resolved: str | None = None


class StackState(BaseModel):
    """A stack as CloudFormation describes it. arn: a new stack with the same name has another ARN."""

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
    """One changed property. path: with dots, below the resource's properties. None: the property does not exist."""

    model_config = ConfigDict(frozen=True)

    path: str
    before: str | None = None
    after: str | None = None


class ResourceChange(BaseModel):
    """One resource in a change set.

    action: Add, Modify, Remove, Import or Dynamic. replacement: True, False or Conditional. before, after: all
    properties of the resource.
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
        """Whether data is lost, also if CloudFormation does not know yet whether it will replace the resource."""
        is_lost = self.action == "Remove" or (self.action == "Modify" and self.replacement != "False")
        return self.is_stateful and is_lost


class ObservedStack(BaseModel):
    """A stack before the release.

    changes: to resources, by an UPDATE change set. is_changed: True also if only tags or outputs would change.
    refused: why CloudFormation refused the change set. operation: client request token of the operation in progress.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    state: StackState | None = None
    changes: tuple[ResourceChange, ...] = ()
    is_changed: bool = False
    refused: str | None = None
    operation: str | None = None

    @property
    def status_class(self) -> StatusClass:
        return classify(self.state.status if self.state else None)
