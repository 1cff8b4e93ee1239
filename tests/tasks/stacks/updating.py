"""A process of its own that brings one stack to its template, for tests that kill it.

python -m tests.tasks.stacks.updating ENVIRONMENT_FILE STACK_ID TOKEN
"""

import sys
from pathlib import Path

from clients.assembly import read_assembly
from clients.aws.cloudformation import connect_formation
from delivery.environment import Environment
from delivery.stacks.progress import StackOutcome
from tasks.stacks.operation import StackWork


def bring(environment: Environment, stack_id: str, token: str) -> StackOutcome:
    """What deploying the stack came to; an operation that was started with this token is followed."""
    stack = next(one for one in read_assembly(environment.stacks.assembly) if one.id == stack_id)
    work = StackWork(environment, stack, connect_formation(environment), token)
    state = work.formation.read_stack(stack.name)
    was_started = work.was_started(state)
    state = state if was_started else work.settle(state)
    change_set = None if was_started else work.prepare(state)
    if state and change_set and work.is_nothing_to_do(state, change_set):
        return work.leave_alone(state, change_set)
    return work.carry_out(state, change_set, was_started)


if __name__ == "__main__":
    bring(Environment.model_validate_json(Path(sys.argv[1]).read_text()), sys.argv[2], sys.argv[3])
