from pathlib import Path

from cli.status import describe_missing_rollout
from tests.environments import production


def test_a_missing_rollout_is_named_with_its_namespace(tmp_path: Path) -> None:
    sentence = describe_missing_rollout(production(tmp_path))
    assert sentence == "Rollout genai-demo-backend does not exist in namespace genai-demo-production."
