"""The answer of a command to a program: one JSON document on standard output, however the command ends."""

import json


def answer(exit_code: int, message: str, **fields: object) -> None:
    """fields: what else this command reports; `run` and `state` are in every answer about a run."""
    print(json.dumps(fields | {"message": message, "exit_code": exit_code}))
