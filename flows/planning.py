"""What a release would do, before anything is touched."""

from prefect import flow

from blocks.settings import load_environment
from delivery.release import ArtifactDigest
from tasks.planning import make_plan, show_plan
from tasks.rollback.outcomes import ending_by_name


@flow(name="plan-release", flow_run_name="plan {artifact_digest}")
@ending_by_name
def plan_release(artifact_digest: ArtifactDigest, environment: str = "production", canary: bool = False) -> str:
    """Show each step of a release with its way back, and do none; change sets of ours left for an hour are deleted.

    canary: as for the release.
    """
    return show_plan(make_plan(load_environment(environment), artifact_digest, canary=canary))
