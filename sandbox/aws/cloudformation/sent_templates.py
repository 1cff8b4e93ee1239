"""Reads the template of a request: its body, or the URL of an object in a bucket."""

import re

from botocore.exceptions import ClientError

from sandbox.aws.cloud import Cloud
from sandbox.aws.cloudformation.model.errors import ValidationError

MAXIMUM_BODY_BYTES = 51_200
MAXIMUM_OBJECT_BYTES = 1_048_576
BY_HOST = re.compile(r"https://(?P<bucket>.+)\.s3[.-](?:[a-z0-9-]+\.)?amazonaws\.com/(?P<key>.+)")
BY_PATH = re.compile(r"https://s3[.-](?:[a-z0-9-]+\.)?amazonaws\.com/(?P<bucket>[^/]+)/(?P<key>.+)")


def check_body(body: str) -> None:
    """ValidationError if the template is too large for a request."""
    if len(body.encode()) > MAXIMUM_BODY_BYTES:
        raise ValidationError(
            "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: "
            f"Member must have length less than or equal to {MAXIMUM_BODY_BYTES}"
        )


def read_template_at(cloud: Cloud, url: str) -> str:
    """The text of the object. ValidationError if it does not exist, or if the URL is not that of a bucket."""
    found = BY_PATH.fullmatch(url) or BY_HOST.fullmatch(url)
    if found is None:
        raise ValidationError("TemplateURL must be a supported URL.")
    try:
        answer = cloud.client("s3").get_object(Bucket=found["bucket"], Key=found["key"])
    except ClientError as error:
        raise ValidationError(f"S3 error: {error.response['Error']['Message']}") from error
    if answer["ContentLength"] > MAXIMUM_OBJECT_BYTES:
        raise ValidationError(f"Template may not exceed {MAXIMUM_OBJECT_BYTES} bytes in size.")
    return answer["Body"].read().decode()
