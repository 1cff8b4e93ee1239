"""Images from the registry. Annotations of the OCI manifest contain the command and the environment of an image."""

import asyncio
import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

COMMAND = "sandbox.image.command"
ENVIRONMENT = "sandbox.env."
MEDIA_TYPES = [
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
]
_REFERENCE = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com/"
    r"(?P<repository>[a-z0-9._/-]+)@(?P<digest>sha256:[0-9a-f]{64})"
)


class PullError(Exception):
    """The image cannot be pulled. The message is the one in the pod's status."""


@dataclass(frozen=True)
class Image:
    """The command of an image, and its environment variables."""

    reference: str
    command: tuple[str, ...]
    environment: dict[str, str]


class Puller(Protocol):
    async def pull(self, reference: str) -> Image:
        """Pull the image. Raises PullError."""
        ...


class EcrPuller:
    """Pulls images by digest from ECR, and caches them. ecr: a boto3 client."""

    def __init__(self, ecr: Any) -> None:
        self._ecr = ecr
        self._pulled: dict[str, Image] = {}

    async def pull(self, reference: str) -> Image:
        if reference not in self._pulled:
            manifest = await asyncio.to_thread(self._manifest, reference)
            self._pulled[reference] = read_image(reference, manifest)
        return self._pulled[reference]

    def _manifest(self, reference: str) -> str:
        match = _REFERENCE.fullmatch(reference)
        if not match:
            raise PullError(f'failed to resolve reference "{reference}": it is not a digest in an ECR repository')
        try:
            response = self._ecr.batch_get_image(
                registryId=match["account"],
                repositoryName=match["repository"],
                imageIds=[{"imageDigest": match["digest"]}],
                acceptedMediaTypes=MEDIA_TYPES,
            )
        except (ClientError, BotoCoreError) as error:
            raise PullError(f'failed to pull image "{reference}": {error}') from error
        if not response["images"]:
            raise PullError(f'failed to resolve reference "{reference}": {reference}: not found')
        manifest = response["images"][0]["imageManifest"]
        if f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}" != match["digest"]:
            raise PullError(f'failed to pull image "{reference}": the manifest does not have that digest')
        return manifest


def read_image(reference: str, manifest: str) -> Image:
    """The image of a manifest. Raises PullError if the manifest has no command."""
    annotations = json.loads(manifest).get("annotations") or {}
    if COMMAND not in annotations:
        raise PullError(f'failed to unpack image "{reference}": its manifest has no annotation {COMMAND}')
    variables = {
        name.removeprefix(ENVIRONMENT): value for name, value in annotations.items() if name.startswith(ENVIRONMENT)
    }
    return Image(reference, tuple(json.loads(annotations[COMMAND])), variables)
