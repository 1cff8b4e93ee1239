"""Commands to try next, with the folder and the image digests of a running sandbox."""

from collections.abc import Sequence

from sandbox import start
from sandbox.images import push_image
from sandbox.instance import Sandbox

NEXT_COMMANDS = """\
slipway status production      # shows the revision that serves, the lock, and the last releases
slipway stop production --reason WHY      # stops a release before its next step
slipway rollback production --revision N      # rolls back to a revision that `slipway status` names
slipway verify production      # checks the environment; changes nothing"""


def main(arguments: Sequence[str]) -> int:
    """`python -m sandbox start`, with these hints once all parts are ready."""
    return start.main(arguments, describe_first_release)


def describe_first_release(sandbox: Sandbox) -> str:
    first, second = (push_image(sandbox.state, name) for name in ("A", "B"))
    push = f"python -m sandbox push --state {sandbox.state} --name C --behaviour errors"
    return f"""slipway install      # sets up Prefect, once
slipway worker       # executes submitted runs until Ctrl-C

In a third shell, after the same two lines:
slipway release production --digest {first}      # the first installation
slipway release production --digest {second}      # a canary
{push}      # prints the digest of a third image, whose canary fails
{NEXT_COMMANDS}"""


def describe_further_release(sandbox: Sandbox) -> str:
    """Printed after the demo's four releases, if the sandbox continues to run."""
    ui = sandbox.addresses.prefect.removesuffix("/api")
    return f"""
=== The sandbox, the worker and Prefect run until Ctrl-C
Prefect UI: {ui}/runs
To release again, in another shell in this checkout:

export PATH="$PWD/.venv/bin:$PATH"
source {sandbox.state / "env.sh"}
python -m sandbox push --state {sandbox.state} --name D     # prints its digest; with --behaviour errors it fails
slipway release production --digest sha256:...

{NEXT_COMMANDS}"""
