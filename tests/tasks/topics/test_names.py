"""The names of the task runs that configure topics."""

import inspect
from pathlib import Path
from typing import Any

from delivery.context import ReleaseContext
from delivery.release import Release
from delivery.topics import specify_topics
from tasks.topics import configure_topic
from tests.environments import production

RELEASE = Release(
    environment="production", number=7, nonce="1", artifact_digest=f"sha256:{'d' * 64}", plan_hash=None, lock_epoch=1
)


def test_a_run_is_named_after_its_topic_without_the_prefix_of_the_environment(tmp_path: Path) -> None:
    context = ReleaseContext(production(tmp_path), RELEASE)
    topic = specify_topics(context.environment)[0]
    parameters = dict(inspect.signature(configure_topic.fn).bind(context, topic).arguments)
    name_run: Any = configure_topic.task_run_name
    assert name_run(parameters) == "configure topic observability.user.behavior"
