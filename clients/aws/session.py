"""boto3 clients of one session with timeouts, and the translation of their errors.

boto3 reads the endpoint from AWS_ENDPOINT_URL and the credentials from AWS_*.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from boto3.session import Session
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConfigNotFound,
    ConfigParseError,
    NoCredentialsError,
    ParamValidationError,
    ProfileNotFound,
)
from botocore.parsers import ResponseParserError

from delivery.errors import Conflict, DeliveryError, NotFound, NotPermitted, Rejected, Unavailable, is_transient

CONFIG = Config(
    connect_timeout=5,
    read_timeout=30,
    retries={"mode": "standard", "total_max_attempts": 5},
    user_agent_extra="slipway",
    # Stacks, topics and checks share the clients and use them in parallel.
    max_pool_connections=32,
)

TRANSIENT = ("Throttling", "TooManyRequests", "RequestLimitExceeded", "SlowDown", "Timeout", "PriorRequestNotComplete")
TRANSIENT += ("ClusterConnectivity", "ReassignmentInProgress")
# The next request uses a new session, which reads the files with credentials again.
EXPIRED = "ExpiredToken"
TRANSIENT += (EXPIRED,)
REFUSED = (
    "AccessDenied",
    "UnauthorizedOperation",
    "AuthFailure",
    "InvalidClientTokenId",
    "Unrecognized",
)
REFUSED += ("SignatureDoesNotMatch", "InvalidSignature", "IncompleteSignature", "OptInRequired")
MISSING = ("NotFound", "NoSuch", "UnknownTopicOrPartition")
CONFLICTING = ("Conflict", "AlreadyExists", "TopicExists", "PreconditionFailed", "OperationAborted")

NO_CREDENTIALS = "there are no AWS credentials. Set AWS_PROFILE or the other variables AWS_*."

# Threads can share clients, but not sessions. One session cannot create two clients at the same time.
_lock = threading.RLock()
_sessions: dict[tuple[str, frozenset[tuple[str, str]]], Session] = {}
_clients: dict[tuple[Session, str], Any] = {}


def aws_client(service: str, region: str) -> Any:
    """The client of a service for this process. It retries throttled requests, and waits at most 30 s per attempt.

    Its session refreshes temporary credentials, so that a release can take hours.
    """
    with _lock:
        key = aws_session(region), service
        if key not in _clients:
            _clients[key] = new_client(service, region)
        return _clients[key]


def new_client(service: str, region: str) -> Any:
    """A new client of the same session. It is not shared, so that its caller can register event handlers."""
    with _lock:
        return aws_session(region).client(service, config=CONFIG)


def aws_session(region: str) -> Session:
    """The session of this process in a region, with its credentials. If AWS_* have changed, it is a new session.

    Raises NotPermitted if AWS_PROFILE or one of its files cannot be read.
    """
    key = region, _configuration()
    with _lock:
        if key not in _sessions:
            try:
                session = Session(region_name=region)
                session.get_credentials()
            except (ProfileNotFound, ConfigNotFound, ConfigParseError) as error:
                raise NotPermitted(f"The AWS configuration cannot be used: {error}. Check AWS_PROFILE.") from error
            _sessions[key] = session
        return _sessions[key]


def aws_credentials(region: str) -> Credentials:
    """The credentials of the session. Temporary ones refresh themselves. Raises NotPermitted if there are none."""
    found = aws_session(region).get_credentials()
    if found is None:
        raise NotPermitted(f"Could not sign a request: {NO_CREDENTIALS}")
    return found


def _configuration() -> frozenset[tuple[str, str]]:
    """The variables that sessions and clients read only when they are created."""
    names = (name for name in os.environ if name.startswith("AWS_") or name.upper().endswith("_PROXY"))
    return frozenset((name, os.environ[name]) for name in names)


def discard_sessions() -> None:
    """Create new sessions and clients from now on, with the credentials that exist then."""
    with _lock:
        _sessions.clear()
        _clients.clear()


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Translate boto3's exceptions to a DeliveryError that says what failed.

    what: the end of a sentence that begins with "Could not", such as "read stack genai-demo-production-msk".
    Raises Unavailable (worth retrying), NotPermitted, NotFound, Conflict, or Rejected for everything else.
    """
    try:
        yield
    except ClientError as error:
        if EXPIRED in error.response.get("Error", {}).get("Code", ""):
            discard_sessions()
        raise translate_response(what, error) from error
    except NoCredentialsError as error:
        raise NotPermitted(f"Could not {what}: {NO_CREDENTIALS}") from error
    except ParamValidationError as error:
        raise Rejected(f"Could not {what}: {error}") from error
    except (BotoCoreError, ResponseParserError) as error:
        raise Unavailable(f"Could not {what}: {error}") from error


def translate_response(what: str, error: ClientError) -> DeliveryError:
    """The DeliveryError for an error response."""
    code = error.response.get("Error", {}).get("Code", "")
    message = error.response.get("Error", {}).get("Message", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    sentence = f"Could not {what}: {code}: {message}"
    return error_type(code, message, status)(sentence)


def error_type(code: str, message: str, status: int) -> type[DeliveryError]:
    """The error for a response. Its code matters more than its HTTP status: not every throttled request has 429."""
    kinds = ((TRANSIENT, Unavailable), (REFUSED, NotPermitted), (MISSING, NotFound), (CONFLICTING, Conflict))
    for codes, kind in kinds:
        if any(part in code for part in codes):
            return kind
    # CloudFormation has no error code for a missing stack.
    if code == "ValidationError" and "does not exist" in message:
        return NotFound
    return Unavailable if is_transient(status) else Rejected
