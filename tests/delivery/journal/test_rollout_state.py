from typing import Any

import pytest

from delivery.journal.rollout_state import RolloutState


@pytest.mark.parametrize(
    ("stored", "state"),
    [
        (
            {"exists": True, "stable_hash": "6c9f", "stable_revision": 41, "current_hash": "7d4b", "step": None},
            RolloutState(exists=True, stable_hash="6c9f", current_hash="7d4b"),
        ),
        ({"exists": False, "stable_hash": ""}, RolloutState(exists=False)),
        ({"stable_hash": None, "current_hash": None}, RolloutState()),
        ({}, RolloutState(exists=True, stable_hash="", current_hash="")),
    ],
)
def test_what_is_stored_of_a_rollout_is_read_and_a_rollout_exists_unless_it_says_otherwise(
    stored: dict[str, Any], state: RolloutState
) -> None:
    assert RolloutState.model_validate(stored) == state
