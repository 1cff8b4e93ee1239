"""The image registry, Amazon ECR."""

from clients.aws.session import aws_client, translated
from delivery.errors import NotFound


def has_image(repository: str, digest: str, region: str) -> bool:
    """Whether the repository contains an image with the digest. False also if the repository does not exist."""
    try:
        with translated(f"read image {digest} of repository {repository}"):
            aws_client("ecr", region).describe_images(repositoryName=repository, imageIds=[{"imageDigest": digest}])
    except NotFound:
        return False
    return True
