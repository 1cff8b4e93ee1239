"""What can go wrong, one tree. Every message says what happened, what state things are in, and what to do.

DeliveryError
├── SettingsError      a setting is missing, unknown or malformed; nothing was touched
├── Refused            the plan may not be carried out; nothing was touched
├── LockTaken          somebody else releases to this environment
├── Halted             no further effect may start, no way back either
│   ├── LockLost       this process no longer holds the environment; it stops before its next effect
│   └── StopRequested  somebody asked the holder to stop at its next safe point
├── Unavailable        a service could not be reached, throttled, or answered that it is broken: worth retrying
├── NotPermitted       a service refused our credentials
├── Rejected           a service refused the request itself; asked again it will refuse again
├── NotFound           a thing that has to be there is not
├── Conflict           a precondition did not hold: somebody else wrote in between
├── StackFailed        CloudFormation gave up on a stack
├── Altered            what was fetched is not what the environment's file pins
├── TopicWouldShrink   a topic is asked for fewer partitions than it has
├── TopicFixed         a topic is asked for something that it can only be made with
├── NotApplied         a change was asked for and not read back
├── RolloutBroken      the rollout cannot go on: invalid, stuck, or somebody else writes to it
├── NotPromoted        a canary step ended without proof; its analysis says why
├── ChecksFailed       the release does not look as planned
├── Inconclusive       a look that had to tell could not
├── RolledBack         the release failed and was taken back
├── Unfinished         the release changed something and went neither on nor back: a person decides
├── RollbackFailed     the way back did not arrive; a person is needed
└── Unexpected         a fault of ours, not of what is delivered

A verdict or a failed check is a value until a flow turns it into one of these.
"""

from collections.abc import Sequence

# HTTP's.
TOO_MANY_REQUESTS, FIRST_FAULT = 429, 500


class DeliveryError(Exception):
    """Anything Slipway can say about a delivery that did not go as asked."""


class SettingsError(DeliveryError):
    """Names file, key and variable; never shows a secret."""


class Refused(DeliveryError):
    """reasons: one sentence each; all that stand in the way, not only the first."""

    def __init__(self, *reasons: str) -> None:
        self.reasons = reasons
        # A list has its own lines, and ends one.
        said = " ".join(reasons)
        super().__init__(f"{said}{'' if said.endswith(chr(10)) else ' '}Nothing was touched.")


class LockTaken(DeliveryError):
    """Says who holds the environment, since when and why."""


class Halted(DeliveryError):
    """Where it ends one of several things that run side by side, it ends them all."""


class LockLost(Halted):
    """Says why; the release that is started again goes on from what is there."""


class StopRequested(Halted):
    """Says who asked."""


class Unavailable(DeliveryError):
    """The only error worth retrying: the same question may be answered next time."""


class NotPermitted(DeliveryError):
    """Names the call that was refused."""


class Rejected(DeliveryError):
    """Shows the service's own words."""


class NotFound(DeliveryError):
    """Names the thing and where it was looked for."""


class Conflict(DeliveryError):
    """Read again before deciding anew."""


class StackFailed(DeliveryError):
    """Names the stack, its status, and the first resource that failed with its reason."""


class Altered(DeliveryError):
    """Names what was found and what was pinned; nothing of it was used."""


class TopicWouldShrink(DeliveryError):
    """Kafka cannot take partitions away."""


class TopicFixed(DeliveryError):
    """Says what the topic has and what was asked for; the topic stays as it is."""


class NotApplied(DeliveryError):
    """Says what was wanted and what was read back."""


class RolloutBroken(DeliveryError):
    """Says what the controller says, and which traffic flows where."""


class NotPromoted(DeliveryError):
    """The verdict's sentence: a failed or an inconclusive canary step. is_failure tells the two apart."""

    def __init__(self, message: str, *, is_failure: bool) -> None:
        self.is_failure = is_failure
        super().__init__(message)


class ChecksFailed(DeliveryError):
    """Names each failed check with what was seen and wanted."""


class Inconclusive(DeliveryError):
    """Names each check that could not tell, and why."""


class RolledBack(DeliveryError):
    """Says what failed, which revision serves all traffic as read back, and what stays to be done by hand."""


class Unfinished(DeliveryError):
    """Says what is kept and how to go on."""


class RollbackFailed(DeliveryError):
    """Says which traffic flows where now, as read back, and what to do by hand."""


class Unexpected(DeliveryError):
    """Names the fault by its type; its traceback is in the run's log."""


def is_passing(status: int) -> bool:
    """Whether what answers with this HTTP status is Unavailable: it has too much to do, or a fault of its own."""
    return status == TOO_MANY_REQUESTS or status >= FIRST_FAULT


def first_to_tell(errors: Sequence[DeliveryError]) -> DeliveryError:
    """Of the errors of things that ran side by side, the one that says how all of them end."""
    return next((error for error in errors if isinstance(error, Halted)), errors[0])


def as_delivery_error(error: BaseException) -> DeliveryError:
    """The error itself, or what says that it should never have come this far."""
    if isinstance(error, DeliveryError):
        return error
    return Unexpected(f"A fault in Slipway itself, {type(error).__name__}: {error}.")
