"""The parameter store, by which stacks hand values on."""

from collections.abc import Iterable
from itertools import islice

from clients.aws.session import aws_client, translated

NAMES_PER_CALL = 10


def read_parameters(names: Iterable[str], region: str) -> dict[str, str]:
    """Name -> value now; a name that is not there is missing."""
    ssm = aws_client("ssm", region)
    left, found = iter(sorted(set(names))), {}
    while some := list(islice(left, NAMES_PER_CALL)):
        with translated(f"read the parameters from {some[0]} on"):
            answer = ssm.get_parameters(Names=some)
        found |= {item["Name"]: item["Value"] for item in answer["Parameters"]}
    return found
