"""All resource types: the sandbox's own, and moto's for the others."""

from sandbox.aws.cloud import Cloud
from sandbox.aws.cloudformation.model.resource_type import ResourceType, registered_types
from sandbox.aws.cloudformation.types import (  # noqa: F401 - an import registers the types of the module
    cloudwatch,
    ec2,
    eks,
    eks_access,
    elasticache,
    iam,
    msk,
    notification,
    rds,
    security,
    storage,
    xray,
)
from sandbox.aws.cloudformation.types.moto_types import moto_types


def all_types(cloud: Cloud) -> dict[str, ResourceType]:
    own = {name: kind(cloud) for name, kind in registered_types().items()}
    return {**moto_types(cloud), **own}
