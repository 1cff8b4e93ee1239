"""Resolves `{{resolve:…}}` in properties just before use, so that no secret is stored with the stack."""

import json
import re
from collections.abc import Callable
from typing import Any

from sandbox.aws.cloud import Cloud
from sandbox.aws.cloudformation.model.errors import ValidationError

REFERENCE = re.compile(r"\{\{resolve:(secretsmanager|ssm|ssm-secure):([^}]+)\}\}")
# The name of the secret may be an ARN with colons. It ends at `:SecretString`.
SECRET = re.compile(
    r"(?P<name>.+?)(?::SecretString(?::(?P<key>[^:]*))?(?::(?P<stage>[^:]*))?(?::(?P<version>[^:]*))?)?"
)


def resolve(cloud: Cloud, value: Any) -> Any:
    """The value with each dynamic reference replaced by its current value."""
    if isinstance(value, dict):
        return {key: resolve(cloud, item) for key, item in value.items()}
    if isinstance(value, list):
        return [resolve(cloud, item) for item in value]
    if not isinstance(value, str):
        return value
    return REFERENCE.sub(lambda found: _READERS[found.group(1)](cloud, found.group(2)), value)


def _secret(cloud: Cloud, argument: str) -> str:
    parts = SECRET.fullmatch(argument)
    if parts is None:
        raise ValidationError(f"Incorrect format is used in the following dynamic reference: {argument}")
    wanted = {"SecretId": parts["name"], "VersionStage": parts["stage"], "VersionId": parts["version"]}
    secrets = cloud.client("secretsmanager")
    text = secrets.get_secret_value(**{key: value for key, value in wanted.items() if value})["SecretString"]
    if not parts["key"]:
        return text
    values = json.loads(text)
    if parts["key"] not in values:
        raise ValidationError(f"Could not find a value associated with JSONKey in SecretString: {parts['key']}")
    return str(values[parts["key"]])


def _parameter(cloud: Cloud, argument: str) -> str:
    return cloud.client("ssm").get_parameter(Name=argument, WithDecryption=True)["Parameter"]["Value"]


_READERS: dict[str, Callable[[Cloud, str], str]] = {
    "secretsmanager": _secret,
    "ssm": _parameter,
    "ssm-secure": _parameter,
}
