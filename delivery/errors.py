"""All errors that Slipway raises, as one tree. A message says what happened, the state of things, and what to do next.

DeliveryError
├── SettingsError      a setting is missing, unknown or wrong; nothing was started
├── Refused            the release is not allowed; nothing was changed
├── LockTaken          another release has the lock on the environment
├── Halted             no further effect is allowed, not even a rollback
│   ├── LockLost       this process has lost the lock; it stops before its next effect
│   └── StopRequested  someone asked the release to stop before its next effect
├── Unavailable        a service could not be reached, throttled the request, or failed; worth retrying
├── NotPermitted       a service refused the credentials
├── Rejected           a service refused the request, and would refuse it again
├── NotFound           a required object does not exist
├── Conflict           a precondition failed, because another writer changed the object
├── StackFailed        an operation on a stack failed
├── Altered            a downloaded file differs from the one that the settings pin
├── TopicWouldShrink   a topic has more partitions than the settings specify
├── TopicFixed         a topic differs in a property that can only be set when it is created
├── NotApplied         a change was requested and could not be read back
├── RolloutBroken      the rollout cannot continue: it is invalid or stuck, or another writer changes it
├── NotPromoted        a canary step ended without PASS
├── ChecksFailed       a check of the post-release verification failed
├── Inconclusive       a check could not be made
├── RolledBack         the release failed and was rolled back
├── Unfinished         the release had an effect, and was neither completed nor rolled back; a person must decide
├── RollbackFailed     the rollback failed; a person must act
└── Unexpected         an internal error of Slipway

A verdict or a failed check is a value. Only a flow turns it into one of these errors.
"""

from collections.abc import Sequence

# HTTP status codes.
TOO_MANY_REQUESTS, FIRST_SERVER_ERROR = 429, 500


class DeliveryError(Exception):
    """The base class of all errors that Slipway raises on purpose."""


class SettingsError(DeliveryError):
    """Names file, key and variable. Never contains a secret."""


class Refused(DeliveryError):
    """reasons: one sentence each; all reasons, not only the first one."""

    def __init__(self, *reasons: str) -> None:
        self.reasons = reasons
        joined = " ".join(reasons)
        # A reason that is a list ends with a line break.
        super().__init__(f"{joined}{'' if joined.endswith(chr(10)) else ' '}Nothing was changed.")


class LockTaken(DeliveryError):
    """Says who has the lock, since when and why."""


class Halted(DeliveryError):
    """Of operations that run in parallel, one that ends with this error ends all of them."""


class LockLost(Halted):
    """Says why the lock was lost. If the release is started again, it continues from the present state."""


class StopRequested(Halted):
    """Says who asked for the stop, and why."""


class Unavailable(DeliveryError):
    """The only error that is worth retrying: the same request can succeed the next time."""


class NotPermitted(DeliveryError):
    """Names the request that was refused."""


class Rejected(DeliveryError):
    """Contains the message of the service."""


class NotFound(DeliveryError):
    """Names the object and where it should be."""


class Conflict(DeliveryError):
    """The object must be read again before the next decision."""


class StackFailed(DeliveryError):
    """Names the stack, its status, and the first resource that failed with its reason."""


class Altered(DeliveryError):
    """Names what was found and what is pinned. Nothing of the file was used."""


class TopicWouldShrink(DeliveryError):
    """Kafka cannot remove partitions."""


class TopicFixed(DeliveryError):
    """Says what the topic has and what the settings specify. The topic stays unchanged."""


class NotApplied(DeliveryError):
    """Says what was wanted and what was read back."""


class RolloutBroken(DeliveryError):
    """Says what the controller reports, and which revision gets which traffic."""


class NotPromoted(DeliveryError):
    """The sentence of the verdict. is_failure: whether it is FAIL, not INCONCLUSIVE."""

    def __init__(self, message: str, *, is_failure: bool) -> None:
        self.is_failure = is_failure
        super().__init__(message)


class ChecksFailed(DeliveryError):
    """Names each failed check with what was seen and what was wanted."""


class Inconclusive(DeliveryError):
    """Names each check that could not be made, and why."""


class RolledBack(DeliveryError):
    """Says what failed, which revision serves all traffic as read back, and what has to be done manually."""


class Unfinished(DeliveryError):
    """Says which changes stay and how to continue."""


class RollbackFailed(DeliveryError):
    """Says which revision gets which traffic now, as read back, and what has to be done manually."""


class Unexpected(DeliveryError):
    """Names the type of the exception. Its traceback is in the log of the run."""


def is_transient(status: int) -> bool:
    """Whether a response with this HTTP status is Unavailable: the service is overloaded or failed."""
    return status == TOO_MANY_REQUESTS or status >= FIRST_SERVER_ERROR


def deciding_error(errors: Sequence[DeliveryError]) -> DeliveryError:
    """Of the errors of operations that ran in parallel, the one that says how all of them end."""
    return next((error for error in errors if isinstance(error, Halted)), errors[0])


def as_delivery_error(error: BaseException) -> DeliveryError:
    """The error itself, or Unexpected if it is not a DeliveryError."""
    if isinstance(error, DeliveryError):
        return error
    return Unexpected(f"Internal error ({type(error).__name__}: {error}). The traceback is in the flow run's log.")
