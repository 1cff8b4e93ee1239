"""The image registry."""

from clients.aws.session import aws_client, translated
from delivery.errors import NotFound


def has_image(repository: str, digest: str, region: str) -> bool:
    """Whether the repository holds an image of that digest; False as well where there is no such repository."""
    try:
        with translated(f"look for {digest} in {repository}"):
            aws_client("ecr", region).describe_images(repositoryName=repository, imageIds=[{"imageDigest": digest}])
    except NotFound:
        return False
    return True
