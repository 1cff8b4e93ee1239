"""Images from the registry: what an image is to run is written in the annotations of its OCI manifest."""

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
    """The image could not be had; the message is what the pod's status says."""


@dataclass(frozen=True)
class Image:
    """What an image does: its command, and the variables it brings along."""

    reference: str
    command: tuple[str, ...]
    environment: dict[str, str]


class Puller(Protocol):
    async def pull(self, reference: str) -> Image:
        """The image, or PullError."""
        ...


class EcrPuller:
    """Pulls by digest from ECR, which a boto3 client speaks for; what was pulled is kept."""

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
            raise PullError(f'failed to resolve reference "{reference}": it names no digest in an ECR repository')
        try:
            answer = self._ecr.batch_get_image(
                registryId=match["account"],
                repositoryName=match["repository"],
                imageIds=[{"imageDigest": match["digest"]}],
                acceptedMediaTypes=MEDIA_TYPES,
            )
        except (ClientError, BotoCoreError) as error:
            raise PullError(f'failed to pull image "{reference}": {error}') from error
        if not answer["images"]:
            raise PullError(f'failed to resolve reference "{reference}": {reference}: not found')
        manifest = answer["images"][0]["imageManifest"]
        if f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}" != match["digest"]:
            raise PullError(f'failed to pull image "{reference}": the manifest does not have that digest')
        return manifest


def read_image(reference: str, manifest: str) -> Image:
    """The image that a manifest describes. Raises PullError when it names no command."""
    annotations = json.loads(manifest).get("annotations") or {}
    if COMMAND not in annotations:
        raise PullError(f'failed to unpack image "{reference}": its manifest has no annotation {COMMAND}')
    variables = {
        name.removeprefix(ENVIRONMENT): value for name, value in annotations.items() if name.startswith(ENVIRONMENT)
    }
    return Image(reference, tuple(json.loads(annotations[COMMAND])), variables)
