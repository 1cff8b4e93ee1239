from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from clients.store import open_state
from delivery.errors import Conflict, LockLost, StopRequested, Unavailable
from delivery.plan import ReleasePlan
from delivery.release import Event, ReleaseRequest, has_effects
from tasks.state.journal import (
    append,
    effect,
    journal_folder,
    list_numbers,
    read_journal,
    record_plan,
    release_folder,
    reserve_number,
)
from tasks.state.lock import lock_environment, request_stop
from tests.environments import production

DIGEST = "sha256:" + "b" * 64


def test_an_effect_is_recorded_before_and_after_it_with_what_was_read_back(tmp_path: Path) -> None:
    environment = production(tmp_path)
    with (
        lock_environment(environment, DIGEST, "hash", "try") as context,
        effect(context, "Topics/views", {"partitions": 3}) as change,
    ):
        assert has_effects(read_journal(environment, context.release.number))
        change.read_back = {"partitions": 6}
    records = read_journal(environment, context.release.number)[1:3]
    assert [(record.step, record.event, record.detail) for record in records] == [
        ("Topics/views", Event.INTENDED, {"partitions": 3}),
        ("Topics/views", Event.DONE, {"partitions": 6}),
    ]


def test_an_effect_that_fails_is_recorded_with_its_message(tmp_path: Path) -> None:
    environment = production(tmp_path)
    with lock_environment(environment, DIGEST, "hash", "try") as context:
        with pytest.raises(Unavailable), effect(context, "Topics/views", {}):
            raise Unavailable("The brokers did not answer.")
        last = read_journal(environment, context.release.number)[-1]
    assert (last.event, last.detail) == (Event.FAILED, {"message": "The brokers did not answer."})


def test_an_effect_does_not_start_after_a_stop_request(tmp_path: Path) -> None:
    environment = production(tmp_path)
    with lock_environment(environment, DIGEST, "hash", "try") as context:
        request_stop(environment, "ana@desk", "wait.")
        with pytest.raises(StopRequested), effect(context, "Topics/views", {}):
            pytest.fail("the effect ran")
        assert not has_effects(read_journal(environment, context.release.number))


def test_an_effect_does_not_start_after_the_lock_was_released(tmp_path: Path) -> None:
    environment = production(tmp_path)
    with lock_environment(environment, DIGEST, "hash", "try") as context:
        pass
    with pytest.raises(LockLost), effect(context, "Topics/views", {}):
        pytest.fail("the effect ran")


def test_threads_append_to_one_journal_without_a_gap(tmp_path: Path) -> None:
    environment = production(tmp_path)
    with lock_environment(environment, DIGEST, "hash", "try") as context, ThreadPoolExecutor(16) as pool:
        for number in range(64):
            pool.submit(append, context, f"Topics/{number}", Event.INTENDED)
    journal = read_journal(environment, context.release.number)
    assert [record.sequence for record in journal] == list(range(66))
    assert len({record.step for record in journal}) == 65


def test_a_record_of_another_process_means_that_the_lock_is_lost(tmp_path: Path) -> None:
    environment = production(tmp_path)
    with lock_environment(environment, DIGEST, "hash", "try") as context:
        open_state(environment).create("releases/production/1/journal/1.json", b"{}")
        with pytest.raises(LockLost, match="Another process wrote record 1"):
            append(context, "Topics/views", Event.INTENDED)
        with pytest.raises(Conflict, match=r"journal/1\.json is not a record"):
            read_journal(environment, context.release.number)


def test_sixteen_releases_get_sixteen_numbers(tmp_path: Path) -> None:
    environment = production(tmp_path)
    with ThreadPoolExecutor(16) as pool:
        requests = [ReleaseRequest(lock_epoch=epoch) for epoch in range(16)]
        numbers = list(pool.map(lambda request: reserve_number(environment, request), requests))
    assert sorted(numbers) == list(range(1, 17))
    assert max(list_numbers(environment)) == 16


def test_the_plan_is_stored_next_to_the_journal(tmp_path: Path) -> None:
    environment = production(tmp_path)
    plan = ReleasePlan(environment="production", artifact_digest=DIGEST, steps=())
    with lock_environment(environment, DIGEST, plan.hash, "try") as context:
        record_plan(context, plan)
    stored = open_state(environment).read(f"{release_folder(environment.name, context.release.number)}/plan.json")
    assert ReleasePlan.model_validate_json(stored) == plan


def test_an_own_record_without_an_answer_is_skipped(tmp_path: Path) -> None:
    environment = production(tmp_path)
    with lock_environment(environment, DIGEST, "hash", "because") as context:
        first = append(context, "Topics/a", Event.INTENDED)
        # The store has the next record, and its answer was lost.
        lost = first.model_copy(update={"sequence": first.sequence + 1, "event": Event.DONE})
        key = f"{journal_folder(environment.name, context.release.number)}/{lost.sequence}.json"
        assert open_state(environment).create(key, lost.model_dump_json().encode())
        assert append(context, "Topics/b", Event.INTENDED).sequence == lost.sequence + 1
