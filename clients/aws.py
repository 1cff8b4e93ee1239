"""One way to call AWS: boto3 clients with bounded waits, and its errors translated once.

The endpoint comes from AWS_ENDPOINT_URL, credentials from AWS_*; boto3 reads both.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, ParamValidationError
from botocore.parsers import ResponseParserError

from delivery.errors import Conflict, DeliveryError, NotFound, NotPermitted, Rejected, Unavailable

CONFIG = Config(
    connect_timeout=5,
    read_timeout=30,
    retries={"mode": "standard", "total_max_attempts": 5},
    user_agent_extra="slipway",
)

PASSING = ("Throttling", "TooManyRequests", "RequestLimitExceeded", "SlowDown", "Timeout", "PriorRequestNotComplete")
PASSING += ("ClusterConnectivity", "ReassignmentInProgress")
REFUSED = (
    "AccessDenied",
    "UnauthorizedOperation",
    "AuthFailure",
    "ExpiredToken",
    "InvalidClientTokenId",
    "Unrecognized",
)
REFUSED += ("SignatureDoesNotMatch", "InvalidSignature", "IncompleteSignature", "OptInRequired")
MISSING = ("NotFound", "NoSuch", "UnknownTopicOrPartition")
TAKEN = ("Conflict", "AlreadyExists", "TopicExists", "PreconditionFailed", "OperationAborted")


def aws_client(service: str, region: str) -> Any:
    """A boto3 client that retries throttling itself and never waits for longer than half a minute per attempt."""
    # A session of its own: boto3's default session must not be shared between threads.
    return Session().client(service, region_name=region, config=CONFIG)


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn what boto3 raises into a DeliveryError that says what was being done.

    what: continues "Could not ", e.g. "read stack genai-demo-production-msk".
    Raises Unavailable (worth retrying), NotPermitted, NotFound, Conflict, or Rejected for all the rest.
    """
    try:
        yield
    except ClientError as error:
        raise translate_answer(what, error) from error
    except NoCredentialsError as error:
        raise NotPermitted(f"Could not {what}: there are no AWS credentials. Set AWS_PROFILE or AWS_*.") from error
    except ParamValidationError as error:
        raise Rejected(f"Could not {what}: {error}") from error
    except (BotoCoreError, ResponseParserError) as error:
        raise Unavailable(f"Could not {what}: {error}") from error


def translate_answer(what: str, error: ClientError) -> DeliveryError:
    """The DeliveryError that fits what the service answered."""
    code = error.response.get("Error", {}).get("Code", "")
    message = error.response.get("Error", {}).get("Message", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    sentence = f"Could not {what}: {code}: {message}"
    return error_type(code, message, status)(sentence)


def error_type(code: str, message: str, status: int) -> type[DeliveryError]:
    """Which error an answer is, by its code before its HTTP status: not every throttling is a 429."""
    kinds = ((PASSING, Unavailable), (REFUSED, NotPermitted), (MISSING, NotFound), (TAKEN, Conflict))
    for codes, kind in kinds:
        if any(part in code for part in codes):
            return kind
    # CloudFormation has no code of its own for a stack that is missing.
    if code == "ValidationError" and "does not exist" in message:
        return NotFound
    return Unavailable if status >= 500 or status == 429 else Rejected
