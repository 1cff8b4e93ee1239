"""How a failed release ends: what was rolled back, which changes stay, and the error of its run."""

from collections.abc import Iterable

from delivery.errors import ChecksFailed, DeliveryError, Halted, RollbackFailed, RolledBack, Unfinished
from delivery.journal.step_names import moves_traffic, planned_step
from delivery.plan import Phase
from delivery.release import Event, Record, has_effects

TRAFFIC_UNCHANGED = (
    "The traffic was not changed. Fix the cause, then start the release again: it continues from this state."
)

# A release deletes an old ReplicaSet of its template, and the controller creates it again. So it exists afterwards.
RECREATED = planned_step(Phase.APPLICATION, "ReplicaSet ")


def kept_changes(journal: tuple[Record, ...]) -> tuple[str, ...]:
    """The completed steps that a rollback does not undo: stacks, topics, settings, and all objects but the Rollout."""
    done = [record.step for record in journal if record.event is Event.DONE]
    return tuple(step for step in done if not (moves_traffic(step) or step.startswith(RECREATED)))


def may_have_changed(journal: tuple[Record, ...] | None) -> bool:
    """Whether the release may have changed something. True if its journal could not be read (None)."""
    return journal is None or has_effects(journal)


def describe_kept(journal: tuple[Record, ...] | None, release: str = "this release") -> str:
    """One sentence about the changes that stay; empty if there are none. journal: None if it could not be read."""
    if journal is None:
        return f"It is unknown which changes of {release} stay: its journal could not be read."
    kept = kept_changes(journal)
    return f"These changes of {release} stay: {', '.join(kept)}." if kept else ""


def final_error(failure: DeliveryError, journal: tuple[Record, ...] | None, rollback: str) -> DeliveryError:
    """The error that a failed release ends with. It is the failure itself if the release changed nothing.

    rollback: the sentence of the compensation; empty if there was nothing to roll back, so that a person must decide.
    """
    if not may_have_changed(journal):
        return failure
    sentences = [str(failure), rollback, describe_kept(journal)]
    if rollback:
        return RolledBack(join_sentences(sentences))
    return Unfinished(join_sentences([*sentences, TRAFFIC_UNCHANGED]))


def final_error_without_rollback(
    failure: DeliveryError, rollback_error: DeliveryError, journal: tuple[Record, ...] | None
) -> DeliveryError:
    """The error that a release ends with if its rollback failed as well. rollback_error: why the rollback failed."""
    reason = "" if str(rollback_error).startswith(str(failure)) else str(failure)
    message = join_sentences([reason, str(rollback_error), describe_kept(journal)])
    return type(rollback_error)(message) if isinstance(rollback_error, Halted) else RollbackFailed(message)


def final_error_of_manual_rollback(failure: DeliveryError, journal: tuple[Record, ...] | None) -> DeliveryError:
    """The error that a manual rollback or a recovery ends with: RollbackFailed once it may have changed something.

    Three errors stay what they are: a stop request, a lost lock, and a failed check after the traffic is back.
    """
    is_final = isinstance(failure, Halted | ChecksFailed | RollbackFailed)
    return failure if is_final or not may_have_changed(journal) else RollbackFailed(str(failure))


def join_sentences(parts: Iterable[str]) -> str:
    """The parts that are not empty, each with a full stop at its end."""
    return " ".join(part if part.endswith((".", "!", "?")) else f"{part}." for part in parts if part)
