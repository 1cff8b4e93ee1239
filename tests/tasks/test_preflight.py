"""A release is admitted by what AWS answers."""

import pytest

from delivery.errors import NotPermitted
from tasks.preflight import observe_account, observe_digest
from tests.assemblies import Project
from tests.aws import SandboxAws

MEDIA_TYPE = "application/vnd.oci.image.manifest.v1+json"
MANIFEST = f'{{"schemaVersion": 2, "mediaType": "{MEDIA_TYPE}", "config": {{}}, "layers": []}}'


def test_the_account_is_that_of_the_credentials(project: Project) -> None:
    assert observe_account.fn(project.environment) == "123456789012"


def test_refused_credentials_are_no_account(project: Project, aws: SandboxAws) -> None:
    aws.fault(kind="deny", match="sts:GetCallerIdentity")
    with pytest.raises(NotPermitted, match="Could not read the AWS account of the credentials"):
        observe_account.fn(project.environment)


def test_a_digest_is_known_once_its_image_was_pushed(project: Project, aws: SandboxAws) -> None:
    registry = aws.client("ecr")
    application = project.environment.application.model_copy(update={"repository": f"{project.name}/backend"})
    environment = project.environment.model_copy(update={"application": application})
    assert not observe_digest.fn(environment, "sha256:" + "0" * 64)
    registry.create_repository(repositoryName=application.repository)
    assert not observe_digest.fn(environment, "sha256:" + "0" * 64)
    pushed = registry.put_image(repositoryName=application.repository, imageManifest=MANIFEST, imageTag="one")
    assert observe_digest.fn(environment, pushed["image"]["imageId"]["imageDigest"])
