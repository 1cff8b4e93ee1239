"""Secrets in AWS Secrets Manager."""

import json
from dataclasses import dataclass, field

from clients.aws.session import aws_client, translated
from delivery.errors import Rejected


@dataclass(frozen=True)
class Credentials:
    """User name and password. Its repr contains neither."""

    username: str = field(repr=False)
    password: str = field(repr=False)


def read_credentials(secret_arn: str, region: str) -> Credentials:
    """The user name and the password in a secret. Raises Rejected if the secret is not a JSON object with both."""
    with translated(f"read the secret {secret_arn}"):
        text = aws_client("secretsmanager", region).get_secret_value(SecretId=secret_arn).get("SecretString", "")
    try:
        content = json.loads(text)
        return Credentials(content["username"], content["password"])
    except (ValueError, KeyError, TypeError):
        # Without the cause, because the parser's message can contain the secret.
        raise Rejected(f"{secret_arn} is not a JSON object with username and password. Fix the secret.") from None
