"""What each status of a CloudFormation stack means for a release: one table."""

from enum import Enum


class Standing(Enum):
    """What a release can do with a stack in its present status."""

    ABSENT = "there is nothing yet: create it"
    DONE = "it is as asked: go on"
    CAN_BE_UPDATED = "its last change was taken back: it can be changed again"
    WAIT = "something is under way: wait"
    DELETE_FIRST = "its creation failed: delete what is left, then create it"
    NEEDS_A_PERSON = "it refuses every change until a person has mended it"


STANDINGS = {
    # A change set without an execution leaves a stack of this status, which has no resources.
    "REVIEW_IN_PROGRESS": Standing.ABSENT,
    "DELETE_COMPLETE": Standing.ABSENT,
    "CREATE_COMPLETE": Standing.DONE,
    "UPDATE_COMPLETE": Standing.DONE,
    "IMPORT_COMPLETE": Standing.DONE,
    "UPDATE_ROLLBACK_COMPLETE": Standing.CAN_BE_UPDATED,
    "IMPORT_ROLLBACK_COMPLETE": Standing.CAN_BE_UPDATED,
    "CREATE_IN_PROGRESS": Standing.WAIT,
    "ROLLBACK_IN_PROGRESS": Standing.WAIT,
    "DELETE_IN_PROGRESS": Standing.WAIT,
    "UPDATE_IN_PROGRESS": Standing.WAIT,
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": Standing.WAIT,
    "UPDATE_ROLLBACK_IN_PROGRESS": Standing.WAIT,
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": Standing.WAIT,
    "IMPORT_IN_PROGRESS": Standing.WAIT,
    "IMPORT_ROLLBACK_IN_PROGRESS": Standing.WAIT,
    "ROLLBACK_COMPLETE": Standing.DELETE_FIRST,
    "CREATE_FAILED": Standing.NEEDS_A_PERSON,
    "ROLLBACK_FAILED": Standing.NEEDS_A_PERSON,
    "DELETE_FAILED": Standing.NEEDS_A_PERSON,
    "UPDATE_FAILED": Standing.NEEDS_A_PERSON,
    "UPDATE_ROLLBACK_FAILED": Standing.NEEDS_A_PERSON,
    "IMPORT_ROLLBACK_FAILED": Standing.NEEDS_A_PERSON,
}

BY_HAND = {
    "CREATE_FAILED": "Delete it: aws cloudformation delete-stack --stack-name {name}.",
    "ROLLBACK_FAILED": "Delete it: aws cloudformation delete-stack --stack-name {name}.",
    "DELETE_FAILED": "Delete what is left of it: aws cloudformation delete-stack --stack-name {name}.",
    "UPDATE_FAILED": "Take its last change back: aws cloudformation rollback-stack --stack-name {name}.",
    "UPDATE_ROLLBACK_FAILED": "Mend the cause, then: aws cloudformation continue-update-rollback --stack-name {name}.",
}


def standing_of(status: str | None) -> Standing:
    """status: None where there is no stack. One that CloudFormation adds later is a person's to look at."""
    return Standing.ABSENT if status is None else STANDINGS.get(status, Standing.NEEDS_A_PERSON)


def can_be_changed(status: str | None) -> bool:
    """Whether the stack takes an UPDATE change set."""
    return standing_of(status) in (Standing.DONE, Standing.CAN_BE_UPDATED)


def advice_for(name: str, status: str) -> str:
    """What to do about a stack that cannot go on by itself."""
    standing = standing_of(status)
    if standing is Standing.WAIT:
        return "Wait until it has ended, then plan again."
    if standing is Standing.DELETE_FIRST:
        return "Nothing of it is left but its name; mend the cause, and the next release creates it again."
    if standing is Standing.NEEDS_A_PERSON:
        return BY_HAND.get(
            status, "Look at its events: aws cloudformation describe-stack-events --stack-name {name}."
        ).format(name=name)
    return "It is as it was before; mend the cause and release again."
