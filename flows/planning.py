"""What a release would do, before anything is changed."""

from prefect import flow

from blocks.settings import load_environment
from delivery.release import ArtifactDigest
from tasks.planning import make_plan, show_plan
from tasks.rollback.outcomes import end_with_outcome


@flow(name="plan-release", flow_run_name="plan {artifact_digest}")
@end_with_outcome
def plan_release(artifact_digest: ArtifactDigest, environment: str = "production", canary: bool = False) -> str:
    """Show each step of a release and whether it can be undone, and change nothing.

    Change sets that a plan or release left behind when its process died are deleted after an hour.

    canary: as for the release.
    """
    return show_plan(make_plan(load_environment(environment), artifact_digest, canary=canary))
