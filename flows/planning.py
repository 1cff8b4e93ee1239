"""What a release would do, before anything is touched."""

from prefect import flow

from blocks.settings import load_environment
from delivery.environment import Environment
from delivery.plan import ReleasePlan, join_plan
from delivery.release import ArtifactDigest
from tasks.admission import admit
from tasks.endings import ending_by_name
from tasks.history import observe_last_release
from tasks.planning import show_plan
from tasks.settings import plan_settings_of
from tasks.stacks import plan_stacks_of
from tasks.topics import plan_topics_of
from tasks.workloads import plan_application_of


@flow(name="plan-release", flow_run_name="plan {artifact_digest}")
@ending_by_name
def plan_release(artifact_digest: ArtifactDigest, environment: str = "production") -> str:
    """Show each step of a release with its way back; change nothing."""
    return show_plan(make_plan(load_environment(environment), artifact_digest))


def make_plan(environment: Environment, artifact_digest: str) -> ReleasePlan:
    """The plan by what is there now; raises Refused where it may not be carried out.

    Admission comes first and alone: in another account than the one named, not even a change set is made.
    """
    admit(environment, artifact_digest)
    stacks = plan_stacks_of.submit(environment)
    topics = plan_topics_of.submit(environment)
    settings = plan_settings_of.submit(environment)
    application = plan_application_of.submit(environment, artifact_digest)
    parts = [part.result() for part in (stacks, topics, settings, application)]
    return join_plan(environment.name, artifact_digest, parts, observe_last_release(environment))
