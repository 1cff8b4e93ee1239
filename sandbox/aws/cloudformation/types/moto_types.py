"""The resource types of moto, with the interface of the sandbox's own types."""

from typing import Any

import moto.cloudformation.parsing
import moto.ec2.models.flow_logs
import moto.logs.models  # noqa: F401
from moto.cloudformation.exceptions import UnformattedGetAttTemplateException
from moto.core.common_models import CloudFormationModel

from sandbox.aws.cloud import Cloud
from sandbox.aws.cloudformation.model.resource_type import Deployed, Properties, ResourceType, ReturnValues
from sandbox.aws.cloudformation.templates.schemas import schema
from sandbox.aws.cloudformation.types.values import tag_list
from sandbox.aws.http.serial import MOTO

# moto's updates of other types change nothing, or create a new resource with the old name.
TRUSTED_UPDATES = frozenset({"AWS::IAM::Policy", "AWS::KMS::Alias"})
OPERATIONS = {"LogicalId": "", "StackId": ""}


class UpdateNotOffered(Exception):
    """moto cannot update a resource of this type in place, so the update must fail."""


class MotoType(ResourceType):
    """One model of moto. Its objects are stored, because moto reads attributes and deletes through them."""

    def __init__(self, cloud: Cloud, type_name: str, model: Any) -> None:
        super().__init__(cloud)
        self._type, self._model = type_name, model
        self._objects: dict[str, Any] = {}
        self.name_property = model.cloudformation_name_type() or ""  # pyright: ignore[reportAttributeAccessIssue]

    def create(self, name: str, properties: Properties) -> ReturnValues:
        where = (self.cloud.account_id, self.cloud.region)
        with MOTO:
            instance = self._model.create_from_cloudformation_json(
                name, self._definition(properties), *where, ResourceType=self._type, **OPERATIONS
            )
            return self._return_values(instance)

    def update(self, deployed: Deployed, wanted: Properties) -> ReturnValues | None:
        before = deployed.properties
        changed = sorted(name for name in {*before, *wanted} if before.get(name) != wanted.get(name))
        if not changed:
            return None
        if changed == ["Tags"] and self._type.startswith("AWS::EC2::"):
            self._tag(deployed.physical_id, tag_list(wanted))
            return None
        if self._type not in TRUSTED_UPDATES:
            raise UpdateNotOffered(f"The sandbox cannot update {', '.join(changed)} of an existing {self._type}.")
        with MOTO:
            instance = self._model.update_from_cloudformation_json(
                original_resource=self._objects[deployed.physical_id],
                new_resource_name=wanted.get(self.name_property, deployed.physical_id),
                cloudformation_json=self._definition(wanted),
                account_id=self.cloud.account_id,
                region_name=self.cloud.region,
            )
            return self._return_values(instance)

    def delete(self, deployed: Deployed) -> None:
        where = (self.cloud.account_id, self.cloud.region)
        with MOTO:
            instance = self._objects.pop(deployed.physical_id)
            try:
                instance.delete(*where)
            except (AttributeError, TypeError):  # this model deletes by its class
                definition = self._definition(deployed.properties)
                self._model.delete_from_cloudformation_json(deployed.physical_id, definition, *where)

    def _tag(self, physical_id: str, tags: list[dict[str, str]]) -> None:
        ec2 = self.cloud.client("ec2")
        ec2.delete_tags(Resources=[physical_id])
        if tags:
            ec2.create_tags(Resources=[physical_id], Tags=tags)

    def _definition(self, properties: Properties) -> dict[str, Any]:
        return {"Type": self._type, "Properties": properties}

    def _return_values(self, instance: Any) -> ReturnValues:
        physical_id = instance.physical_resource_id
        self._objects[physical_id] = instance
        attributes = {name: _attribute(instance, name) for name in _attribute_names(self._type)}
        known = {name: value for name, value in attributes.items() if value is not None}
        return ReturnValues(physical_id, {**_identifier(self._type, physical_id), **known})


def _attribute(instance: Any, name: str) -> Any:
    """The attribute of moto's object, or None if it does not have it."""
    try:
        return instance.get_cfn_attribute(name) if instance.has_cfn_attr(name) else None
    except (AttributeError, NotImplementedError, UnformattedGetAttTemplateException):
        return None


def _identifier(type_name: str, physical_id: str) -> dict[str, str]:
    """A type with one identifying property also has it as an attribute."""
    paths = (schema(type_name) or {}).get("primaryIdentifier", [])
    return {paths[0].removeprefix("/properties/"): physical_id} if len(paths) == 1 else {}


def _attribute_names(type_name: str) -> list[str]:
    described = schema(type_name) or {}
    paths = [*described.get("readOnlyProperties", []), *described.get("primaryIdentifier", [])]
    return [path.removeprefix("/properties/").replace("/", ".") for path in paths]


def moto_types(cloud: Cloud) -> dict[str, ResourceType]:
    models = {model.cloudformation_type(): model for model in CloudFormationModel.__subclasses__()}
    return {name: MotoType(cloud, name, model) for name, model in models.items() if schema(name) is not None}
