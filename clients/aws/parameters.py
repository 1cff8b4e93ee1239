"""The SSM Parameter Store, through which stacks pass values to each other."""

from collections.abc import Iterable
from itertools import islice

from clients.aws.session import aws_client, translated

NAMES_PER_CALL = 10


def read_parameters(names: Iterable[str], region: str) -> dict[str, str]:
    """Name -> present value, for the names that exist."""
    ssm = aws_client("ssm", region)
    remaining, values = iter(sorted(set(names))), {}
    while batch := list(islice(remaining, NAMES_PER_CALL)):
        with translated(f"read the parameters {batch[0]} to {batch[-1]}"):
            response = ssm.get_parameters(Names=batch)
        values |= {item["Name"]: item["Value"] for item in response["Parameters"]}
    return values
