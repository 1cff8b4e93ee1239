"""The server: the services of moto and of the sandbox at one address."""

import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass

from moto.cloudformation import urls as cloudformation_urls
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server

from sandbox.aws.cloud import Cloud
from sandbox.aws.cloudformation.engine import Engine
from sandbox.aws.cloudformation.types.register import all_types
from sandbox.aws.cloudformation.wire import CloudFormationWire
from sandbox.aws.faults.faults import Faults
from sandbox.aws.faults.ignoring import Ignoring
from sandbox.aws.faults.injector import FaultInjector
from sandbox.aws.http.requests import Environ, StartResponse, WsgiApp, caller_and_service
from sandbox.aws.http.rest import Rest, RestOperation
from sandbox.aws.http.serial import Serial
from sandbox.aws.services.acm import import_certificate
from sandbox.aws.services.cloudwatch import patch_cloudwatch
from sandbox.aws.services.ecr import patch_ecr
from sandbox.aws.services.eks_access import EksAccess
from sandbox.aws.services.eks_addons import EksAddons
from sandbox.aws.services.msk.clusters import Clusters, patch_kafka
from sandbox.aws.services.msk.configurations import Configurations
from sandbox.aws.services.msk.topics import Topics
from sandbox.aws.services.target_health import HealthReportReceiver, ReportedHealth, patch_target_health
from sandbox.aws.services.xray import XraySettings


@dataclass(frozen=True)
class Services:
    """Routes each request. CloudFormation calls the other services itself, so it must run without their lock."""

    moto: WsgiApp
    others: WsgiApp

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        _, service = caller_and_service(environ)
        app = self.moto if service == "cloudformation" else self.others
        return app(environ, start_response)


def _additions(cloud: Cloud) -> list[RestOperation]:
    """Operations of REST services that moto lacks."""
    clusters = Clusters(cloud)
    topics = Topics(cloud, clusters)
    parts = (topics, clusters, Configurations(cloud), EksAddons(cloud), EksAccess(cloud), XraySettings(cloud))
    return [operation for part in parts for operation in part.operations()]


def make_aws_server(cloud: Cloud) -> BaseWSGIServer:
    """A server at the AWS address of the sandbox. `serve_forever` serves requests, `shutdown` stops it."""
    # moto loads the AWS managed policies only on demand.
    os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
    patch_cloudwatch()
    patch_kafka()
    patch_ecr()
    reported_health = ReportedHealth()
    patch_target_health(reported_health, cloud.settings.time_factor)
    import_certificate(cloud)
    faults = Faults()
    CloudFormationWire.engine = Engine(cloud, all_types(cloud), faults)
    cloudformation_urls.url_paths = {"{0}/$": CloudFormationWire.dispatch}
    moto: WsgiApp = DomainDispatcherApplication(create_backend_app)
    services = Services(moto, Rest(Serial(moto), _additions(cloud)))
    app = FaultInjector(services, Ignoring(services, cloud.account_id, cloud.region), faults)
    host, _, port = cloud.addresses.aws.rpartition("/")[2].rpartition(":")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    reports = HealthReportReceiver(app, reported_health)
    return make_server(host, int(port), reports, threaded=True, request_handler=MotoRequestHandler)
