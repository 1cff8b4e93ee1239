"""What the application needs of its cluster, which the guide takes for granted."""

from prefect import flow

from blocks.settings import load_environment
from delivery.release import Release
from tasks.application.addons import configure_addon


@flow(name="prepare-cluster", flow_run_name="prepare the cluster for release {release.number}")
def prepare_cluster(release: Release) -> None:
    """Argo Rollouts, the load balancer controller and the metrics agent are there.

    In the versions wanted where their manifests are pinned; where not, one of another version is told and left.
    """
    environment = load_environment(release.environment)
    for addon in environment.addons.wanted:
        configure_addon(environment, release, addon)
