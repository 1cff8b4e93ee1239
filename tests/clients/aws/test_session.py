"""All clients of a process have one session. Each error of AWS is translated to one DeliveryError."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, ReadTimeoutError
from botocore.parsers import ResponseParserError

from clients.aws.session import aws_client, aws_credentials, aws_session, translate_response, translated
from delivery.errors import Conflict, DeliveryError, NotFound, NotPermitted, Rejected, Unavailable


def error_response(code: str, message: str = "the reason", status: int = 400) -> ClientError:
    response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "Operation")  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("Throttling", 400, Unavailable),
        ("ThrottlingException", 400, Unavailable),
        ("TooManyRequestsException", 429, Unavailable),
        ("SlowDown", 503, Unavailable),
        ("KafkaTimeoutException", 409, Unavailable),
        ("ClusterConnectivityException", 409, Unavailable),
        ("InternalFailure", 500, Unavailable),
        ("AccessDenied", 403, NotPermitted),
        ("AccessDeniedException", 400, NotPermitted),
        ("ExpiredToken", 403, Unavailable),
        ("UnrecognizedClientException", 400, NotPermitted),
        ("ChangeSetNotFound", 404, NotFound),
        ("NoSuchBucket", 404, NotFound),
        ("UnknownTopicOrPartitionException", 404, NotFound),
        ("TopicExistsException", 409, Conflict),
        ("AlreadyExistsException", 400, Conflict),
        ("ConflictException", 409, Conflict),
        ("InsufficientCapabilitiesException", 400, Rejected),
    ],
)
def test_each_error_code_of_aws_has_its_error(code: str, status: int, kind: type[DeliveryError]) -> None:
    assert type(translate_response("do it", error_response(code, status=status))) is kind


def test_a_missing_stack_is_recognized_by_its_message_because_it_has_no_code() -> None:
    missing = translate_response("read it", error_response("ValidationError", "Stack with id x does not exist"))
    assert isinstance(missing, NotFound)
    assert isinstance(
        translate_response("read it", error_response("ValidationError", "Template format error")), Rejected
    )


def test_an_error_says_what_failed_and_contains_the_message_of_aws() -> None:
    error = translate_response("create topic metrics", error_response("ConflictException", "The cluster is updating."))
    assert str(error) == "Could not create topic metrics: ConflictException: The cluster is updating."


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (EndpointConnectionError(endpoint_url="http://nowhere"), Unavailable),
        (ReadTimeoutError(endpoint_url="http://slow"), Unavailable),
        (ResponseParserError("HTML"), Unavailable),
        (NoCredentialsError(), NotPermitted),
    ],
)
def test_exceptions_of_boto3_itself_are_translated(raised: Exception, kind: type[DeliveryError]) -> None:
    with pytest.raises(kind, match=r"^Could not do it: "), translated("do it"):
        raise raised


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A file with credentials, with the profile that AWS_PROFILE names."""
    file = tmp_path / "credentials"
    file.write_text("[release]\naws_access_key_id = first\naws_secret_access_key = secret\n")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    monkeypatch.setenv("AWS_PROFILE", "release")
    return file


def test_threads_share_one_session_and_one_client(configured: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        clients = list(pool.map(lambda _: aws_client("cloudformation", "eu-north-1"), range(16)))
    assert len({id(client) for client in clients}) == 1
    assert aws_client("kafka", "eu-north-1")._request_signer._credentials is aws_credentials("eu-north-1")


def test_each_region_has_its_own_session(configured: Path) -> None:
    assert aws_session("eu-north-1") is not aws_session("eu-west-1")
    assert aws_client("ssm", "eu-west-1").meta.region_name == "eu-west-1"


def test_clients_belong_to_a_new_session_after_a_change_of_the_aws_variables(
    configured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = aws_client("ssm", "eu-north-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    assert aws_client("ssm", "eu-north-1").meta.endpoint_url == "http://127.0.0.1:1"
    assert aws_client("ssm", "eu-north-1") is not before


def test_after_an_expired_token_the_next_client_reads_the_credentials_file_again(configured: Path) -> None:
    assert aws_credentials("eu-north-1").access_key == "first"
    configured.write_text(configured.read_text().replace("first", "second"))
    with pytest.raises(Unavailable), translated("do it"):
        raise error_response("ExpiredToken", status=403)
    assert aws_credentials("eu-north-1").access_key == "second"


def test_an_unknown_profile_is_not_permitted(configured: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "missing")
    with pytest.raises(NotPermitted, match=r"The config profile \(missing\) could not be found\. Check AWS_PROFILE\."):
        aws_client("ssm", "eu-north-1")
