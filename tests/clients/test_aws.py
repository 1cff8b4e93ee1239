"""Every answer of AWS becomes one DeliveryError."""

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, ReadTimeoutError
from botocore.parsers import ResponseParserError

from clients.aws import translate_answer, translated
from delivery.errors import Conflict, DeliveryError, NotFound, NotPermitted, Rejected, Unavailable


def answer(code: str, message: str = "said so", status: int = 400) -> ClientError:
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
        ("ExpiredToken", 403, NotPermitted),
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
def test_each_code_of_aws_has_its_error(code: str, status: int, kind: type[DeliveryError]) -> None:
    assert type(translate_answer("do it", answer(code, status=status))) is kind


def test_a_missing_stack_is_told_by_its_words_because_it_has_no_code() -> None:
    missing = translate_answer("read it", answer("ValidationError", "Stack with id x does not exist"))
    assert isinstance(missing, NotFound)
    assert isinstance(translate_answer("read it", answer("ValidationError", "Template format error")), Rejected)


def test_an_error_says_what_was_tried_and_what_aws_said() -> None:
    error = translate_answer("create topic metrics", answer("ConflictException", "The cluster is updating."))
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
def test_what_boto_raises_itself_is_translated_too(raised: Exception, kind: type[DeliveryError]) -> None:
    with pytest.raises(kind, match=r"^Could not do it: "), translated("do it"):
        raise raised
