"""`python -m sandbox.kubernetes.load_balancer_controller --state DIR`: the controller, until SIGTERM."""

import argparse
import logging
import threading
import time
from functools import partial
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from kubernetes.client import ApiException
from urllib3.exceptions import HTTPError

from sandbox.addresses import Addresses
from sandbox.aws.client import client
from sandbox.kubernetes.load_balancer_controller.cluster import ClusterState, wait_for_cluster
from sandbox.kubernetes.load_balancer_controller.controller import Controller
from sandbox.processes import die_with_parent
from sandbox.settings import SandboxSettings

WATCHED = (
    ("networking.k8s.io/v1", "Ingress"),
    ("v1", "Service"),
    ("v1", "Pod"),
)
START_SECONDS = 60.0
# The real controller needs some hundred milliseconds from a changed annotation to the changed listener rule.
DEBOUNCE_SECONDS = 0.2
RESYNC_SECONDS = 10.0
RETRY_SECONDS = 0.5

log = logging.getLogger(__name__)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.kubernetes.load_balancer_controller", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="state folder of the sandbox")
    state = parser.parse_args().state.resolve()
    die_with_parent()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    cluster = wait_for_cluster(state, START_SECONDS)
    aws = partial(client, addresses=Addresses.read(state), settings=SandboxSettings.read(state))
    print("ready", flush=True)
    run(cluster, Controller(cluster, aws))


def run(cluster: ClusterState, controller: Controller) -> None:
    """Reconcile after every change, and after RESYNC_SECONDS without a change."""
    changed = threading.Event()
    changed.set()
    for version, kind in WATCHED:
        cluster.watch(version, kind, changed.set)
    wait = 0.0
    while True:
        changed.wait(wait)
        time.sleep(DEBOUNCE_SECONDS)
        changed.clear()
        wait = RESYNC_SECONDS if reconcile(controller) else RETRY_SECONDS


def reconcile(controller: Controller) -> bool:
    """Reconcile, and return whether it is complete. An API error is logged and counts as not complete."""
    try:
        return controller.reconcile()
    except (ApiException, HTTPError, ClientError, BotoCoreError) as error:
        log.warning("%s: %s", type(error).__name__, error)
        return False


if __name__ == "__main__":
    main()
