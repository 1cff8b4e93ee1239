import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clients.store import open_state
from delivery.environment import Environment
from delivery.errors import LockLost, LockTaken, RolledBack, StopRequested
from delivery.release import Event, has_ended
from sandbox.testing import PATIENCE
from tasks.state.journal import append, read_journal, read_request
from tasks.state.lock import lock_environment, read_lock, request_stop, require_lock
from tests.environments import CHECKOUT, production

DIGEST = "sha256:" + "a" * 64
CONTENDERS = 16
SHORT = timedelta(seconds=2)


def later(by: timedelta) -> Callable[[], datetime]:
    return lambda: datetime.now(UTC) + by


def try_to_lock(environment: Environment, all_ready: threading.Barrier, done: threading.Barrier) -> bool:
    """Whether the lock was acquired. It is not released before all have tried."""
    all_ready.wait()
    try:
        with lock_environment(environment, DIGEST, "hash", "contend"):
            done.wait()
            return True
    except LockTaken:
        done.wait()
        return False


def test_of_sixteen_threads_one_acquires_the_lock(tmp_path: Path) -> None:
    environment = production(tmp_path)
    barriers = threading.Barrier(CONTENDERS), threading.Barrier(CONTENDERS)
    with ThreadPoolExecutor(CONTENDERS) as pool:
        got = [pool.submit(try_to_lock, environment, *barriers) for _ in range(CONTENDERS)]
    assert sum(result.result() for result in got) == 1


def test_the_log_names_the_number_of_the_release_once_it_has_the_lock(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    with lock_environment(production(tmp_path), DIGEST, "hash", "first"):
        assert caplog.messages == ["Acquired the lock on production as release 1."]


CONTENDER = """
import sys
from pathlib import Path
from delivery.errors import LockTaken
from tasks.state.lock import lock_environment
from tests.environments import production
from tests.tasks.state.test_lock import DIGEST

environment = production(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
try:
    with lock_environment(environment, DIGEST, "hash", "contend"):
        print("acquired", flush=True)
        sys.stdin.readline()
except LockTaken:
    print("refused", flush=True)
"""


def start_contender(store: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CONTENDER, str(store)]
    return subprocess.Popen(
        command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def test_of_four_processes_one_acquires_the_lock(tmp_path: Path) -> None:
    contenders = [start_contender(tmp_path) for _ in range(4)]
    assert [contender.stdout.readline() for contender in contenders if contender.stdout] == ["ready\n"] * 4
    for contender in contenders:
        assert contender.stdin
        contender.stdin.write("go\n")
        contender.stdin.flush()
    answers = [contender.stdout.readline() for contender in contenders if contender.stdout]
    for contender in contenders:
        contender.communicate("done\n", timeout=PATIENCE)
    assert sorted(answers) == ["acquired\n", "refused\n", "refused\n", "refused\n"]


def test_a_released_lock_can_be_acquired_again_with_the_next_number(tmp_path: Path) -> None:
    environment = production(tmp_path)
    with lock_environment(environment, DIGEST, "hash", "first") as first:
        pass
    with lock_environment(environment, DIGEST, "hash", "second") as second:
        assert (second.release.number, second.release.lock_epoch) == (
            first.release.number + 1,
            first.release.lock_epoch + 1,
        )


def test_the_first_releases_of_two_stores_have_different_tokens(tmp_path: Path) -> None:
    one, other = production(tmp_path / "one"), production(tmp_path / "other")
    with (
        lock_environment(one, DIGEST, "hash", "first") as first,
        lock_environment(other, DIGEST, "hash", "1st") as moved,
    ):
        assert first.release.number == moved.release.number
        assert first.release.token("Infrastructure/App") != moved.release.token("Infrastructure/App")
        assert read_request(one, 1).to_release(one.name, 1) == first.release


def test_a_locked_environment_is_refused_with_the_holder_and_the_reason(tmp_path: Path) -> None:
    environment = production(tmp_path)
    with (
        lock_environment(environment, DIGEST, "hash", "the spring release"),
        pytest.raises(
            LockTaken,
            match=r"production is locked by release 1 \(.*, reason: the spring release\)\. Nothing was changed\.",
        ),
        lock_environment(environment, DIGEST, "hash", "another"),
    ):
        pass


def test_a_release_waits_for_the_one_before_it(tmp_path: Path) -> None:
    environment = production(tmp_path, lease=SHORT, wait=timedelta(seconds=PATIENCE))
    got = threading.Event()

    def second() -> int:
        with lock_environment(environment, DIGEST, "hash", "second") as context:
            got.set()
            return context.release.lock_epoch

    with ThreadPoolExecutor(1) as pool:
        with lock_environment(environment, DIGEST, "hash", "first"):
            waiting = pool.submit(second)
            assert not got.wait(0.3)
        assert waiting.result(timeout=PATIENCE) == 2


def test_the_lock_of_a_dead_process_can_be_acquired_after_its_lease(tmp_path: Path) -> None:
    environment = production(tmp_path)
    die_with_lock(environment)
    left = read_lock(environment)
    assert left is not None
    last = left.renewed_at + timedelta(seconds=70)
    with pytest.raises(LockTaken), lock_environment(environment, DIGEST, "hash", "early", now=lambda: last):
        pass
    over = last + timedelta.resolution
    with lock_environment(environment, DIGEST, "hash", "late", now=lambda: over) as context:
        assert context.release.lock_epoch == 2
    found = read_journal(environment, context.release.number)[0].detail["found"]
    assert found.startswith("The lock of release 1 (")
    assert "on production expired and was not released" in found
    assert found.endswith("The last step of that release was Topics/views.")


def die_with_lock(environment: Environment) -> None:
    """As if the process was killed: the lock is not released."""
    with suppress(KeyboardInterrupt), lock_environment(environment, DIGEST, "hash", "die") as context:
        append(context, "Topics/views", Event.INTENDED)
        raise KeyboardInterrupt


def test_a_release_that_lost_the_lock_stops_before_its_next_effect(tmp_path: Path) -> None:
    environment = production(tmp_path)
    with lock_environment(environment, DIGEST, "hash", "slow") as slow:
        with lock_environment(environment, DIGEST, "hash", "next", now=later(timedelta(minutes=5))):
            pass
        with pytest.raises(LockLost, match=r"^Lost the lock on production to release 2 \(.*, reason: next\)\. "):
            require_lock(slow)


def test_a_release_stops_after_a_stop_request(tmp_path: Path) -> None:
    environment = production(tmp_path)
    with lock_environment(environment, DIGEST, "hash", "long") as context:
        asked = request_stop(environment, "ana@desk", "the database is being moved.")
        assert asked
        assert asked.number == context.release.number
        with pytest.raises(StopRequested, match=r"ana@desk asked .* the database is being moved\."):
            require_lock(context)


def test_an_epoch_without_its_first_object_is_free(tmp_path: Path) -> None:
    environment = production(tmp_path)
    (tmp_path / "holds" / "production" / "1").mkdir(parents=True)
    with lock_environment(environment, DIGEST, "hash", "first") as context:
        assert context.release.lock_epoch == 1


def test_a_lock_consists_of_objects_that_are_created_once(tmp_path: Path) -> None:
    environment = production(tmp_path)
    with lock_environment(environment, DIGEST, "hash", "first"):
        pass
    keys = [item.key for item in open_state(environment).list("holds")]
    assert keys == [f"holds/production/1/{name}.json" for name in ("0", "release", "released")]


def test_the_end_of_a_release_is_in_its_journal(tmp_path: Path) -> None:
    environment = production(tmp_path)
    with suppress(RolledBack), lock_environment(environment, DIGEST, "hash", "try") as context:
        append(context, "Topics/views", Event.INTENDED)
        raise RolledBack("Revision 41 serves all traffic.")
    last = read_journal(environment, context.release.number)[-1]
    assert (last.event, last.detail) == (
        Event.ENDED,
        {"outcome": "RolledBack", "message": "Revision 41 serves all traffic."},
    )


def test_a_release_whose_process_was_killed_has_no_end_in_its_journal(tmp_path: Path) -> None:
    environment = production(tmp_path)
    die_with_lock(environment)
    assert not has_ended(read_journal(environment, 1))
