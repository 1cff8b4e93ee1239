from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from clients.store import open_state
from delivery.errors import Conflict, LockLost, StopRequested, Unavailable
from delivery.plan import ReleasePlan
from delivery.release import Event, has_effects
from tasks.state.journal import (
    append,
    effect,
    journal_folder,
    last_release_number,
    read_journal,
    record_plan,
    release_folder,
    take_number,
)
from tasks.state.lock import lock_environment, request_stop
from tests.environments import production

DIGEST = "sha256:" + "b" * 64


def test_an_effect_is_told_before_and_after_with_what_was_read_back(tmp_path: Path) -> None:
    environment = production(tmp_path)
    with (
        lock_environment(environment, DIGEST, "hash", "try") as release,
        effect(environment, release, "Topics/views", {"partitions": 3}) as change,
    ):
        assert has_effects(read_journal(environment, release.number))
        change.read_back = {"partitions": 6}
    told = [(record.step, record.event, record.detail) for record in read_journal(environment, release.number)[1:3]]
    assert told == [
        ("Topics/views", Event.INTENDED, {"partitions": 3}),
        ("Topics/views", Event.DONE, {"partitions": 6}),
    ]


def test_an_effect_that_fails_is_told_with_its_sentence(tmp_path: Path) -> None:
    environment = production(tmp_path)
    with lock_environment(environment, DIGEST, "hash", "try") as release:
        with pytest.raises(Unavailable), effect(environment, release, "Topics/views", {}):
            raise Unavailable("The brokers did not answer.")
        last = read_journal(environment, release.number)[-1]
    assert (last.event, last.detail) == (Event.FAILED, {"message": "The brokers did not answer."})


def test_an_effect_does_not_start_once_a_stop_was_asked_for(tmp_path: Path) -> None:
    environment = production(tmp_path)
    with lock_environment(environment, DIGEST, "hash", "try") as release:
        request_stop(environment, "ana@desk", "wait.")
        with pytest.raises(StopRequested), effect(environment, release, "Topics/views", {}):
            pytest.fail("the effect ran")
        assert not has_effects(read_journal(environment, release.number))


def test_an_effect_does_not_start_after_the_hold_was_given_back(tmp_path: Path) -> None:
    environment = production(tmp_path)
    with lock_environment(environment, DIGEST, "hash", "try") as release:
        pass
    with pytest.raises(LockLost), effect(environment, release, "Topics/views", {}):
        pytest.fail("the effect ran")


def test_threads_share_one_journal_without_a_gap(tmp_path: Path) -> None:
    environment = production(tmp_path)
    with lock_environment(environment, DIGEST, "hash", "try") as release, ThreadPoolExecutor(16) as pool:
        for number in range(64):
            pool.submit(append, environment, release, f"Topics/{number}", Event.INTENDED)
    journal = read_journal(environment, release.number)
    assert [record.sequence for record in journal] == list(range(66))
    assert len({record.step for record in journal}) == 65


def test_a_record_written_by_another_process_means_that_the_hold_is_lost(tmp_path: Path) -> None:
    environment = production(tmp_path)
    with lock_environment(environment, DIGEST, "hash", "try") as release:
        open_state(environment).create("releases/production/1/journal/1.json", b"{}")
        with pytest.raises(LockLost, match="Another process wrote record 1"):
            append(environment, release, "Topics/views", Event.INTENDED)
        with pytest.raises(Conflict, match=r"journal/1\.json is no record"):
            read_journal(environment, release.number)


def test_sixteen_takers_get_sixteen_numbers(tmp_path: Path) -> None:
    environment = production(tmp_path)
    with ThreadPoolExecutor(16) as pool:
        numbers = list(pool.map(lambda taker: take_number(environment, {"lock_epoch": taker}), range(16)))
    assert sorted(numbers) == list(range(1, 17))
    assert last_release_number(environment) == 16


def test_the_plan_stands_beside_the_journal(tmp_path: Path) -> None:
    environment = production(tmp_path)
    plan = ReleasePlan(environment="production", artifact_digest=DIGEST, steps=())
    with lock_environment(environment, DIGEST, plan.hash, "try") as release:
        record_plan(environment, release, plan)
    stored = open_state(environment).read(f"{release_folder(environment.name, release.number)}/plan.json")
    assert ReleasePlan.model_validate_json(stored) == plan


def test_a_record_of_ours_whose_answer_was_lost_is_stepped_over(tmp_path: Path) -> None:
    environment = production(tmp_path)
    with lock_environment(environment, DIGEST, "hash", "because") as release:
        first = append(environment, release, "Topics/a", Event.INTENDED)
        # As it is when the store kept the next record and its answer never came.
        lost = first.model_copy(update={"sequence": first.sequence + 1, "event": Event.DONE})
        key = f"{journal_folder(environment.name, release.number)}/{lost.sequence}.json"
        assert open_state(environment).create(key, lost.model_dump_json().encode())
        assert append(environment, release, "Topics/b", Event.INTENDED).sequence == lost.sequence + 1
