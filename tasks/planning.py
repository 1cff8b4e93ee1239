"""A release's plan: made of its parts' plans, shown where the operator can see it, confirmed under the hold."""

from prefect import task
from prefect.artifacts import Artifact, create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from delivery.environment import Environment, OnPlanChange
from delivery.errors import Refused
from delivery.plan import ReleasePlan, join_plan, sum_up
from delivery.plan_text import describe_plan
from delivery.release import Release
from tasks.application.addons import make_addon_plan
from tasks.application.connections import make_settings_plan
from tasks.application.planning import make_application_plan
from tasks.preflight import admit
from tasks.runs.artifacts import showing
from tasks.runs.log import progress
from tasks.stacks.deploy import make_stack_plan
from tasks.state.history import observe_last_release
from tasks.state.journal import record_plan
from tasks.topics import make_topic_plan


@task(task_run_name="plan {artifact_digest}", cache_policy=NO_CACHE)
def make_plan(environment: Environment, artifact_digest: str, *, canary: bool = False) -> ReleasePlan:
    """The plan by what is there now; raises Refused where it may not be carried out.

    canary: a revision of the artifact that served before is judged like a new one, instead of being asked about.

    Admission comes first and alone: in another account than the one named, not even a change set is made.
    """
    admit(environment, artifact_digest)
    parts = [
        make_stack_plan.submit(environment),
        make_addon_plan.submit(environment),
        make_topic_plan.submit(environment),
        make_settings_plan.submit(environment),
        make_application_plan.submit(environment, artifact_digest, canary=canary),
    ]
    found = observe_last_release(environment)
    return join_plan(environment.name, artifact_digest, [part.result() for part in parts], found, canary=canary)


@task(task_run_name="show plan {plan.hash}", cache_policy=NO_CACHE)
def show_plan(plan: ReleasePlan) -> str:
    """The plan in one sentence; as text it stands in the log and in the run's artifact `plan-<environment>`.

    Every value of it is in the artifact `plan-<environment>-data`, for programs.
    """
    text = describe_plan(plan)
    progress(text)
    with showing("The plan"):
        key, shown = f"plan-{plan.environment}", f"Plan {plan.hash}"
        create_markdown_artifact(f"```text\n{text}\n```", key=key, description=shown)
        save_data(plan)
    return sum_up(plan)


def save_data(plan: ReleasePlan) -> None:
    data = plan.model_dump(mode="json") | {"hash": plan.hash}
    Artifact(type="json", key=plan_data_key(plan.environment), description=f"Plan {plan.hash}", data=data).create()


def plan_data_key(environment: str) -> str:
    return f"plan-{environment}-data"


@task(task_run_name="check that nothing moved since plan {shown.hash}", cache_policy=NO_CACHE)
def confirm_plan(environment: Environment, release: Release, shown: ReleasePlan) -> None:
    """Whether something moved between the plan that was shown and the hold; the plan is kept with the journal.

    Raises Refused where it did, unless the environment says that a release goes on with what it finds.
    """
    now = make_plan(environment, release.artifact_digest, canary=shown.canary)
    compare_plans(environment, shown, now)
    record_plan(environment, release, now)


def compare_plans(environment: Environment, shown: ReleasePlan, now: ReleasePlan) -> None:
    if now.hash == shown.hash:
        return
    moved = (
        f"The plan shown was {shown.hash}; with the hold taken it is {now.hash}, because something changed in "
        f"{now.environment} meanwhile."
    )
    if environment.plan.on_change is OnPlanChange.STOP:
        raise Refused(f"{moved} It is now:\n{describe_plan(now)}\nStart the release again.")
    progress(f"{moved} The release goes on with it, as [plan] on_change says.")
    show_plan(now)
