from dataclasses import replace

import pytest

from delivery.rollout.pod_health import why_worse
from delivery.rollout.pods import Pod

POD = Pod("a", "5d4", ("image",), is_ready=True, restarts=1)


@pytest.mark.parametrize(
    ("now", "why"),
    [
        (POD, None),
        (replace(POD, restarts=3), "pod a restarted 2 times during the canary step"),
        (replace(POD, is_ready=False), "pod a is no longer ready"),
        (replace(POD, is_ready=False, is_terminating=True), None),
        (replace(POD, name="b", is_ready=False, restarts=1), None),
    ],
)
def test_only_a_pod_that_served_before_can_stop_serving(now: Pod, why: str | None) -> None:
    assert why_worse([POD], [now]) == why


def test_a_pod_that_was_not_ready_before_is_not_worse() -> None:
    unready = replace(POD, is_ready=False)
    assert why_worse([unready], [unready]) is None
