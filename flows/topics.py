"""The guide's "Kafka Topic Creation"."""

from prefect import flow

from blocks.settings import load_context
from delivery.release import Release
from delivery.topics import specify_topics
from tasks.topics import conclude_configurations, configure_topic


@flow(name="configure-topics", flow_run_name="configure topics of release {release.number}")
def configure_topics(release: Release) -> None:
    """Create or update each topic to its partitions, retention and compression."""
    context = load_context(release)
    configurations = {
        topic.name: configure_topic.submit(context, topic, return_state=False)
        for topic in specify_topics(context.environment)
    }
    conclude_configurations(configurations)
