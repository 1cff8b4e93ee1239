"""One cluster on one event loop: the store, the API server, the controllers and the kubelet."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from starlette.applications import Starlette

from sandbox.addresses import Addresses
from sandbox.aws.client import client
from sandbox.kubernetes.api.serving.authentication import Authenticator
from sandbox.kubernetes.api.serving.server import Server
from sandbox.kubernetes.api.storage.registry import Registry
from sandbox.kubernetes.api.storage.store import Store
from sandbox.kubernetes.bootstrap import create_initial_objects
from sandbox.kubernetes.controllers import loop
from sandbox.kubernetes.controllers.addons import DEPLOYMENTS_OF_ADDONS, ROLLOUTS_DEPLOYMENT, Addons, Stoppable
from sandbox.kubernetes.controllers.definitions import Definitions
from sandbox.kubernetes.controllers.garbage import Garbage
from sandbox.kubernetes.controllers.namespaces import Namespaces
from sandbox.kubernetes.controllers.replica_sets import ReplicaSets
from sandbox.kubernetes.controllers.rollouts.controller import Rollouts
from sandbox.kubernetes.kubeconfig import CLUSTER, write_kubeconfig
from sandbox.kubernetes.kubelet.images import EcrPuller
from sandbox.kubernetes.kubelet.kubelet import Kubelet
from sandbox.kubernetes.kubelet.processes import Host
from sandbox.settings import SandboxSettings


@dataclass
class Cluster:
    registry: Registry
    application: Starlette
    controllers: list[loop.Controller]
    kubelet: Kubelet

    @classmethod
    def create(cls, state: Path, addresses: Addresses, settings: SandboxSettings) -> Self:
        registry = Registry(Store())
        create_initial_objects(registry)
        admin_token = write_kubeconfig(state, addresses.kubernetes)
        authenticator = Authenticator(admin_token, addresses.aws, CLUSTER, settings.eks_token_seconds)
        server = Server(registry, authenticator, state / "logs" / "pods")
        puller = EcrPuller(client("ecr", addresses, settings))
        kubelet = Kubelet(registry, Host(state, addresses, settings), puller)
        factor = settings.time_factor
        controllers = [
            *(Definitions(registry), Garbage(registry), Namespaces(registry)),
            *(ReplicaSets(registry, factor), Addons(registry, DEPLOYMENTS_OF_ADDONS)),
            Stoppable(registry, ROLLOUTS_DEPLOYMENT, Rollouts(registry, factor)),
        ]
        return cls(registry, server.application, controllers, kubelet)

    def start(self) -> list[asyncio.Task[None]]:
        return [
            asyncio.create_task(loop.run(self.registry.store, controller))
            for controller in (*self.controllers, self.kubelet)
        ]

    async def stop(self) -> None:
        await self.kubelet.stop()
