"""What serves an environment now, and what it can go back to, as the operator reads it."""

from collections.abc import Sequence

from delivery.outcome import COMPLETED
from delivery.reading import Reading, ReplicaSet
from delivery.release import Event, Record
from delivery.report import ReleaseReport, end_of_release


def describe_serving(environment: str, reading: Reading | None, releases: Sequence[ReleaseReport]) -> tuple[str, ...]:
    """The revision that serves, one that is on its way, and a line for each that can be gone back to.

    reading: None where nothing was ever installed. releases: newest first.
    """
    if reading is None:
        return (f"{environment} has no application yet.",)
    if reading.stable is None:
        return (f"{environment} has no revision that is known to serve: {reading.phase} {reading.message}".rstrip(),)
    earlier = [found for found in reading.replica_sets if is_way_back(reading, found)]
    return (
        f"{environment} serves {describe_revision(reading.stable)}, {since_when(reading.stable, releases)}.",
        *describe_canary(reading),
        *(("It can go back to:",) if earlier else ("There is no earlier revision to go back to.",)),
        *(f"  {describe_revision(found)}, {made_when(found, releases)}" for found in earlier),
    )


def as_serving(reading: Reading | None) -> dict[str, object] | None:
    """The same for a program; None where nothing serves."""
    if reading is None or reading.stable is None:
        return None
    earlier = (found for found in reading.replica_sets if is_way_back(reading, found))
    return as_revision(reading.stable) | {"can_go_back_to": [as_revision(found) for found in earlier]}


def as_revision(found: ReplicaSet) -> dict[str, object]:
    return {"revision": found.revision, "artifact_digest": found.artifact_digest, "made": found.created_at}


def is_way_back(reading: Reading, found: ReplicaSet) -> bool:
    """An earlier revision that names its image by digest; by a tag it may be another image by now."""
    return found.hash not in (reading.stable_hash, reading.current_hash) and bool(found.artifact_digest)


def describe_revision(found: ReplicaSet) -> str:
    return f"revision {found.revision}, {found.artifact_digest or found.image}"


def describe_canary(reading: Reading) -> tuple[str, ...]:
    if not reading.is_unfinished or reading.current is None:
        return ()
    share = reading.weights.canary_percent if reading.weights else 0
    return (f"A canary is under way: {describe_revision(reading.current)} has {share} % of the traffic.",)


def since_when(stable: ReplicaSet, releases: Sequence[ReleaseReport]) -> str:
    """By the last release that completed; one of another artifact means that somebody moved it by hand since."""
    for release in releases:
        if (end := completed(release)) is not None:
            is_its = release.artifact_digest == stable.artifact_digest
            by = f"release {release.number}, which completed at {end.at:%Y-%m-%d %H:%M} UTC"
            return f"by {by}" if is_its else f"which no release brought there: the last was {by}"
    return f"made {stable.created_at}"


def completed(release: ReleaseReport) -> Record | None:
    """The record of its end, where it was carried out."""
    ends = (record for record in reversed(release.journal) if record.event is Event.ENDED)
    return next((end for end in ends if end.detail.get("outcome") == COMPLETED.state_name), None)


def made_when(found: ReplicaSet, releases: Sequence[ReleaseReport]) -> str:
    """When it was made, and how the last release of its artifact ended: one that failed is no good way back."""
    last = next((release for release in releases if release.artifact_digest == found.artifact_digest), None)
    if last is None:
        return f"made {found.created_at}"
    return (
        f"made {found.created_at}, release {last.number} of it: {end_of_release(last.journal, is_under_way=False)[0]}"
    )
