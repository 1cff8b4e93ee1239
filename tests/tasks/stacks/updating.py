"""A separate process that deploys one stack, for tests that kill it.

python -m tests.tasks.stacks.updating ENVIRONMENT_FILE STACK_ID TOKEN
"""

import sys
from contextlib import nullcontext
from pathlib import Path

from clients.assembly import read_assembly
from clients.aws.cloudformation import connect_cloudformation
from delivery.environment import Environment
from delivery.stacks.progress import StackOutcome
from tasks.stacks.operation import StackOperation
from tasks.state.journal import Effect


def deploy_with_token(environment: Environment, stack_id: str, token: str) -> StackOutcome:
    """Deploy the stack without a lock and a journal. An operation that was started with this token is followed."""
    stack = next(one for one in read_assembly(environment.stacks.assembly) if one.id == stack_id)
    operation = StackOperation(environment, stack, connect_cloudformation(environment), token)
    return operation.deploy(lambda _: nullcontext(Effect()))


if __name__ == "__main__":
    deploy_with_token(Environment.model_validate_json(Path(sys.argv[1]).read_text()), sys.argv[2], sys.argv[3])
