import pytest

from delivery.journal.step_names import ABORT, canary_step, moves_traffic, planned_step, rollout_step
from delivery.plan import Phase
from delivery.rollout.manifests import CanaryStep


@pytest.mark.parametrize(
    ("step", "is_moved"),
    [
        (ABORT, True),
        (canary_step(CanaryStep(1, 20)), True),
        (canary_step(CanaryStep(3, 20, pause_number=2)), True),
        (rollout_step("backend"), True),
        (planned_step(Phase.APPLICATION, "ReplicaSet backend-7c9f"), False),
        (planned_step(Phase.APPLICATION, "Ingress front"), False),
        (planned_step(Phase.TOPICS, "clicks"), False),
    ],
)
def test_canary_and_rollout_move_traffic_and_nothing_else_does(step: str, is_moved: bool) -> None:
    assert moves_traffic(step) is is_moved
