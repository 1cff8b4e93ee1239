"""Tests that share a part that starts slowly are in one group."""

import pytest

from tests.scheduling import ALONE, TOGETHER, group_of, rank_of


def test_each_test_that_needs_a_prefect_server_is_in_its_group(request: pytest.FixtureRequest) -> None:
    needing = {item.nodeid for item in request.session.items if "prefect_server" in getattr(item, "fixturenames", ())}
    assert {nodeid for nodeid in needing if group_of(nodeid) != "a Prefect server"} == set()


def test_each_named_file_and_folder_exists(request: pytest.FixtureRequest) -> None:
    named = [*ALONE, *(path for paths in TOGETHER.values() for path in paths)]
    assert [path for path in named if not (request.config.rootpath / path).exists()] == []


def test_rollouts_run_first_and_one_by_one_and_other_tests_run_by_file() -> None:
    first, second, plain = f"{ALONE[0]}::test_a", f"{ALONE[0]}::test_b", "tests/delivery/canary/test_counts.py::test_a"
    assert group_of(first) != group_of(second)
    assert group_of(plain) == "tests/delivery/canary/test_counts.py"
    assert sorted([plain, "sandbox/tests/kafka/test_brokers.py::test_a", first], key=rank_of)[0] == first
