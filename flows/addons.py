"""The add-ons that the application needs in its cluster. The guide assumes that they exist."""

from prefect import flow

from blocks.settings import load_context
from delivery.release import Release
from tasks.application.addons import configure_addon


@flow(name="prepare-cluster", flow_run_name="prepare the cluster for release {release.number}")
def prepare_cluster(release: Release) -> None:
    """Install Argo Rollouts, the load balancer controller and the metrics agent, each in its configured version.

    An add-on without a pinned manifest is not installed: another version of it is reported and left as it is.
    """
    context = load_context(release)
    for addon in context.environment.addons.wanted:
        configure_addon(context, addon)
