"""ECR's images by what they are: moto takes any digest on trust, and forgets it when an image is not found."""

import hashlib
from collections.abc import Callable
from typing import Any

from moto.core.exceptions import ServiceException
from moto.ecr.models import ECRBackend


class ImageDigestDoesNotMatch(ServiceException):
    code = "ImageDigestDoesNotMatchException"


def mend_ecr() -> None:
    """Make an image's digest the SHA-256 of its manifest, and name what was not found by what was asked for."""
    ECRBackend.put_image = _by_content(ECRBackend.put_image)
    ECRBackend.batch_get_image = _naming_failures(ECRBackend.batch_get_image)


def _by_content(put: Callable[..., Any]) -> Callable[..., Any]:
    def put_image(
        self: ECRBackend,
        repository_name: str,
        image_manifest: str,
        image_tag: str,
        image_manifest_mediatype: str | None = None,
        digest: str | None = None,
    ) -> Any:
        actual = f"sha256:{hashlib.sha256(image_manifest.encode()).hexdigest()}"
        if digest not in (None, actual):
            raise ImageDigestDoesNotMatch(f"The image digest {digest} does not match the manifest, which is {actual}")
        return put(self, repository_name, image_manifest, image_tag, image_manifest_mediatype, actual)

    return put_image


def _naming_failures(get: Callable[..., Any]) -> Callable[..., Any]:
    def batch_get_image(
        self: ECRBackend,
        repository_name: str,
        registry_id: str | None = None,
        image_ids: list[dict[str, Any]] | None = None,
    ) -> dict[str, Any]:
        answers = [(one, get(self, repository_name, registry_id, [one])) for one in image_ids or []]
        if not answers:
            return get(self, repository_name, registry_id, image_ids)
        failures = [{**failure, "imageId": one} for one, answer in answers for failure in answer["failures"]]
        return {"images": [image for _, answer in answers for image in answer["images"]], "failures": failures}

    return batch_get_image
