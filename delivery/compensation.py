"""What a failed release leaves: what was taken back, what is kept, and how its run ends."""

from collections.abc import Iterable

from delivery.errors import DeliveryError, RolledBack, Unfinished
from delivery.plan import Phase
from delivery.release import Event, Record, has_effects

APPLICATION_STEPS = (f"{Phase.APPLICATION}/", "Canary/")
GO_ON = "Traffic was not touched. A release that is started again goes on from there."


def touched_application(journal: tuple[Record, ...]) -> bool:
    """Whether the release may have changed which pods run or how traffic is split."""
    return any(record.event is Event.INTENDED and record.step.startswith(APPLICATION_STEPS) for record in journal)


def kept_changes(journal: tuple[Record, ...]) -> tuple[str, ...]:
    """The steps before the application that were carried out and stay: stacks, topics, settings."""
    done = [record.step for record in journal if record.event is Event.DONE]
    return tuple(step for step in done if not step.startswith(APPLICATION_STEPS))


def describe_kept(journal: tuple[Record, ...]) -> str:
    """One sentence; empty when nothing stays."""
    kept = kept_changes(journal)
    return f"Kept as this release left them: {', '.join(kept)}." if kept else ""


def ending_after(failure: DeliveryError, journal: tuple[Record, ...], way_back: str) -> DeliveryError:
    """The error a failed release ends by.

    way_back: the sentence of the compensating flow. Without an effect the failure itself is the ending; without an
    effect on the application there was nothing to take back, and a person goes on from what is kept.
    """
    if not has_effects(journal):
        return failure
    said = [str(failure), way_back, describe_kept(journal)]
    if touched_application(journal):
        return RolledBack(join_sentences(said))
    return Unfinished(join_sentences([*said, GO_ON]))


def join_sentences(parts: Iterable[str]) -> str:
    """Each that is not empty, with a full stop at its end."""
    return " ".join(part if part.endswith((".", "!", "?")) else f"{part}." for part in parts if part)
