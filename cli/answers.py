"""What a command answers a program: one JSON document on standard output, however it ends."""

import json


def answer(exit_code: int, message: str, **told: object) -> None:
    """told: what else this command has to say; `run` and `state` are in every answer about a run."""
    print(json.dumps(told | {"message": message, "exit_code": exit_code}))
