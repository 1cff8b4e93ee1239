"""The guide's deploy-production.sh, from the plan to the notice."""

from prefect import flow

from blocks.settings import load_environment
from delivery.environment import Environment
from delivery.errors import Halted
from delivery.release import ArtifactDigest, Release
from flows.addons import prepare_cluster
from flows.application import roll_out
from flows.infrastructure import deploy_infrastructure
from flows.rollback import roll_back_release
from flows.topics import configure_topics
from flows.verification import look
from tasks.canary.start import abort_other_canary
from tasks.planning import confirm_plan, make_plan, show_plan
from tasks.rollback.outcomes import ending_by_name, failed, halted, nothing_to_do, promoted
from tasks.state.lock import lock_environment


@flow(name="deploy-production", flow_run_name="release {artifact_digest}")
@ending_by_name
def deploy_production(
    artifact_digest: ArtifactDigest,
    environment: str = "production",
    reason: str = "",
    wait: bool = True,
    canary: bool = False,
):
    """Guide, "Production Environment Deployment": infrastructure, topics, application, verification, notice.

    canary: an artifact that served a short while ago is judged like a new one; without it its release is refused.
    """
    settings = load_environment(environment)
    plan = make_plan(settings, artifact_digest, canary=canary)
    show_plan(plan)
    if plan.is_nothing_to_do:
        return nothing_to_do(plan)
    with lock_environment(settings, artifact_digest, plan.hash, reason, wait=wait) as release:
        confirm_plan(settings, release, plan)
        carry_out(settings, release)
        return promoted(settings, release, look(release))


def carry_out(settings: Environment, release: Release) -> None:
    """The guide's sections in their order; where one fails, all traffic goes back."""
    try:
        abort_other_canary(settings, release)
        deploy_infrastructure(release)
        prepare_cluster(release)
        configure_topics(release)
        roll_out(release)
    except Halted as halt:
        raise halted(settings, release, halt) from halt
    except Exception as failure:
        raise failed(settings, release, failure, roll_back_release(release)) from failure
