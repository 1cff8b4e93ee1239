"""The broker connection of the producer and the consumer."""

from typing import Any

from sandbox.application.settings import ApplicationSettings


def broker_connection(settings: ApplicationSettings) -> dict[str, Any]:
    """The settings for librdkafka: IAM over TLS, or plain text if the broker protocol is PLAINTEXT."""
    common: dict[str, Any] = {"bootstrap.servers": settings.bootstrap_servers, "log_level": 2}
    if settings.broker_protocol == "PLAINTEXT":
        return common
    return common | {
        "security.protocol": settings.broker_protocol,
        "sasl.mechanisms": "OAUTHBEARER",
        "oauth_cb": lambda _: sign_token(settings.region),
        "ssl.ca.location": settings.ca_bundle,
    }


def sign_token(region: str) -> tuple[str, float]:
    """A token for the brokers, and when it expires, in seconds since 1970."""
    # Imported only here, because it imports boto3, which takes half of the start time of the application.
    from aws_msk_iam_sasl_signer import MSKAuthTokenProvider

    token, expires_in_milliseconds = MSKAuthTokenProvider.generate_auth_token(region)
    return token, expires_in_milliseconds / 1000
