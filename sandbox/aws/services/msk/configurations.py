"""MSK configurations with their revisions, which moto lacks."""

import re
import threading
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sandbox.aws.cloud import Cloud
from sandbox.aws.faults.ignoring import is_ignored
from sandbox.aws.http.rest import RestError, RestOperation, RestRequest, operation, page

NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]*")


@dataclass(frozen=True)
class Revision:
    number: int
    server_properties: str
    description: str
    created: str

    def shape(self) -> dict[str, Any]:
        return {"revision": self.number, "description": self.description, "creationTime": self.created}


@dataclass
class Configuration:
    """The server_properties of the revisions stay in base64."""

    arn: str
    name: str
    kafka_versions: list[str]
    revisions: list[Revision] = field(default_factory=list)

    def shape(self) -> dict[str, Any]:
        first, latest = self.revisions[0], self.revisions[-1]
        return {
            "arn": self.arn,
            "name": self.name,
            "state": "ACTIVE",
            "kafkaVersions": self.kafka_versions,
            "description": first.description,
            "creationTime": first.created,
            "latestRevision": latest.shape(),
        }


class Configurations:
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._lock = threading.Lock()
        self._known: dict[str, Configuration] = {}

    def operations(self) -> list[RestOperation]:
        one = "/v1/configurations/{arn}"
        return [
            operation("kafka", "GET", "/v1/configurations", self._list),
            operation("kafka", "POST", "/v1/configurations", self._create),
            operation("kafka", "GET", f"{one}/revisions", self._list_revisions),
            operation("kafka", "GET", f"{one}/revisions/{{revision}}", self._describe_revision),
            operation("kafka", "GET", one, self._describe),
            operation("kafka", "PUT", one, self._update),
            operation("kafka", "DELETE", one, self._delete),
        ]

    def _find(self, request: RestRequest) -> Configuration:
        arn = request.path["arn"]
        if arn not in self._known:
            raise RestError(404, "NotFoundException", f"The configuration {arn} does not exist.")
        return self._known[arn]

    def _create(self, request: RestRequest) -> dict[str, Any]:
        name = request.body["name"]
        if not NAME.fullmatch(name):
            raise RestError(400, "BadRequestException", f"The configuration name {name} is not valid.")
        with self._lock:
            if any(known.name == name for known in self._known.values()):
                raise RestError(409, "ConflictException", "A resource with this name already exists.")
            arn = self._cloud.arn("kafka", f"configuration/{name}/{uuid.uuid4()}-1")
            created = Configuration(arn, name, request.body.get("kafkaVersions", []), [_revision(1, request)])
            if not is_ignored():
                self._known[arn] = created
        return created.shape()

    def _update(self, request: RestRequest) -> dict[str, Any]:
        with self._lock:
            known = self._find(request)
            revision = _revision(len(known.revisions) + 1, request)
            if not is_ignored():
                known.revisions.append(revision)
        return {"arn": known.arn, "latestRevision": revision.shape()}

    def _describe(self, request: RestRequest) -> dict[str, Any]:
        return self._find(request).shape()

    def _describe_revision(self, request: RestRequest) -> dict[str, Any]:
        known, number = self._find(request), int(request.path["revision"])
        if not 1 <= number <= len(known.revisions):
            raise RestError(404, "NotFoundException", f"The configuration has no revision {number}.")
        revision = known.revisions[number - 1]
        return {**revision.shape(), "arn": known.arn, "serverProperties": revision.server_properties}

    def _list(self, request: RestRequest) -> dict[str, Any]:
        items, token = page([known.shape() for known in self._known.values()], request)
        return {"configurations": items, **token}

    def _list_revisions(self, request: RestRequest) -> dict[str, Any]:
        items, token = page([revision.shape() for revision in self._find(request).revisions], request)
        return {"revisions": items, **token}

    def _delete(self, request: RestRequest) -> dict[str, Any]:
        with self._lock:
            known = self._find(request)
            if not is_ignored():
                del self._known[known.arn]
        return {"arn": known.arn, "state": "DELETING"}


def _revision(number: int, request: RestRequest) -> Revision:
    body = request.body
    return Revision(number, body["serverProperties"], body.get("description", ""), datetime.now(UTC).isoformat())
