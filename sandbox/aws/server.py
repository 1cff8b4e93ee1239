"""The server: moto's services and the sandbox's own behind one address."""

import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass

from moto.cloudformation import urls as cloudformation_urls
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server

from sandbox.aws.acm import import_certificate
from sandbox.aws.cloud import Cloud
from sandbox.aws.cloudformation.engine import Engine
from sandbox.aws.cloudformation.wire import CloudFormationWire
from sandbox.aws.ecr import mend_ecr
from sandbox.aws.eks_access import EksAccess
from sandbox.aws.eks_additions import EksAdditions
from sandbox.aws.fault_injector import FaultInjector
from sandbox.aws.faults import Faults
from sandbox.aws.ignoring import Ignoring
from sandbox.aws.metrics import mend_cloudwatch
from sandbox.aws.msk.clusters import Clusters, mend_kafka
from sandbox.aws.msk.configurations import Configurations
from sandbox.aws.msk.topics import Topics
from sandbox.aws.requests import Environ, StartResponse, WsgiApp, caller_and_service
from sandbox.aws.rest import Rest, RestOperation
from sandbox.aws.serial import Serial
from sandbox.aws.target_health import TargetHealthBoard, TargetHealthReports, mend_target_health
from sandbox.aws.types.register import all_types
from sandbox.aws.xray_settings import XraySettings


@dataclass(frozen=True)
class Services:
    """Sends each request to who serves it. CloudFormation calls the others itself, so it must not hold their lock."""

    moto: WsgiApp
    others: WsgiApp

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        _, service = caller_and_service(environ)
        app = self.moto if service == "cloudformation" else self.others
        return app(environ, start_response)


def _additions(cloud: Cloud) -> list[RestOperation]:
    """What moto lacks of the REST services."""
    clusters = Clusters(cloud)
    topics = Topics(cloud, clusters)
    parts = (topics, clusters, Configurations(cloud), EksAdditions(cloud), EksAccess(cloud), XraySettings(cloud))
    return [operation for part in parts for operation in part.operations()]


def make_aws_server(cloud: Cloud) -> BaseWSGIServer:
    """A server listening on the AWS address of the sandbox; `serve_forever` serves, `shutdown` ends it."""
    # AWS's own policies are there on AWS; moto loads them on demand only.
    os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
    mend_cloudwatch()
    mend_kafka()
    mend_ecr()
    board = TargetHealthBoard()
    mend_target_health(board, cloud.settings.time_factor)
    import_certificate(cloud)
    faults = Faults()
    CloudFormationWire.engine = Engine(cloud, all_types(cloud), faults)
    cloudformation_urls.url_paths = {"{0}/$": CloudFormationWire.dispatch}
    moto: WsgiApp = DomainDispatcherApplication(create_backend_app)
    services = Services(moto, Rest(Serial(moto), _additions(cloud)))
    app = FaultInjector(services, Ignoring(services, cloud.account_id, cloud.region), faults)
    host, _, port = cloud.addresses.aws.rpartition("/")[2].rpartition(":")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    reports = TargetHealthReports(app, board)
    return make_server(host, int(port), reports, threaded=True, request_handler=MotoRequestHandler)
