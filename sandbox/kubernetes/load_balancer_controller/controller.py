"""Reconciles the load balancers on AWS with all Ingresses of the cluster."""

import logging
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from kubernetes.client import ApiException

from sandbox.kubernetes.api.objects.kinds import Object, name_of, namespace_of
from sandbox.kubernetes.load_balancer_controller.actions import action_for
from sandbox.kubernetes.load_balancer_controller.annotations import Annotations
from sandbox.kubernetes.load_balancer_controller.cluster import ClusterState, is_alb_ingress
from sandbox.kubernetes.load_balancer_controller.load_balancers import (
    ensure_listeners,
    ensure_load_balancer,
    ensure_rules,
)
from sandbox.kubernetes.load_balancer_controller.model import Backend, backends_of, default_action, rules_of
from sandbox.kubernetes.load_balancer_controller.network import NoSubnets, choose_subnets, cluster_of
from sandbox.kubernetes.load_balancer_controller.target_groups import (
    binding_for,
    ensure_target_group,
    gate_condition,
    has_gate,
    sync_targets,
    targets_of,
)

BINDING = ("elbv2.k8s.aws/v1beta1", "TargetGroupBinding")
INGRESS = ("networking.k8s.io/v1", "Ingress")
STRATEGIC = "application/strategic-merge-patch+json"

log = logging.getLogger(__name__)
Stack = tuple[str, str]
"""Namespace and name of an Ingress."""


@dataclass
class Stacks:
    """The load balancer and the target groups of each Ingress, to be deleted with the Ingress."""

    balancers: dict[Stack, str] = field(default_factory=dict)
    groups: dict[Stack, dict[Backend, str]] = field(default_factory=dict)


class Controller:
    """Creates, changes and deletes load balancers on AWS. aws: creates the boto3 client of a service."""

    def __init__(self, cluster: ClusterState, aws: Any) -> None:
        self._cluster = cluster
        self._elbv2, self._ec2, self._eks = aws("elbv2"), aws("ec2"), aws("eks")
        self._stacks = Stacks()

    def reconcile(self) -> bool:
        """Reconcile all Ingresses. False if something must be retried soon."""
        classes = self._cluster.select("networking.k8s.io/v1", "IngressClass")
        ingresses = [found for found in self._cluster.select(*INGRESS) if is_alb_ingress(found, classes)]
        services = self._services()
        done = [self._try_deploy(ingress, services) for ingress in ingresses]
        self._delete_stacks_except({(namespace_of(ingress), name_of(ingress)) for ingress in ingresses})
        # Read the Services again together with the pods: an older selector could select pods that are already gone.
        return self._sync_target_groups(self._services()) and all(done)

    def _services(self) -> dict[Stack, Object]:
        return {(namespace_of(found), name_of(found)): found for found in self._cluster.select("v1", "Service")}

    def _try_deploy(self, ingress: Object, services: dict[Stack, Object]) -> bool:
        try:
            self._deploy(ingress, services)
        except (ClientError, BotoCoreError, NoSubnets, ValueError, KeyError) as error:
            log.warning("%s/%s: %s", namespace_of(ingress), name_of(ingress), error)
            message = f"Failed deploy model due to {type(error).__name__}: {error}"
            self._cluster.record_event(ingress, "FailedDeployModel", message, warning=True)
            return False
        return True

    def _deploy(self, ingress: Object, services: dict[Stack, Object]) -> None:
        namespace = namespace_of(ingress)

        def find_service(name: str) -> Object | None:
            return services.get((namespace, name))

        cluster, vpc = cluster_of(self._eks)
        rules, default = rules_of(ingress, find_service), default_action(ingress, find_service)
        subnets = choose_subnets(self._ec2, Annotations(ingress), vpc)
        balancer = ensure_load_balancer(self._elbv2, ingress, subnets, cluster)
        groups = self._stacks.groups.setdefault((namespace, name_of(ingress)), {})
        for backend in backends_of([default, *(rule.action for rule in rules)]):
            if backend not in groups:
                service, vpc = services[namespace, backend.service], balancer["VpcId"]
                groups[backend] = ensure_target_group(self._elbv2, ingress, backend, service, vpc, cluster)
            self._cluster.create(*BINDING, binding_for(ingress, backend, groups[backend]))
        arn = balancer["LoadBalancerArn"]
        self._stacks.balancers[namespace, name_of(ingress)] = arn
        default_config = action_for(default, groups)
        for listener, has_rules in ensure_listeners(self._elbv2, arn, ingress, cluster, default_config):
            ensure_rules(self._elbv2, listener, rules if has_rules else [], groups)
        self._publish(ingress, balancer["DNSName"])

    def _publish(self, ingress: Object, hostname: str) -> None:
        status = {"loadBalancer": {"ingress": [{"hostname": hostname}]}}
        if ingress.get("status") != status:
            self._cluster.patch_status(*INGRESS, ingress, status)
            self._cluster.record_event(ingress, "SuccessfullyReconciled", "Successfully reconciled")

    def _sync_target_groups(self, services: dict[Stack, Object]) -> bool:
        """Register the pods in their target groups, and return whether every readiness gate is True."""
        pods = self._cluster.select("v1", "Pod")
        done = True
        for binding in self._cluster.select(*BINDING):
            service = services.get((namespace_of(binding), binding["spec"]["serviceRef"]["name"]))
            in_namespace = [pod for pod in pods if namespace_of(pod) == namespace_of(binding)]
            targets = targets_of(binding, service, in_namespace) if service else {}
            done &= self._sync_binding(binding, targets)
        return done

    def _sync_binding(self, binding: Object, targets: dict[tuple[str, int], Object]) -> bool:
        try:
            states = sync_targets(self._elbv2, binding["spec"]["targetGroupARN"], set(targets))
            waiting = [self._write_gate(binding, targets[target], health) for target, health in states.items()]
        except (ClientError, BotoCoreError) as error:
            log.warning("%s/%s: %s", namespace_of(binding), name_of(binding), error)
            self._cluster.record_event(binding, "FailedReconcile", f"{type(error).__name__}: {error}", warning=True)
            return False
        return not any(waiting)

    def _write_gate(self, binding: Object, pod: Object, health: Object) -> bool:
        """Write the condition of the pod's readiness gate, and return whether its health must be read again."""
        if condition := gate_condition(pod, binding, health):
            try:
                self._cluster.patch_status("v1", "Pod", pod, {"conditions": [condition]}, STRATEGIC)
            except ApiException as error:
                if error.status != 404:
                    raise
        return health["State"] == "initial" or (health["State"] != "healthy" and has_gate(pod, binding))

    def _delete_stacks_except(self, existing: set[Stack]) -> None:
        """Delete the load balancers and target groups of deleted Ingresses."""
        for stack in [stack for stack in self._stacks.balancers if stack not in existing]:
            log.info("Ingress %s was deleted. Deleting its load balancer and target groups.", "/".join(stack))
            self._elbv2.delete_load_balancer(LoadBalancerArn=self._stacks.balancers.pop(stack))
            for backend, arn in self._stacks.groups.pop(stack, {}).items():
                self._cluster.delete(*BINDING, backend.namespace, backend.group_name)
                self._elbv2.delete_target_group(TargetGroupArn=arn)
