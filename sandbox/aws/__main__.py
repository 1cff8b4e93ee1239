"""`python -m sandbox.aws --state DIR` serves the sandbox's AWS until it is told to end."""

import argparse
import os
import signal
import sys
from pathlib import Path

from sandbox.addresses import Addresses
from sandbox.processes import die_with_parent
from sandbox.settings import SandboxSettings


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.aws", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="the sandbox's state folder")
    state = parser.parse_args().state
    die_with_parent()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    settings = SandboxSettings.read(state)
    # moto reads its account from the environment when it is imported.
    os.environ["MOTO_ACCOUNT_ID"] = settings.account_id
    from sandbox.aws.cloud import Cloud
    from sandbox.aws.server import make_aws_server

    server = make_aws_server(Cloud(Addresses.read(state), settings, state))
    print("ready", flush=True)
    server.serve_forever()


main()
