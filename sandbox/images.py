"""Images in the sandbox's ECR. The manifest states which command a pod runs and how the application behaves.

`python -m sandbox push --state DIR --name A --behaviour healthy` pushes an image and prints its digest.
"""

import argparse
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sandbox.addresses import Addresses
from sandbox.application.settings import BEHAVIOURS
from sandbox.aws.client import client
from sandbox.settings import SandboxSettings

REPOSITORY = "genai-demo/backend"
COMMAND = ["python", "-m", "sandbox.application"]
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
# The empty descriptor of OCI: the digest and the size of `{}`.
EMPTY = {
    "mediaType": "application/vnd.oci.empty.v1+json",
    "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    "size": 2,
}


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox push", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="the state folder of the running sandbox")
    parser.add_argument("--name", required=True, help="the tag of the image; each name has its own digest")
    parser.add_argument("--behaviour", default="healthy", choices=BEHAVIOURS)
    options = parser.parse_args(arguments)
    print(push_image(options.state, options.name, options.behaviour))
    return 0


def push_image(state: Path, name: str, behaviour: str = "healthy") -> str:
    """Push the image to the running sandbox and return its digest. The repository is created if it does not exist.

    Pushing the same image again changes nothing. SystemExit if another image has the tag.
    """
    ecr = client("ecr", Addresses.read(state), SandboxSettings.read(state))
    create_repository_if_missing(ecr)
    manifest = render_manifest(name, behaviour)
    # A client may send the digest. The registry then rejects a manifest that does not match it.
    digest = f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}"
    try:
        ecr.put_image(
            repositoryName=REPOSITORY,
            imageManifest=manifest,
            imageManifestMediaType=MANIFEST,
            imageTag=name,
            imageDigest=digest,
        )
    except ecr.exceptions.ImageAlreadyExistsException:
        return digest
    except ecr.exceptions.ImageTagAlreadyExistsException as error:
        raise SystemExit(
            f"Another image already has the tag {REPOSITORY}:{name}. Nothing was pushed. Choose another name."
        ) from error
    return digest


def create_repository_if_missing(ecr: Any) -> None:
    try:
        ecr.describe_repositories(repositoryNames=[REPOSITORY])
    except ecr.exceptions.RepositoryNotFoundException:
        ecr.create_repository(repositoryName=REPOSITORY)


def render_manifest(name: str, behaviour: str) -> str:
    """An OCI image manifest without layers. Its annotations state what the kubelet starts."""
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": EMPTY,
        "layers": [],
        "annotations": {
            "org.opencontainers.image.version": name,
            "sandbox.image.command": json.dumps(COMMAND),
            "sandbox.env.BEHAVIOUR": behaviour,
        },
    }
    return json.dumps(manifest, separators=(",", ":"))
