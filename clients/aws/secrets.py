"""Secrets Manager."""

import json
from dataclasses import dataclass, field

from clients.aws.session import aws_client, translated
from delivery.errors import Rejected


@dataclass(frozen=True)
class Credentials:
    """Not shown by repr."""

    username: str = field(repr=False)
    password: str = field(repr=False)


def read_credentials(secret_arn: str, region: str) -> Credentials:
    """Username and password that a secret holds as JSON; raises Rejected when it holds something else."""
    with translated(f"read the secret {secret_arn}"):
        text = aws_client("secretsmanager", region).get_secret_value(SecretId=secret_arn).get("SecretString", "")
    try:
        content = json.loads(text)
        return Credentials(content["username"], content["password"])
    except (ValueError, KeyError, TypeError):
        # Without the cause: a parser's message may repeat what it read.
        raise Rejected(f"{secret_arn} is no JSON object with username and password. Mend the secret.") from None
