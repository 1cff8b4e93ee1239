"""The time of a rollback after a failed verdict, and the requests that fail during a promotion.

    python -m benchmarks.canary --failures 20

The benchmark starts a sandbox with users at the load balancer, and runs the flows of a release. One digest after
another fails in its first step and is rolled back, then one is promoted. The times are from the journal. They start at
the record of the verdict. The first ends at the record of the abort, when the Rollout, the Ingress and every listener
rule state 0 %. The second ends at the record of the template, when only the stable revision has pods, and has all.
"""

import argparse
import logging
import math
import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median

from prefect.settings import PREFECT_API_URL, temporary_settings

from benchmarks.users import count_responses
from blocks.settings import load_environment
from delivery.context import ReleaseContext
from delivery.errors import NotPromoted
from delivery.journal.step_names import ABORT
from delivery.release import Event, Record
from flows.addons import prepare_cluster
from flows.application import roll_out
from flows.infrastructure import deploy_infrastructure
from flows.rollback import compensate
from flows.topics import configure_topics
from sandbox.environment import variables
from sandbox.images import push_image
from sandbox.instance import Sandbox
from sandbox.settings import SandboxSettings
from tasks.state.journal import read_journal
from tasks.state.lock import lock_environment

SETTINGS = SandboxSettings(metric_period_seconds=2)
# Shorter than the sandbox's own pauses, because the measured times start at the end of a pause.
SHORTER = {"SLIPWAY_CANARY__PAUSE": "8s", "SLIPWAY_CANARY__PERIOD": "2s"}
# Long, so that a busy machine makes the figures worse, but does not end a release.
PATIENT = {"SLIPWAY_CANARY__READY_DEADLINE": "5m", "SLIPWAY_CANARY__CEILING": "20"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--failures", type=int, default=20, help="number of canaries that fail and are rolled back")
    failures = parser.parse_args().failures
    logging.disable(logging.ERROR)
    with installed() as sandbox:
        bad = [push_image(sandbox.state, f"bad-{number}", "errors") for number in range(1, failures + 1)]
        measure_rollbacks(sandbox, bad)
        measure_promotion(sandbox, push_image(sandbox.state, "healthy"))


@contextmanager
def installed() -> Iterator[Sandbox]:
    """A sandbox in which the flows of a release installed a first digest."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Sandbox(Path(folder) / "sandbox", settings=SETTINGS) as sandbox,
        temporary_settings({PREFECT_API_URL: sandbox.addresses.prefect}),
    ):
        os.environ.update(variables(sandbox.state, sandbox.addresses, sandbox.settings) | SHORTER | PATIENT)
        with locked(push_image(sandbox.state, "first")) as context:
            for phase in (deploy_infrastructure, prepare_cluster, configure_topics, roll_out):
                phase(context.release)
        print(f"installed, {SETTINGS.requests_per_second:g} requests a second on average", flush=True)
        yield sandbox


@contextmanager
def locked(digest: str) -> Iterator[ReleaseContext]:
    with lock_environment(load_environment("production"), digest, "benchmark", "benchmark", wait=False) as context:
        yield context


def measure_promotion(sandbox: Sandbox, digest: str) -> None:
    """Both revisions are healthy, so only the promotion itself or a busy machine can cause failures."""
    before = count_responses(sandbox)
    journal = journal_of(release_and_compensate(digest))
    judged = [record.detail for record in journal if record.event is Event.JUDGED]
    verdicts = [f"{step['weight_percent']} % {step['verdict']}" for step in judged]
    print(f"\na healthy digest: {', '.join(verdicts)}")
    counted = count_responses(sandbox).since(before)
    show_responses(counted.requests, counted.failed, counted.of_pods + counted.of_balancer)


def measure_rollbacks(sandbox: Sandbox, digests: Sequence[str]) -> None:
    """A line for each failed canary, then the p50 and the worst, and the responses of the stable revision."""
    print("\nfailed canary    verdict to 0 % at every listener rule    verdict to the end of the rollback")
    before, journals = count_responses(sandbox), []
    for number, digest in enumerate(digests, 1):
        journals.append(journal_of(release_and_compensate(digest)))
        show_times(f"{number}", seconds_to(journals[-1], ABORT), seconds_to(journals[-1], None))
    for name, figure in (("p50", median), ("worst", max)):
        show_times(name, *(figure([seconds_to(journal, step) for journal in journals]) for step in (ABORT, None)))
    counted = count_responses(sandbox).since(before)
    failed = counted.failed_without({revision_of(journal) for journal in journals})
    print("\nduring these releases, without the responses of the failing pods:")
    show_responses(counted.requests, failed, counted.of_balancer)


def release_and_compensate(digest: str) -> int:
    """Release the digest, and roll it back if its canary fails. Returns the number of the release."""
    number = 0
    with suppress(NotPromoted), locked(digest) as context:
        number = context.release.number
        try:
            roll_out(context.release)
        except NotPromoted:
            compensate(context.release)
            raise
    return number


def journal_of(number: int) -> tuple[Record, ...]:
    return read_journal(load_environment("production"), number)


def seconds_to(journal: Sequence[Record], step: str | None) -> float:
    """From the failed verdict to the record that the step is done. None: the last step. Infinite without a record."""
    verdict = next((record.at for record in journal if record.detail.get("verdict") == "fail"), None)
    done = [record.at for record in journal if record.event is Event.DONE and step in (None, record.step)]
    later = [at for at in done if verdict is not None and at > verdict]
    return (later[-1] - verdict).total_seconds() if verdict and later else math.inf


def revision_of(journal: Sequence[Record]) -> str:
    """The pod-template hash of the revision that the release created."""
    return next(record.detail["revision"] for record in journal if record.detail.get("revision"))


def show_times(name: str, to_weight: float, to_pods: float) -> None:
    print(f"{name:>13}{to_weight:>42.1f} s{to_pods:>43.1f} s", flush=True)


def show_responses(requests: int, at_users: Counter[tuple[str, str]], at_balancer: int) -> None:
    result = "on target" if at_users.total() == at_balancer == 0 else "ABOVE the target"
    print(f"{requests} requests; 5xx or no response: {at_users.total()} counted by the users, ", end="")
    print(f"{at_balancer} counted by the load balancer; {result} (none)", flush=True)
    for (pod, outcome), number in at_users.most_common(5):
        print(f"  {number} times {outcome} from {pod}", flush=True)


if __name__ == "__main__":
    main()
