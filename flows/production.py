"""The guide's deploy-production.sh, from the plan to the notification."""

from prefect import flow

from blocks.settings import load_environment
from delivery.context import ReleaseContext
from delivery.errors import Halted
from delivery.release import ArtifactDigest
from flows.addons import prepare_cluster
from flows.application import roll_out
from flows.infrastructure import deploy_infrastructure
from flows.rollback import roll_back_release
from flows.topics import configure_topics
from flows.verification import run_verification
from tasks.canary.start import abort_other_canary
from tasks.planning import confirm_plan, make_plan, show_plan
from tasks.rollback.notifications import end_failed_release, end_halted_release, notify_promotion, record_promotion
from tasks.rollback.outcomes import end_with_outcome, nothing_to_do
from tasks.state.lock import lock_environment


@flow(name="deploy-production", flow_run_name="release {artifact_digest}")
@end_with_outcome
def deploy_production(
    artifact_digest: ArtifactDigest,
    environment: str = "production",
    reason: str = "",
    wait: bool = True,
    canary: bool = False,
):
    """Guide, "Production Environment Deployment": infrastructure, topics, application, verification, notification.

    canary: run a canary for a digest in the rollback window; without it, the release of such a digest is refused.
    """
    settings = load_environment(environment)
    plan = make_plan(settings, artifact_digest, canary=canary)
    show_plan(plan)
    if plan.is_nothing_to_do:
        return nothing_to_do(plan)
    with lock_environment(settings, artifact_digest, plan.hash, reason, wait=wait) as context:
        confirm_plan(context, plan)
        carry_out(context)
        record_promotion(context)
        verification = run_verification(context.release)
        return notify_promotion(context, verification)


def carry_out(context: ReleaseContext) -> None:
    """The guide's sections in their order. If one fails, the release is rolled back."""
    release = context.release
    try:
        abort_other_canary(context)
        deploy_infrastructure(release)
        prepare_cluster(release)
        configure_topics(release)
        roll_out(release)
    except Halted as halt:
        raise end_halted_release(context, halt) from halt
    except Exception as failure:
        rollback = roll_back_release(release)
        raise end_failed_release(context, failure, rollback) from failure
