"""Who started the operation on a stack."""

import pytest

from delivery.journal.step_names import planned_step
from delivery.plan import Phase
from delivery.release import Release
from delivery.stacks.operations import describe_operator, release_of

RELEASE = Release(
    environment="production",
    number=12,
    nonce="0123456789ab",
    artifact_digest=f"sha256:{'a' * 64}",
    plan_hash=None,
    lock_epoch=1,
)
TOKEN = RELEASE.token(planned_step(Phase.STACKS, "MSKStack"))


def test_the_operation_of_a_release_has_the_number_of_the_release() -> None:
    assert release_of(TOKEN) == 12
    assert describe_operator(TOKEN) == "release 12"


def test_the_deletion_after_a_failed_creation_belongs_to_the_release_too() -> None:
    assert release_of(f"{TOKEN}-delete") == 12


@pytest.mark.parametrize("token", [None, "", "Console-UpdateStack-1", "release-notes", "release-12-abc-Topics-metrics"])
def test_an_operation_that_no_release_started_is_of_another_client(token: str | None) -> None:
    assert release_of(token) is None
    assert describe_operator(token).startswith("another client (")
