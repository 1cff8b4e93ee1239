"""What a pod that does not serve said last: the cluster's warning about it, and the end of its log."""

import base64

from clients.cluster import Cluster
from delivery.errors import DeliveryError
from delivery.rollout.pods import Pod, describe_words

LOG_LINES = 5


def read_words(cluster: Cluster, namespace: str, pod: Pod) -> str:
    """As a sentence, the values of the pod's Secrets masked; empty where nothing is known or nobody answers.

    What cannot be read of it is left out: the reason that the pod was looked at for counts more.
    """
    try:
        events = cluster.list("Event", namespace, fields=f"involvedObject.kind=Pod,involvedObject.name={pod.name}")
        secrets = [value for name in pod.secrets for value in read_secret(cluster, namespace, name)]
        words = describe_words(events, read_end_of_log(cluster, namespace, pod), secrets)
    except DeliveryError:
        return ""
    return f" Pod {pod.name} said last: {words}." if words else ""


def read_secret(cluster: Cluster, namespace: str, name: str) -> list[str]:
    found = cluster.read("Secret", name, namespace) or {}
    return [base64.b64decode(value).decode(errors="replace") for value in (found.get("data") or {}).values()]


def read_end_of_log(cluster: Cluster, namespace: str, pod: Pod) -> str:
    """Empty for a container that was never started."""
    try:
        return cluster.read_log(pod.name, namespace, pod.container, lines=LOG_LINES)
    except DeliveryError:
        return ""
