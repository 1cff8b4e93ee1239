"""Which tests share a worker of pytest-xdist, so that slow parts start only once, and which tests run first.

xdist's own groups (`--dist loadgroup`) change a test's id, which pytest 9.2 no longer allows: they are silently
ignored. So only the id of a test decides here.
"""

from collections.abc import Mapping

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# Each group is a folder or a few files, the slowest group first. Brokers are three Java processes.
TOGETHER: Mapping[str, tuple[str, ...]] = {
    "rehearsals": ("tests/rehearsals/",),
    "brokers": (
        "sandbox/tests/application/test_events_flow.py",
        "sandbox/tests/aws/test_topics_on_brokers.py",
        "sandbox/tests/kafka/",
        "tests/tasks/topics/",
    ),
    "a Prefect server": (
        "tests/blocks/test_notices.py",
        "tests/cli/test_following.py",
        "tests/cli/test_main.py",
        "tests/cli/test_requests.py",
        "tests/cli/test_starting.py",
        "tests/cli/test_stopping.py",
        "tests/deployments/test_install.py",
        "tests/flows/",
        "tests/tasks/application/test_addons.py",
        "tests/tasks/test_checks.py",
        "tests/tasks/canary/test_approval.py",
        "tests/tasks/canary/test_approval_form.py",
        "tests/tasks/rollback/test_outcomes.py",
        "tests/tasks/canary/test_record.py",
        "tests/tasks/state/test_notices.py",
        "tests/tasks/test_planning.py",
        "tests/tasks/runs/test_run_logs.py",
        "tests/tasks/state/test_stops.py",
        "tests/tasks/rollback/test_notifications.py",
    ),
}
# A rollout mostly waits, so the next free worker runs the next one.
ALONE = (
    "tests/tasks/canary/test_rollouts.py",
    "tests/tasks/canary/test_start.py",
    "tests/tasks/rollout/test_faults.py",
    "tests/tasks/rollout/test_interference.py",
    "tests/tasks/rollout/test_unresponsive.py",
)


class Schedule(LoadScopeScheduling):
    """A group runs in one worker. A test without a group runs with the other tests of its file."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def group_of(nodeid: str) -> str:
    if nodeid.startswith(ALONE):
        return nodeid
    return next((name for name, paths in TOGETHER.items() if nodeid.startswith(paths)), nodeid.partition("::")[0])


def rank_of(nodeid: str) -> int:
    """Rollouts first, then the groups, then the rest. At the end, no worker runs a long test while the others wait."""
    groups = list(TOGETHER)
    if nodeid.startswith(ALONE):
        return 0
    group = group_of(nodeid)
    return 1 + (groups.index(group) if group in groups else len(groups))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: rank_of(item.nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling | None:
    return Schedule(config, log) if config.getvalue("dist") == "loadscope" else None
