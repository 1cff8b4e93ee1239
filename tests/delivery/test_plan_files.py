"""Each plan in `plans/` is printed as the file beside it says; tests/delivery/plan_files.py writes those anew."""

import pytest

from tests.delivery.plan_files import FOLDER, names, print_plan, read_case


@pytest.mark.parametrize("name", names())
def test_a_plan_is_printed_as_its_file_says(name: str) -> None:
    assert print_plan(read_case(name)) == (FOLDER / f"{name}.txt").read_text()


def test_every_printed_plan_has_its_case() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.txt")) == names()
