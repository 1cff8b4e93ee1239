"""All resource types there are: the sandbox's own, and moto's for the rest."""

from sandbox.aws.cloud import Cloud
from sandbox.aws.types import (  # noqa: F401 - importing a file registers its types
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
from sandbox.aws.types.moto_types import moto_types
from sandbox.aws.types.resource import ResourceType, registered_types


def all_types(cloud: Cloud) -> dict[str, ResourceType]:
    own = {name: kind(cloud) for name, kind in registered_types().items()}
    return {**moto_types(cloud), **own}
