"""CloudFormation stacks: observed by change sets that are thrown away, deployed by change sets that are kept."""

from collections.abc import Mapping

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFuture

from clients.assembly import read_assembly
from clients.aws.cloudformation import connect_formation
from delivery.environment import Environment
from delivery.errors import DeliveryError, Rejected
from delivery.journal.step_names import planned_step
from delivery.plan import PartPlan, Phase
from delivery.release import Release
from delivery.stacks.assembly import StackSpec, why_not_sent
from delivery.stacks.planning import plan_stacks
from delivery.stacks.progress import StackOutcome, conclude_stacks
from delivery.stacks.state import ObservedStack
from delivery.stacks.status import can_be_changed
from tasks.runs.waiting import ASKED_AGAIN
from tasks.stacks.change_sets import delete_leftovers, preview_changes
from tasks.stacks.operation import StackWork
from tasks.stacks.predecessor import follow_predecessor
from tasks.state.journal import effect


@task(cache_policy=NO_CACHE, task_run_name="read the cloud assembly")
def load_assembly(environment: Environment) -> tuple[StackSpec, ...]:
    """The stacks of the environment's cloud assembly, each after those it depends on."""
    return read_assembly(environment.stacks.assembly)


@task(cache_policy=NO_CACHE, task_run_name="plan the stacks of {environment.name}")
def make_stack_plan(environment: Environment) -> PartPlan:
    """What a release would do to each stack, and what stands in its way."""
    assembly = read_assembly(environment.stacks.assembly)
    looks = {stack.id: observe_stack.submit(environment, stack) for stack in assembly}
    observed = {stack_id: look.result() for stack_id, look in looks.items()}
    return plan_stacks(assembly, observed, has_bucket=environment.state.has_bucket)


@task(**ASKED_AGAIN, task_run_name="observe {stack.id}")
def observe_stack(environment: Environment, stack: StackSpec) -> ObservedStack:
    """The stack as it is, and what a change set towards its template would do, where it takes one.

    What an earlier release left under way has ended by then: until it has, nobody knows what is left to do.
    """
    formation = connect_formation(environment)
    state, operation = follow_predecessor(environment, formation, stack, formation.read_stack(stack.name))
    can_be_sent = why_not_sent(stack, has_bucket=environment.state.has_bucket) is None
    if state is None or not can_be_sent or not can_be_changed(state.status):
        return ObservedStack(id=stack.id, state=state, operation=operation)
    delete_leftovers(formation, stack, state.arn)
    try:
        preview = preview_changes(environment, formation, stack)
    except Rejected as error:
        return ObservedStack(id=stack.id, state=state, refused=str(error))
    refused = None if preview.is_ready or preview.has_no_changes else preview.reason
    changes = {"changes": preview.changes, "is_changed": preview.is_ready, "refused": refused}
    return ObservedStack(id=stack.id, state=state, **changes)


@task(**ASKED_AGAIN, task_run_name="deploy {stack.id}")
def deploy_stack(environment: Environment, release: Release, stack: StackSpec) -> StackOutcome:
    """Bring the stack to its template and follow it to its end; a second try follows the operation of the first.

    What an earlier release left under way is followed first. Raises StackFailed where CloudFormation gave up or a
    person is needed, Conflict where somebody else is at work.
    """
    step = planned_step(Phase.STACKS, stack.id)
    work = StackWork(environment, stack, connect_formation(environment), release.token(step))
    state = work.formation.read_stack(stack.name)
    was_started = work.was_started(state)
    state = state if was_started else work.settle(state)
    change_set = None if was_started else work.prepare(state)
    if state and change_set and work.is_nothing_to_do(state, change_set):
        return work.leave_alone(state, change_set)
    with effect(environment, release, step, work.before(state, was_started)) as done:
        outcome = work.carry_out(state, change_set, was_started)
        done.read_back = outcome.model_dump(mode="json")
    return outcome


def conclude_deployments(deployments: Mapping[str, PrefectFuture[StackOutcome]]) -> None:
    """Wait until every stack under way has ended, then raise one error for all that went wrong."""
    conclude_stacks({stack_id: end_of_deployment(future) for stack_id, future in deployments.items()})


def end_of_deployment(deployment: PrefectFuture[StackOutcome]) -> StackOutcome | DeliveryError | None:
    """None where it was not started, because a stack it depends on did not end well."""
    deployment.wait()
    if deployment.state.is_pending():
        return None
    end = deployment.result(raise_on_failure=False)
    if isinstance(end, BaseException) and not isinstance(end, DeliveryError):
        raise end
    return end
