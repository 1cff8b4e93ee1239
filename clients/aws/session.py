"""One way to call AWS: boto3 clients with bounded waits, of one session, and its errors translated once.

The endpoint comes from AWS_ENDPOINT_URL, credentials from AWS_*; boto3 reads both.
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

from delivery.errors import Conflict, DeliveryError, NotFound, NotPermitted, Rejected, Unavailable, is_passing

CONFIG = Config(
    connect_timeout=5,
    read_timeout=30,
    retries={"mode": "standard", "total_max_attempts": 5},
    user_agent_extra="slipway",
    # Clients are shared: stacks, topics and checks ask side by side.
    max_pool_connections=32,
)

PASSING = ("Throttling", "TooManyRequests", "RequestLimitExceeded", "SlowDown", "Timeout", "PriorRequestNotComplete")
PASSING += ("ClusterConnectivity", "ReassignmentInProgress")
# The next request goes by another session, which reads anew what somebody may have written into a file.
EXPIRED = "ExpiredToken"
PASSING += (EXPIRED,)
REFUSED = (
    "AccessDenied",
    "UnauthorizedOperation",
    "AuthFailure",
    "InvalidClientTokenId",
    "Unrecognized",
)
REFUSED += ("SignatureDoesNotMatch", "InvalidSignature", "IncompleteSignature", "OptInRequired")
MISSING = ("NotFound", "NoSuch", "UnknownTopicOrPartition")
TAKEN = ("Conflict", "AlreadyExists", "TopicExists", "PreconditionFailed", "OperationAborted")

NO_CREDENTIALS = "there are no AWS credentials. Set AWS_PROFILE or AWS_*."

# Clients may be shared between threads; sessions may not, nor may one make two clients at once.
_lock = threading.RLock()
_sessions: dict[tuple[str, frozenset[tuple[str, str]]], Session] = {}
_clients: dict[tuple[Session, str], Any] = {}


def aws_client(service: str, region: str) -> Any:
    """The process's client of the service, which retries throttling itself and waits half a minute per attempt at most.

    Its session refreshes what it assumed a role for, so that a release can take hours.
    """
    with _lock:
        key = aws_session(region), service
        if key not in _clients:
            _clients[key] = new_client(service, region)
        return _clients[key]


def new_client(service: str, region: str) -> Any:
    """A client of the same session for its caller alone, who may listen to its events."""
    with _lock:
        return aws_session(region).client(service, config=CONFIG)


def aws_session(region: str) -> Session:
    """The process's session in the region, its credentials found. Another one where AWS_* have changed.

    Raises NotPermitted where AWS_PROFILE or a file that it leads to cannot be read.
    """
    key = region, _configuration()
    with _lock:
        if key not in _sessions:
            try:
                session = Session(region_name=region)
                session.get_credentials()
            except (ProfileNotFound, ConfigNotFound, ConfigParseError) as error:
                raise NotPermitted(f"AWS's configuration cannot be used: {error}. Check AWS_PROFILE.") from error
            _sessions[key] = session
        return _sessions[key]


def aws_credentials(region: str) -> Credentials:
    """The session's credentials, which refresh themselves where they can. Raises NotPermitted where there are none."""
    found = aws_session(region).get_credentials()
    if found is None:
        raise NotPermitted(f"Could not sign a request: {NO_CREDENTIALS}")
    return found


def _configuration() -> frozenset[tuple[str, str]]:
    """The variables that sessions and clients read when they are made, and not later."""
    read = (name for name in os.environ if name.startswith("AWS_") or name.upper().endswith("_PROXY"))
    return frozenset((name, os.environ[name]) for name in read)


def forget_sessions() -> None:
    """Have the next clients made anew, by whatever credentials there are then."""
    with _lock:
        _sessions.clear()
        _clients.clear()


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn what boto3 raises into a DeliveryError that says what was being done.

    what: continues "Could not ", e.g. "read stack genai-demo-production-msk".
    Raises Unavailable (worth retrying), NotPermitted, NotFound, Conflict, or Rejected for all the rest.
    """
    try:
        yield
    except ClientError as error:
        if EXPIRED in error.response.get("Error", {}).get("Code", ""):
            forget_sessions()
        raise translate_answer(what, error) from error
    except NoCredentialsError as error:
        raise NotPermitted(f"Could not {what}: {NO_CREDENTIALS}") from error
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
    return Unavailable if is_passing(status) else Rejected
