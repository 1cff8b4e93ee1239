"""`python -m sandbox.aws --state DIR` serves the AWS of the sandbox until SIGTERM."""

import os

from sandbox.addresses import Addresses
from sandbox.processes import announce_ready, die_with_parent, end_on_sigterm, state_argument
from sandbox.settings import SandboxSettings


def main() -> None:
    die_with_parent()
    end_on_sigterm()
    state = state_argument(__doc__)
    settings = SandboxSettings.read(state)
    # moto reads the account ID from the environment when it is imported.
    os.environ["MOTO_ACCOUNT_ID"] = settings.account_id
    from sandbox.aws.cloud import Cloud
    from sandbox.aws.server import make_aws_server

    server = make_aws_server(Cloud(Addresses.read(state), settings, state))
    announce_ready()
    server.serve_forever()


main()
