import hashlib
import json

import pytest

from sandbox.aws.client import client
from sandbox.images import REPOSITORY, push_image
from sandbox.instance import Sandbox


def test_a_pushed_image_is_found_by_its_digest_and_has_its_behaviour(sandbox: Sandbox) -> None:
    sandbox.require("aws")
    digest = push_image(sandbox.state, "images-test", "errors")
    ecr = client("ecr", sandbox.addresses, sandbox.settings)
    images = ecr.batch_get_image(repositoryName=REPOSITORY, imageIds=[{"imageDigest": digest}])["images"]
    manifest = images[0]["imageManifest"]
    assert json.loads(manifest)["annotations"]["sandbox.env.BEHAVIOUR"] == "errors"
    assert digest == f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}"


def test_pushing_the_same_image_again_changes_nothing(sandbox: Sandbox) -> None:
    sandbox.require("aws")
    assert push_image(sandbox.state, "images-again") == push_image(sandbox.state, "images-again")


@pytest.mark.parametrize(("name", "behaviour"), [("images-b", "healthy"), ("images-a", "slow")])
def test_another_name_or_behaviour_has_another_digest(sandbox: Sandbox, name: str, behaviour: str) -> None:
    sandbox.require("aws")
    assert push_image(sandbox.state, f"{name}-{behaviour}", behaviour) != push_image(
        sandbox.state, "images-a", "healthy"
    )
