"""Each case in `plans/` is printed as the text beside it. tests/delivery/plan_files.py writes these texts."""

import pytest

from tests.delivery.plan_files import FOLDER, names, print_plan, read_case


@pytest.mark.parametrize("name", names())
def test_a_plan_is_printed_as_in_its_file(name: str) -> None:
    assert print_plan(read_case(name)) == (FOLDER / f"{name}.txt").read_text()


def test_each_printed_plan_has_a_case() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.txt")) == names()
