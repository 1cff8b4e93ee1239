"""Diagnostics of a pod that does not serve: its last warning event and the end of its log."""

import base64

from clients.cluster import Cluster
from delivery.errors import DeliveryError
from delivery.rollout.pods import Pod, describe_diagnostics

LOG_LINES = 5


def read_pod_diagnostics(cluster: Cluster, namespace: str, pod: Pod) -> str:
    """A sentence that begins with a space, in which the values of the pod's Secrets are masked.

    Empty if there is nothing to report or if it cannot be read: it only adds to an error message.
    """
    try:
        events = cluster.list("Event", namespace, fields=f"involvedObject.kind=Pod,involvedObject.name={pod.name}")
        secrets = [value for name in pod.secrets for value in read_secret(cluster, namespace, name)]
        diagnostics = describe_diagnostics(events, read_end_of_log(cluster, namespace, pod), secrets)
    except DeliveryError:
        return ""
    return f" Pod {pod.name}: {diagnostics}." if diagnostics else ""


def read_secret(cluster: Cluster, namespace: str, name: str) -> list[str]:
    """The values of a Secret. Empty if it does not exist."""
    secret = cluster.read("Secret", name, namespace) or {}
    return [base64.b64decode(value).decode(errors="replace") for value in (secret.get("data") or {}).values()]


def read_end_of_log(cluster: Cluster, namespace: str, pod: Pod) -> str:
    """Empty if the container has never started."""
    try:
        return cluster.read_log(pod.name, namespace, pod.container, lines=LOG_LINES)
    except DeliveryError:
        return ""
