"""The guide's "Kafka Topic Creation"."""

from prefect import flow

from blocks.settings import load_environment
from delivery.release import Release
from delivery.topics import specify_topics
from tasks.topics import conclude_configurations, configure_topic


@flow(name="configure-topics", flow_run_name="configure topics of release {release.number}")
def configure_topics(release: Release) -> None:
    """Create each topic with its own partitions, retention and compression, or bring it there."""
    environment = load_environment(release.environment)
    configurations = {
        topic.name: configure_topic.submit(environment, release, topic, return_state=False)
        for topic in specify_topics(environment)
    }
    conclude_configurations(configurations)
