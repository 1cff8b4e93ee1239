"""ResourceQuotas: a pod that would exceed a quota of its namespace is refused."""

from collections.abc import Callable
from decimal import Decimal

from sandbox.kubernetes.api.objects.errors import forbidden
from sandbox.kubernetes.api.objects.kinds import PODS, RESOURCE_QUOTAS, Kind, Object, name_of, namespace_of, value_at
from sandbox.kubernetes.api.objects.quantities import FACTORS, parse_quantity

Select = Callable[[Kind, str], list[Object]]


def require_quota(select: Select, pod: Object) -> None:
    """Raise 403, with the message of the quota admission plugin, if the pod requests more than the quota has left."""
    others = [other for other in select(PODS, namespace_of(pod)) if not _is_finished(other)]
    for quota in select(RESOURCE_QUOTAS, namespace_of(pod)):
        hard: Object = value_at(quota, "spec.hard") or {}
        exceeded = [name for name in sorted(hard) if _is_exceeded(name, hard[name], pod, others)]
        if exceeded:
            requested = ",".join(f"{name}={_show(name, _usage(name, pod))}" for name in exceeded)
            used = ",".join(f"{name}={_show(name, _total(name, others))}" for name in exceeded)
            limited = ",".join(f"{name}={hard[name]}" for name in exceeded)
            why = f"exceeded quota: {name_of(quota)}, requested: {requested}, used: {used}, limited: {limited}"
            raise forbidden(PODS, name_of(pod), why)


def _is_exceeded(name: str, hard: object, pod: Object, others: list[Object]) -> bool:
    requested = _usage(name, pod)
    return requested > 0 and requested + _total(name, others) > parse_quantity(hard)


def _usage(name: str, pod: Object) -> Decimal:
    """One pod's usage of a resource in a quota; 0 for a resource that pods do not use."""
    if name in ("pods", "count/pods"):
        return Decimal(1)
    kind, _, resource = name.rpartition(".")
    field = kind or "requests"
    quantities = (value_at(container, ("resources", field, resource)) for container in pod["spec"]["containers"])
    return sum((parse_quantity(quantity) for quantity in quantities if quantity is not None), Decimal(0))


def _total(name: str, pods: list[Object]) -> Decimal:
    return sum((_usage(name, pod) for pod in pods), Decimal(0))


def _show(name: str, amount: Decimal) -> str:
    """Memory in Mi, and a fraction of a CPU in m, as in the API server's messages."""
    if name.endswith("memory"):
        return f"{amount / FACTORS['Mi']:f}Mi" if amount else "0"
    return str(int(amount)) if amount == int(amount) else f"{int(amount * 1000)}m"


def _is_finished(pod: Object) -> bool:
    return value_at(pod, "status.phase") in ("Succeeded", "Failed")
