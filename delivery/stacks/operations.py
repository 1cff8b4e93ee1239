"""Who started the operation on a stack, from the client request token of its events."""

import re

# The token of each operation of a release, also of the deletion of a stack after a failed creation.
RELEASE_TOKEN = re.compile(r"release-(\d+)-[0-9a-z]+-Infrastructure-")


def release_of(token: str | None) -> int | None:
    """The number of the release that started the operation; None if no release did.

    token: of the newest event of the stack; None if the operation was started without a token.
    """
    found = RELEASE_TOKEN.match(token or "")
    return int(found[1]) if found else None


def describe_operator(token: str | None) -> str:
    """Who started the operation, as far as CloudFormation reports it. Follows the words "started by"."""
    number = release_of(token)
    if number is not None:
        return f"release {number}"
    mark = f"client request token {token}" if token else "no client request token"
    return f"another client ({mark}; the event history of CloudTrail shows who)"
