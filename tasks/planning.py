"""The plan of a release: made, shown to the operator, and confirmed under the lock."""

from prefect import task
from prefect.artifacts import Artifact, create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from delivery.context import ReleaseContext
from delivery.environment import Environment, OnPlanChange
from delivery.errors import Refused
from delivery.plan import ReleasePlan, join_plan, summarize
from delivery.plan_text import describe_plan
from tasks.application.addons import make_addon_plan
from tasks.application.connections import make_settings_plan
from tasks.application.planning import make_application_plan
from tasks.preflight import run_preflight
from tasks.runs.artifacts import showing
from tasks.runs.log import progress
from tasks.stacks.deploy import make_stack_plan
from tasks.state.history import check_last_release
from tasks.state.journal import record_plan
from tasks.topics import make_topic_plan


@task(task_run_name="plan {artifact_digest}", cache_policy=NO_CACHE)
def make_plan(environment: Environment, artifact_digest: str, *, canary: bool = False) -> ReleasePlan:
    """The plan from what exists now. Raises Refused if something does not allow the release.

    canary: judge an artifact digest that served before like a new one. Without it, the release of such a digest is
    refused.

    Preflight runs first and alone: with credentials of another account, not even a change set is created.
    """
    run_preflight(environment, artifact_digest)
    parts = [
        make_stack_plan.submit(environment),
        make_addon_plan.submit(environment),
        make_topic_plan.submit(environment),
        make_settings_plan.submit(environment),
        make_application_plan.submit(environment, artifact_digest, canary=canary),
    ]
    findings = check_last_release(environment)
    return join_plan(environment.name, artifact_digest, [part.result() for part in parts], findings, canary=canary)


@task(task_run_name="show plan {plan.hash}", cache_policy=NO_CACHE)
def show_plan(plan: ReleasePlan) -> str:
    """The plan in one sentence. Its text is in the log and in the artifact `plan-<environment>` of the run.

    Its data is in the artifact `plan-<environment>-data`, for programs.
    """
    text = describe_plan(plan)
    progress(text)
    with showing("The plan"):
        key, title = f"plan-{plan.environment}", f"Plan {plan.hash}"
        create_markdown_artifact(f"```text\n{text}\n```", key=key, description=title)
        save_data(plan)
    return summarize(plan)


def save_data(plan: ReleasePlan) -> None:
    data = plan.model_dump(mode="json") | {"hash": plan.hash}
    Artifact(type="json", key=plan_data_key(plan.environment), description=f"Plan {plan.hash}", data=data).create()


def plan_data_key(environment_name: str) -> str:
    return f"plan-{environment_name}-data"


@task(task_run_name="check that nothing changed since plan {shown.hash}", cache_policy=NO_CACHE)
def confirm_plan(context: ReleaseContext, shown: ReleasePlan) -> None:
    """Make the plan again under the lock, compare it with the plan that was shown, and store it beside the journal.

    Raises Refused if they differ, unless `[plan] on_change` is "continue".
    """
    now = make_plan(context.environment, context.release.artifact_digest, canary=shown.canary)
    compare_plans(context.environment, shown, now)
    record_plan(context, now)


def compare_plans(environment: Environment, shown: ReleasePlan, now: ReleasePlan) -> None:
    """Log the notes that are new. Raises Refused if the steps differ, unless `[plan] on_change` is "continue"."""
    if now.hash == shown.hash:
        for finding in now.findings:
            if finding not in shown.findings:
                progress(f"Note: {finding}")
        return
    difference = (
        f"{now.environment} changed after plan {shown.hash} was shown. With the lock acquired, the plan is {now.hash}."
    )
    if environment.plan.on_change is OnPlanChange.STOP:
        raise Refused(f"{difference} The new plan:\n{describe_plan(now)}\nStart the release again.")
    progress(f'{difference} The release continues with the new plan, because [plan] on_change is "continue".')
    show_plan(now)
