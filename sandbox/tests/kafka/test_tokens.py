"""How the IAM listeners check tokens of MSK's signer."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from aws_msk_iam_sasl_signer import MSKAuthTokenProvider

from sandbox.kafka.tokens import TokenRefused, check_token

SECRET = "sandbox"


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "operator")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    return MSKAuthTokenProvider.generate_auth_token("us-east-1")[0]


def refusal(token: str, *, region: str = "us-east-1", secret: str = SECRET, later: timedelta = timedelta()) -> str:
    with pytest.raises(TokenRefused) as refused:
        check_token(token, region, secret, datetime.now(UTC) + later)
    return str(refused.value)


def test_a_token_contains_its_access_key(token: str) -> None:
    assert check_token(token, "us-east-1", SECRET, datetime.now(UTC)) == "operator"


def test_a_token_of_temporary_credentials_is_accepted(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "session/+=")
    token, _ = MSKAuthTokenProvider.generate_auth_token("us-east-1")
    assert check_token(token, "us-east-1", SECRET, datetime.now(UTC)) == "operator"


def test_a_token_of_another_region_is_rejected(token: str) -> None:
    assert "not for kafka-cluster:Connect in eu-west-1" in refusal(token, region="eu-west-1")


def test_a_token_signed_with_another_secret_is_rejected(token: str) -> None:
    assert "signature" in refusal(token, secret="other")


def test_a_token_expires_after_15_minutes(token: str) -> None:
    assert check_token(token, "us-east-1", SECRET, datetime.now(UTC) + timedelta(minutes=14))
    assert "expired" in refusal(token, later=timedelta(minutes=15))


def test_a_modified_token_is_rejected(token: str) -> None:
    url = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    assert "signature" in refusal(base64.urlsafe_b64encode(url.replace("operator", "somebody").encode()).decode())


def test_a_text_that_is_not_a_token_is_rejected() -> None:
    assert "not text in base64" in refusal("a b")
