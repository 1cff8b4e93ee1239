"""The names of Prefect's runs are templates, which Prefect fills in with parameters only when a run starts."""

import importlib
import inspect
import pkgutil
from string import Formatter
from typing import Any

import pytest
from prefect import Flow, Task

import flows
import tasks


def named() -> dict[str, tuple[str, set[str]]]:
    """Template and parameters of each flow and each task."""
    packages = [*pkgutil.walk_packages(flows.__path__, "flows."), *pkgutil.walk_packages(tasks.__path__, "tasks.")]
    found: dict[str, tuple[str, set[str]]] = {}
    for module in (importlib.import_module(package.name) for package in packages):
        for name, value in vars(module).items():
            if isinstance(value, Flow | Task):
                template: Any = value.flow_run_name if isinstance(value, Flow) else value.task_run_name
                if isinstance(template, str):
                    found[name] = template, set(inspect.signature(value.fn).parameters)
    return found


@pytest.mark.parametrize("name", named())
def test_a_runs_name_is_made_of_its_own_parameters(name: str) -> None:
    template, parameters = named()[name]
    fields = {field.partition(".")[0] for _, field, _, _ in Formatter().parse(template) if field}
    assert fields <= parameters
