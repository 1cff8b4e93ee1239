"""CloudFormation stacks: planned with change sets that are deleted, and deployed with change sets that are executed."""

from collections.abc import Mapping

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFuture

from clients.assembly import read_assembly
from clients.aws.cloudformation import CloudFormation, connect_cloudformation
from delivery.context import ReleaseContext
from delivery.environment import Environment
from delivery.errors import DeliveryError, Rejected
from delivery.journal.step_names import planned_step
from delivery.plan import PartPlan, Phase
from delivery.stacks.assembly import StackSpec, why_too_large
from delivery.stacks.planning import plan_stacks
from delivery.stacks.progress import StackOutcome, conclude_stacks
from delivery.stacks.state import ObservedStack
from delivery.stacks.status import can_be_updated
from tasks.runs.futures import end_of_run
from tasks.runs.waiting import RETRIED
from tasks.stacks.change_sets import delete_orphaned_change_sets, preview_changes
from tasks.stacks.operation import StackOperation
from tasks.stacks.predecessor import follow_predecessor
from tasks.state.journal import effect


@task(cache_policy=NO_CACHE, task_run_name="read the cloud assembly")
def load_assembly(environment: Environment) -> tuple[StackSpec, ...]:
    """The stacks of the cloud assembly, each after those it depends on."""
    return read_assembly(environment.stacks.assembly)


@task(cache_policy=NO_CACHE, task_run_name="plan the stacks of {environment.name}")
def make_stack_plan(environment: Environment) -> PartPlan:
    """What a release would do to each stack, and the reasons to refuse it."""
    assembly = read_assembly(environment.stacks.assembly)
    futures = {stack.id: observe_stack.submit(environment, stack) for stack in assembly}
    observed = {stack_id: future.result() for stack_id, future in futures.items()}
    return plan_stacks(assembly, observed, has_bucket=environment.state.has_bucket)


@task(**RETRIED, task_run_name="preview the changes of {stack.id}")
def observe_stack(environment: Environment, stack: StackSpec) -> ObservedStack:
    """The stack, and what a change set with its template would do if the stack accepts one.

    An operation that an earlier release started is followed to its end first: only then are the changes known.
    """
    return preview_stack(environment, connect_cloudformation(environment), stack)


def preview_stack(environment: Environment, cloudformation: CloudFormation, stack: StackSpec) -> ObservedStack:
    state, operation = follow_predecessor(environment, cloudformation, stack, cloudformation.read_stack(stack.name))
    can_be_sent = why_too_large(stack, has_bucket=environment.state.has_bucket) is None
    if state is None or not can_be_sent or not can_be_updated(state.status):
        return ObservedStack(id=stack.id, state=state, operation=operation)
    delete_orphaned_change_sets(cloudformation, stack, state.arn)
    try:
        preview = preview_changes(environment, cloudformation, stack)
    except Rejected as error:
        return ObservedStack(id=stack.id, state=state, refused=str(error))
    refused = None if preview.is_ready or preview.has_no_changes else preview.reason
    changes = {"changes": preview.changes, "is_changed": preview.is_ready, "refused": refused}
    return ObservedStack(id=stack.id, state=state, **changes)


@task(**RETRIED, task_run_name="deploy {stack.id}")
def deploy_stack(context: ReleaseContext, stack: StackSpec) -> StackOutcome:
    """Bring the stack to its template, and follow the operation to its end.

    A second attempt follows the operation of the first, and an operation of an earlier release is followed before that.
    Raises StackFailed if the operation fails or the stack needs an operator, and Conflict if another client changes it.
    """
    step, environment = planned_step(Phase.STACKS, stack.id), context.environment
    operation = StackOperation(environment, stack, connect_cloudformation(environment), context.release.token(step))
    return operation.deploy(lambda before: effect(context, step, before))


def raise_for_failed_stacks(stack_runs: Mapping[str, PrefectFuture[StackOutcome]]) -> None:
    """Wait until all task runs have ended, then raise one error for all failures. stack_runs: by stack id."""
    conclude_stacks({stack_id: end_of_stack_run(stack_run) for stack_id, stack_run in stack_runs.items()})


def end_of_stack_run(stack_run: PrefectFuture[StackOutcome]) -> StackOutcome | DeliveryError | None:
    """The outcome or the error; None if the stack was not started because a stack that it depends on failed."""
    stack_run.wait()
    if stack_run.state.is_pending():
        return None
    return end_of_run(stack_run)
