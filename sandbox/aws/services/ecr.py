"""Corrections of ECR. moto accepts any digest, and does not name an image that it did not find."""

import hashlib
from collections.abc import Callable
from typing import Any

from moto.core.exceptions import ServiceException
from moto.ecr.models import ECRBackend


class ImageDigestDoesNotMatch(ServiceException):
    code = "ImageDigestDoesNotMatchException"


def patch_ecr() -> None:
    """Compute the digest of an image from its manifest, and return the ID of each image that was not found."""
    ECRBackend.put_image = _with_computed_digest(ECRBackend.put_image)
    ECRBackend.batch_get_image = _with_image_ids_in_failures(ECRBackend.batch_get_image)


def _with_computed_digest(put: Callable[..., Any]) -> Callable[..., Any]:
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
            raise ImageDigestDoesNotMatch(f"The image digest {digest} does not match the manifest digest {actual}")
        return put(self, repository_name, image_manifest, image_tag, image_manifest_mediatype, actual)

    return put_image


def _with_image_ids_in_failures(get: Callable[..., Any]) -> Callable[..., Any]:
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
