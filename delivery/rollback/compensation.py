"""What a failed release leaves: what was taken back, what is kept, and how its run ends."""

from collections.abc import Iterable

from delivery.errors import ChecksFailed, DeliveryError, Halted, RollbackFailed, RolledBack, Unfinished
from delivery.journal.step_names import moves_traffic, planned_step
from delivery.plan import Phase
from delivery.release import Event, Record, has_effects

GO_ON = "Traffic was not touched. A release that is started again goes on from there."

# A release takes an old ReplicaSet of its template away so that the controller makes it anew: it is there afterwards.
MADE_ANEW = planned_step(Phase.APPLICATION, "ReplicaSet ")
KEPT_UNKNOWN = "What is kept as this release left it is not known: its journal could not be read."


def kept_changes(journal: tuple[Record, ...]) -> tuple[str, ...]:
    """The steps that were carried out and stay: stacks, topics, settings, the application without its Rollout."""
    done = [record.step for record in journal if record.event is Event.DONE]
    return tuple(step for step in done if not (moves_traffic(step) or step.startswith(MADE_ANEW)))


def may_have_changed(journal: tuple[Record, ...] | None) -> bool:
    """Whether anything may have been changed; taken as true of a journal that could not be read."""
    return journal is None or has_effects(journal)


def describe_kept(journal: tuple[Record, ...] | None) -> str:
    """One sentence; empty when nothing stays. journal: None where it could not be read."""
    if journal is None:
        return KEPT_UNKNOWN
    kept = kept_changes(journal)
    return f"Kept as this release left them: {', '.join(kept)}." if kept else ""


def ending_after(failure: DeliveryError, journal: tuple[Record, ...] | None, way_back: str) -> DeliveryError:
    """The error a failed release ends by.

    way_back: the sentence of the compensating flow, empty where there was nothing to take back; then a person goes on
    from what is kept. Without an effect the failure itself is the ending.
    """
    if not may_have_changed(journal):
        return failure
    said = [str(failure), way_back, describe_kept(journal)]
    return RolledBack(join_sentences(said)) if way_back else Unfinished(join_sentences([*said, GO_ON]))


def ending_without_rollback(
    failure: DeliveryError, fault: DeliveryError, journal: tuple[Record, ...] | None
) -> DeliveryError:
    """The error a release ends by whose way back failed as well. fault: why it did."""
    reason = "" if str(fault).startswith(str(failure)) else str(failure)
    said = join_sentences([reason, str(fault), describe_kept(journal)])
    return type(fault)(said) if isinstance(fault, Halted) else RollbackFailed(said)


def ending_of_manual_rollback(failure: DeliveryError, journal: tuple[Record, ...] | None) -> DeliveryError:
    """The error that a roll-back by hand, or a recovery, ends by.

    Once it has moved anything it did not arrive, whatever the reason, unless traffic is there and a check failed.
    """
    is_said = isinstance(failure, Halted | ChecksFailed | RollbackFailed)
    return failure if is_said or not may_have_changed(journal) else RollbackFailed(str(failure))


def join_sentences(parts: Iterable[str]) -> str:
    """Each that is not empty, with a full stop at its end."""
    return " ".join(part if part.endswith((".", "!", "?")) else f"{part}." for part in parts if part)
