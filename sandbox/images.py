"""Images in the sandbox's ECR: what a digest's pods run and how that application behaves is said by the manifest.

`python -m sandbox push --state DIR --name A --behaviour healthy` prints the digest.
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
# OCI's own way to say that there is nothing: the digest and size of `{}`.
EMPTY = {
    "mediaType": "application/vnd.oci.empty.v1+json",
    "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    "size": 2,
}


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox push", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="the running sandbox's state folder")
    parser.add_argument("--name", required=True, help="the image's tag; images of two names have two digests")
    parser.add_argument("--behaviour", default="healthy", choices=BEHAVIOURS)
    options = parser.parse_args(arguments)
    print(push_image(options.state, options.name, options.behaviour))
    return 0


def push_image(state: Path, name: str, behaviour: str = "healthy") -> str:
    """Put the image into the running sandbox's repository, which is made if missing, and return its digest.

    Twice is no error. SystemExit where the tag is taken by another image.
    """
    ecr = client("ecr", Addresses.read(state), SandboxSettings.read(state))
    make_repository(ecr)
    manifest = render_manifest(name, behaviour)
    # Sent along as a client may: the registry refuses a manifest that has another digest.
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
            f"{REPOSITORY}:{name} is another image already, nothing was pushed. Take another name"
        ) from error
    return digest


def make_repository(ecr: Any) -> None:
    try:
        ecr.describe_repositories(repositoryNames=[REPOSITORY])
    except ecr.exceptions.RepositoryNotFoundException:
        ecr.create_repository(repositoryName=REPOSITORY)


def render_manifest(name: str, behaviour: str) -> str:
    """An OCI image manifest without layers; its annotations say what a kubelet starts."""
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
