"""Whose operation is under way at a stack, by the token that each of its events carries."""

import re

# As a release marks what it does to a stack, also where it deletes what a failed creation left.
OURS = re.compile(r"release-(\d+)-[0-9a-z]+-Infrastructure-")


def release_of(token: str | None) -> int | None:
    """The number of the release that started the operation; None where no release did.

    token: of the stack's newest event; None where it has none, as an operation by the API's bare calls.
    """
    found = OURS.match(token or "")
    return int(found[1]) if found else None


def describe_operator(token: str | None) -> str:
    """Who it is, as far as CloudFormation tells; continues "by "."""
    number = release_of(token)
    if number is not None:
        return f"release {number}"
    marked = f"its operation is marked {token}" if token else "its operation has no mark"
    return f"somebody else ({marked}; CloudTrail's event history tells who)"
