"""How the application's producer and consumer reach the brokers."""

from typing import Any

from sandbox.application.settings import ApplicationSettings


def broker_connection(settings: ApplicationSettings) -> dict[str, Any]:
    """librdkafka's settings: by IAM over TLS, or in plain text where the variables say so."""
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
    """A token for the brokers and when it ends, in seconds since 1970."""
    # Imported where it is needed: it brings boto3, which takes half of the application's start.
    from aws_msk_iam_sasl_signer import MSKAuthTokenProvider

    token, expires_in_milliseconds = MSKAuthTokenProvider.generate_auth_token(region)
    return token, expires_in_milliseconds / 1000
