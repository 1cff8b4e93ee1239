"""What each status of a CloudFormation stack means for a release: one table."""

from enum import Enum


class StatusClass(Enum):
    """What a release can do with a stack in its current status."""

    ABSENT = "the stack does not exist: create it"
    COMPLETE = "the last operation succeeded: the stack can be updated"
    ROLLED_BACK = "the last update was rolled back: the stack can be updated"
    IN_PROGRESS = "an operation is in progress: wait for its end"
    DELETE_FIRST = "the creation failed: delete the stack, then create it"
    NEEDS_OPERATOR = "the stack cannot be updated until an operator fixes it"


STATUS_CLASSES = {
    # A stack for which a change set was created and not executed. It has no resources.
    "REVIEW_IN_PROGRESS": StatusClass.ABSENT,
    "DELETE_COMPLETE": StatusClass.ABSENT,
    "CREATE_COMPLETE": StatusClass.COMPLETE,
    "UPDATE_COMPLETE": StatusClass.COMPLETE,
    "IMPORT_COMPLETE": StatusClass.COMPLETE,
    "UPDATE_ROLLBACK_COMPLETE": StatusClass.ROLLED_BACK,
    "IMPORT_ROLLBACK_COMPLETE": StatusClass.ROLLED_BACK,
    "CREATE_IN_PROGRESS": StatusClass.IN_PROGRESS,
    "ROLLBACK_IN_PROGRESS": StatusClass.IN_PROGRESS,
    "DELETE_IN_PROGRESS": StatusClass.IN_PROGRESS,
    "UPDATE_IN_PROGRESS": StatusClass.IN_PROGRESS,
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": StatusClass.IN_PROGRESS,
    "UPDATE_ROLLBACK_IN_PROGRESS": StatusClass.IN_PROGRESS,
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": StatusClass.IN_PROGRESS,
    "IMPORT_IN_PROGRESS": StatusClass.IN_PROGRESS,
    "IMPORT_ROLLBACK_IN_PROGRESS": StatusClass.IN_PROGRESS,
    "ROLLBACK_COMPLETE": StatusClass.DELETE_FIRST,
    "CREATE_FAILED": StatusClass.NEEDS_OPERATOR,
    "ROLLBACK_FAILED": StatusClass.NEEDS_OPERATOR,
    "DELETE_FAILED": StatusClass.NEEDS_OPERATOR,
    "UPDATE_FAILED": StatusClass.NEEDS_OPERATOR,
    "UPDATE_ROLLBACK_FAILED": StatusClass.NEEDS_OPERATOR,
    "IMPORT_ROLLBACK_FAILED": StatusClass.NEEDS_OPERATOR,
}

MANUAL_STEPS = {
    "CREATE_FAILED": "Delete the stack: aws cloudformation delete-stack --stack-name {name}.",
    "ROLLBACK_FAILED": "Delete the stack: aws cloudformation delete-stack --stack-name {name}.",
    "DELETE_FAILED": "Delete the rest of the stack: aws cloudformation delete-stack --stack-name {name}.",
    "UPDATE_FAILED": "Roll back its last update: aws cloudformation rollback-stack --stack-name {name}.",
    "UPDATE_ROLLBACK_FAILED": (
        "Fix the cause, then continue the rollback: aws cloudformation continue-update-rollback --stack-name {name}."
    ),
}
READ_EVENTS = "Read its events: aws cloudformation describe-stack-events --stack-name {name}."


def classify(status: str | None) -> StatusClass:
    """status: None if the stack does not exist. A status that is not in the table needs an operator."""
    return StatusClass.ABSENT if status is None else STATUS_CLASSES.get(status, StatusClass.NEEDS_OPERATOR)


def can_be_updated(status: str | None) -> bool:
    """Whether the stack accepts an UPDATE change set."""
    return classify(status) in (StatusClass.COMPLETE, StatusClass.ROLLED_BACK)


def advice_for(name: str, status: str) -> str:
    """What to do about a stack in this status. The error of a failed release says itself to release again."""
    status_class = classify(status)
    if status_class is StatusClass.IN_PROGRESS:
        return "Wait until the operation has ended, then try again."
    if status_class is StatusClass.DELETE_FIRST:
        return "The stack has no resources left, and the next release creates it again."
    if status_class is StatusClass.NEEDS_OPERATOR:
        return MANUAL_STEPS.get(status, READ_EVENTS).format(name=name)
    return "The stack is as it was before."
