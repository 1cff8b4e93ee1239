"""A digest that is released again while an earlier revision of it is recent: what the operator is asked then."""

from collections.abc import Mapping
from typing import Any

from delivery.application.planning import can_resume, is_stable_already, window_revisions
from delivery.rollback.revisions import Journals, last_served, last_tried
from delivery.rollout.snapshot import ReplicaSet, RolloutSnapshot


def ambiguous_revisions(snapshot: RolloutSnapshot | None, template: Mapping[str, Any] | None) -> tuple[ReplicaSet, ...]:
    """The earlier revisions of this template that go back at once or get a canary, as the operator wants it.

    Empty also where a canary of it is under way, which is gone on with, and where it serves all traffic already.
    """
    if snapshot is None or can_resume(snapshot, template) or is_stable_already(snapshot, template):
        return ()
    return window_revisions(snapshot, template)


def describe_ambiguous_revision(environment: str, found: ReplicaSet, journals: Journals) -> str | None:
    """The refusal of a release that does not say which of the two it wants; None for a revision that never served.

    journals: of releases by their numbers, newest first. One of which none of them tells may have served.
    """
    has_served = last_served(journals, found.hash) is not None
    if not has_served and last_tried(journals, found.hash) is not None:
        return None
    known = "which served before" if has_served else "of which no journal tells whether it served"
    way_back = f"slipway rollback {environment} --revision {found.revision}{'' if has_served else ' --unverified'}"
    return (
        f"{found.artifact_digest} is revision {found.revision}, {known}: the controller would give it all traffic at "
        f"once, without a canary. To go back to it at once: {way_back}. To judge it like a new one, at every step: the "
        "same release with --canary (in Prefect: canary=true), which takes its ReplicaSet away first."
    )
