"""The parameters of a synthesis."""

import pytest

from infrastructure.cdk.stacks.parameters import ContextError, Parameters, read_parameters

CONTEXT = {"projectName": "genai-demo", "environment": "production", "kubernetesApiCidrs": ["203.0.113.0/24"]}


def test_names_begin_with_project_and_environment() -> None:
    assert read_parameters(CONTEXT.get).prefix == "genai-demo-production"


def test_a_list_given_on_the_command_line_is_split_at_commas() -> None:
    context = CONTEXT | {"kubernetesApiCidrs": "203.0.113.0/24,198.51.100.7/32"}
    assert read_parameters(context.get).kubernetes_api_cidrs == ("203.0.113.0/24", "198.51.100.7/32")


def test_the_metrics_have_the_namespace_of_the_guide() -> None:
    assert Parameters("genai-demo", "production", ()).metric_namespace == "GenAI/Demo/production"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"environment": None}, "environment: None is no lower-case name"),
        ({"projectName": "GenAI Demo"}, "projectName: 'GenAI Demo' is no lower-case name"),
        ({"projectName": "a" * 30}, "longer than 32 characters"),
        ({"kubernetesApiCidrs": []}, "kubernetesApiCidrs names no network"),
        ({"kubernetesApiCidrs": ["0.0.0.0/0"]}, "0.0.0.0/0 allows every address"),
        ({"kubernetesApiCidrs": ["::/0"]}, "::/0 allows every address"),
        ({"kubernetesApiCidrs": ["203.0.113.9/24"]}, "has host bits set"),
    ],
)
def test_an_invalid_context_is_refused(change: dict, message: str) -> None:
    with pytest.raises(ContextError, match=message):
        read_parameters((CONTEXT | change).get)
