"""How soon all traffic is on the stable revision again after a failed verdict, and what a promotion costs the users.

    python -m benchmarks.canary --failures 20

A sandbox of its own, installed, with users at the load balancer; on it the release's own flows: one digest after
another fails in its first step and is taken back, then one is promoted through every step. The time is what the journal
says: from the record of the verdict to the record of the abort, which is written once the Rollout, the Ingress and
every listener rule say 0 %, and to the record of the template, once the stable revision is alone and whole.
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

from benchmarks.users import count_answers
from blocks.settings import load_environment
from delivery.errors import NotPromoted
from delivery.journal.step_names import ABORT
from delivery.release import Event, Record, Release
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
# Shorter than the sandbox's own: what is measured begins when the pause is over.
SHORTER = {"SLIPWAY_CANARY__PAUSE": "8s", "SLIPWAY_CANARY__PERIOD": "2s"}
# Generous: a busy machine makes the figures worse, and ends nothing.
PATIENT = {"SLIPWAY_CANARY__READY_DEADLINE": "5m", "SLIPWAY_CANARY__CEILING": "20"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--failures", type=int, default=20, help="canaries that fail and are taken back")
    failures = parser.parse_args().failures
    logging.disable(logging.ERROR)
    with installed() as sandbox:
        bad = [push_image(sandbox.state, f"bad-{number}", "errors") for number in range(1, failures + 1)]
        measure_ways_back(sandbox, bad)
        measure_promotion(sandbox, push_image(sandbox.state, "healthy"))


@contextmanager
def installed() -> Iterator[Sandbox]:
    """A sandbox on which a first digest serves all traffic, by the flows of its release."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Sandbox(Path(folder) / "sandbox", settings=SETTINGS) as sandbox,
        temporary_settings({PREFECT_API_URL: sandbox.addresses.prefect}),
    ):
        os.environ.update(variables(sandbox.state, sandbox.addresses, sandbox.settings) | SHORTER | PATIENT)
        with holding(push_image(sandbox.state, "first")) as release:
            for phase in (deploy_infrastructure, prepare_cluster, configure_topics, roll_out):
                phase(release)
        print(f"installed, {SETTINGS.requests_per_second:g} requests a second on average", flush=True)
        yield sandbox


@contextmanager
def holding(digest: str) -> Iterator[Release]:
    with lock_environment(load_environment("production"), digest, "benchmark", "benchmark", wait=False) as release:
        yield release


def measure_promotion(sandbox: Sandbox, digest: str) -> None:
    """Both revisions are healthy: whatever fails meanwhile was made by the change itself, or by a machine too busy."""
    before = count_answers(sandbox)
    journal = journal_of(release_and_compensate(digest))
    judged = [record.detail for record in journal if record.event is Event.JUDGED]
    told = [f"{step['weight_percent']} % {step['verdict']}" for step in judged]
    print(f"\na healthy digest: {', '.join(told)}")
    seen = count_answers(sandbox).less(before)
    show_answers(seen.requests, seen.failed, seen.of_pods + seen.of_balancer)


def measure_ways_back(sandbox: Sandbox, digests: Sequence[str]) -> None:
    """A line for each failed canary, then p50 and worst of them all; the users of the other revision in the end."""
    print("\nfailed canary    verdict to 0 % at every listener rule    to the stable revision alone and whole")
    before, journals = count_answers(sandbox), []
    for number, digest in enumerate(digests, 1):
        journals.append(journal_of(release_and_compensate(digest)))
        show_times(f"{number}", seconds_to(journals[-1], ABORT), seconds_to(journals[-1], None))
    for name, figure in (("p50", median), ("worst", max)):
        show_times(name, *(figure([seconds_to(journal, step) for journal in journals]) for step in (ABORT, None)))
    seen = count_answers(sandbox).less(before)
    print("\nmeanwhile, besides what the failing pods answered:")
    show_answers(seen.requests, seen.failed_without({revision_of(journal) for journal in journals}), seen.of_balancer)


def release_and_compensate(digest: str) -> int:
    """The number of a release of the digest, which is taken back where its canary fails."""
    number = 0
    with suppress(NotPromoted), holding(digest) as release:
        number = release.number
        try:
            roll_out(release)
        except NotPromoted:
            compensate(release)
            raise
    return number


def journal_of(number: int) -> tuple[Record, ...]:
    return read_journal(load_environment("production"), number)


def seconds_to(journal: Sequence[Record], step: str | None) -> float:
    """From the failed verdict to the record that the step is done; None: to the last step's. Infinite without one."""
    verdict = next((record.at for record in journal if record.detail.get("verdict") == "fail"), None)
    done = [record.at for record in journal if record.event is Event.DONE and step in (None, record.step)]
    back = [moment for moment in done if verdict is not None and moment > verdict]
    return (back[-1] - verdict).total_seconds() if verdict and back else math.inf


def revision_of(journal: Sequence[Record]) -> str:
    """The hash of the revision that the release made."""
    return next(record.detail["revision"] for record in journal if record.detail.get("revision"))


def show_times(name: str, to_stable: float, to_rest: float) -> None:
    print(f"{name:>13}{to_stable:>42.1f} s{to_rest:>43.1f} s", flush=True)


def show_answers(requests: int, at_users: Counter[tuple[str, str]], at_balancer: int) -> None:
    verdict = "as wanted" if at_users.total() == at_balancer == 0 else "MORE than wanted"
    print(f"{requests} requests; 5xx or no answer: {at_users.total()} by the users' count, ", end="")
    print(f"{at_balancer} by the load balancer's; {verdict} (none)", flush=True)
    for (pod, outcome), number in at_users.most_common(5):
        print(f"  {number} times {outcome}, answered by {pod}", flush=True)


if __name__ == "__main__":
    main()
