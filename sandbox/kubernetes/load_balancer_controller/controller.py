"""One look at the whole cluster, and what follows from it on AWS."""

import json
import logging
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from kubernetes.client import ApiException

from sandbox.kubernetes.api.kinds import Object, name_of, namespace_of
from sandbox.kubernetes.load_balancer_controller.actions import action_for
from sandbox.kubernetes.load_balancer_controller.annotations import Annotations
from sandbox.kubernetes.load_balancer_controller.cluster import ClusterState, is_ours
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
    """What was made for each Ingress that there is, to be undone when it goes: load balancer, and target groups."""

    balancers: dict[Stack, str] = field(default_factory=dict)
    groups: dict[Stack, dict[Backend, str]] = field(default_factory=dict)


class Controller:
    """Brings AWS to what the Ingresses ask for. aws: makes a boto3 client of a service."""

    def __init__(self, cluster: ClusterState, aws: Any) -> None:
        self._cluster = cluster
        self._elbv2, self._ec2, self._eks = aws("elbv2"), aws("ec2"), aws("eks")
        self._stacks = Stacks()

    def reconcile(self) -> bool:
        """Do all that is due; False when something has to be tried again soon."""
        classes = self._cluster.select("networking.k8s.io/v1", "IngressClass")
        ingresses = [found for found in self._cluster.select(*INGRESS) if is_ours(found, classes)]
        services = self._services()
        done = [self._try(ingress, services) for ingress in ingresses]
        self._undo_all_but({(namespace_of(ingress), name_of(ingress)) for ingress in ingresses})
        # Read anew beside the pods: a selector from before the Ingresses' turn may select pods that are gone by now.
        return self._fill(self._services()) and all(done)

    def _services(self) -> dict[Stack, Object]:
        return {(namespace_of(found), name_of(found)): found for found in self._cluster.select("v1", "Service")}

    def _try(self, ingress: Object, services: dict[Stack, Object]) -> bool:
        try:
            self._deploy(ingress, services)
        except (ClientError, BotoCoreError, NoSubnets, ValueError, KeyError) as error:
            log.warning("%s/%s: %s", namespace_of(ingress), name_of(ingress), error)
            said = f"Failed deploy model due to {type(error).__name__}: {error}"
            self._cluster.say(ingress, "FailedDeployModel", said, warning=True)
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
                service = services[namespace, backend.service]
                groups[backend] = ensure_target_group(
                    self._elbv2, ingress, backend, service, balancer["VpcId"], cluster
                )
            self._cluster.create(*BINDING, binding_for(ingress, backend, groups[backend]))
        arn = balancer["LoadBalancerArn"]
        self._stacks.balancers[namespace, name_of(ingress)] = arn
        fallback = action_for(default, groups)
        for listener, takes_rules in ensure_listeners(self._elbv2, arn, ingress, cluster, fallback):
            ensure_rules(self._elbv2, listener, rules if takes_rules else [], groups)
        self._publish(ingress, balancer["DNSName"])

    def _publish(self, ingress: Object, hostname: str) -> None:
        status = {"loadBalancer": {"ingress": [{"hostname": hostname}]}}
        if ingress.get("status") != status:
            self._cluster.patch_status(*INGRESS, ingress, status)
            self._cluster.say(ingress, "SuccessfullyReconciled", "Successfully reconciled")

    def _fill(self, services: dict[Stack, Object]) -> bool:
        """Put the pods into their target groups; whether every readiness gate is open."""
        pods = self._cluster.select("v1", "Pod")
        done = True
        for binding in self._cluster.select(*BINDING):
            service = services.get((namespace_of(binding), binding["spec"]["serviceRef"]["name"]))
            near = [pod for pod in pods if namespace_of(pod) == namespace_of(binding)]
            targets = targets_of(binding, service, near) if service else {}
            done &= self._fill_one(binding, targets)
        return done

    def _fill_one(self, binding: Object, targets: dict[tuple[str, int], Object]) -> bool:
        try:
            states = sync_targets(self._elbv2, binding["spec"]["targetGroupARN"], set(targets))
            waiting = [self._open_gate(binding, targets[target], health) for target, health in states.items()]
        except (ClientError, BotoCoreError) as error:
            log.warning("%s/%s: %s", namespace_of(binding), name_of(binding), error)
            self._cluster.say(binding, "FailedReconcile", f"{type(error).__name__}: {error}", warning=True)
            return False
        return not any(waiting)

    def _open_gate(self, binding: Object, pod: Object, health: Object) -> bool:
        """Write the pod's gate; whether its health must be asked for again."""
        if condition := gate_condition(pod, binding, health):
            try:
                self._cluster.patch_status("v1", "Pod", pod, {"conditions": [condition]}, STRATEGIC)
            except ApiException as error:
                if error.status != 404:
                    raise
        return health["State"] == "initial" or (health["State"] != "healthy" and has_gate(pod, binding))

    def _undo_all_but(self, living: set[Stack]) -> None:
        """Remove what was made for Ingresses that are gone."""
        for stack in [stack for stack in self._stacks.balancers if stack not in living]:
            log.info("removing what was made for %s", json.dumps(stack))
            self._elbv2.delete_load_balancer(LoadBalancerArn=self._stacks.balancers.pop(stack))
            for backend, arn in self._stacks.groups.pop(stack, {}).items():
                self._cluster.delete(*BINDING, backend.namespace, backend.group_name)
                self._elbv2.delete_target_group(TargetGroupArn=arn)
