"""The release of a digest that has a recent earlier revision: the operator must say whether it gets a canary."""

from collections.abc import Mapping
from typing import Any

from delivery.application.planning import can_resume, is_stable_already, window_revisions
from delivery.rollback.revisions import Journals, last_served, last_tried
from delivery.rollout.snapshot import ReplicaSet, RolloutSnapshot


def ambiguous_revisions(snapshot: RolloutSnapshot | None, template: Mapping[str, Any] | None) -> tuple[ReplicaSet, ...]:
    """The earlier revisions of this template that can get all traffic at once, or a canary.

    Empty if a canary of this template is under way, which is resumed, or if this template serves all traffic already.
    """
    if snapshot is None or can_resume(snapshot, template) or is_stable_already(snapshot, template):
        return ()
    return window_revisions(snapshot, template)


def describe_ambiguous_revision(environment_name: str, revision: ReplicaSet, journals: Journals) -> str | None:
    """Why a release of the revision is refused without --canary. None if the revision was tried and never promoted.

    journals: release number -> journal, newest first. A revision that is in none of them may have served.
    """
    has_served = last_served(journals, revision.hash) is not None
    if not has_served and last_tried(journals, revision.hash) is not None:
        return None
    known = "which served before" if has_served else "and no journal shows whether it was promoted"
    flag = "" if has_served else " --unverified"
    return (
        f"{revision.artifact_digest} is revision {revision.revision}, {known}. Without --canary, Argo Rollouts skips "
        "the canary steps, because this revision is in the rollback window. To give it all traffic now: "
        f"slipway rollback {environment_name} --revision {revision.revision}{flag}. To run a canary: "
        f"slipway release {environment_name} --digest {revision.artifact_digest} --canary (in Prefect: canary=true)."
    )
