"""Which tests share a worker of pytest-xdist, so that what is slow to start is started once, and which begin.

xdist's own groups (`--dist loadgroup`) put marks into a test's id, which pytest 9.2 no longer lets it change: they are
ignored without a word. So the id alone decides here.
"""

from collections.abc import Mapping

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# Brokers are three Java processes; each group is a folder or a few files, those that take longest first.
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
        "tests/deployments/test_install.py",
        "tests/flows/",
        "tests/tasks/application/test_addons.py",
        "tests/tasks/test_checks.py",
        "tests/tasks/canary/test_approval.py",
        "tests/tasks/rollback/test_outcomes.py",
        "tests/tasks/canary/test_record.py",
        "tests/tasks/state/test_notices.py",
        "tests/tasks/test_planning.py",
        "tests/tasks/runs/test_run_logs.py",
        "tests/tasks/state/test_stops.py",
        "tests/tasks/rollback/test_notifications.py",
    ),
}
# A rollout mostly waits: whichever worker is free takes the next one.
ALONE = (
    "tests/tasks/canary/test_rollouts.py",
    "tests/tasks/rollout/test_faults.py",
    "tests/tasks/rollout/test_interference.py",
)


class Schedule(LoadScopeScheduling):
    """Groups run whole in one worker; what is in none of them goes by its file."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def group_of(nodeid: str) -> str:
    if nodeid.startswith(ALONE):
        return nodeid
    return next((name for name, paths in TOGETHER.items() if nodeid.startswith(paths)), nodeid.partition("::")[0])


def rank_of(nodeid: str) -> int:
    """Rollouts first, then the groups, then the rest: a worker with a long test left at the end would run alone."""
    groups = list(TOGETHER)
    if nodeid.startswith(ALONE):
        return 0
    group = group_of(nodeid)
    return 1 + (groups.index(group) if group in groups else len(groups))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: rank_of(item.nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling | None:
    return Schedule(config, log) if config.getvalue("dist") == "loadscope" else None
