"""The object store that outlives a release's process: journal, hold, plans and reports."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import obstore
from obstore.auth.boto3 import Boto3CredentialProvider
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    NotFoundError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)
from obstore.store import LocalStore, S3Store

from clients.aws.session import aws_credentials, aws_session
from delivery.environment import Environment
from delivery.errors import NotFound, NotPermitted, SettingsError, Unavailable

# A lease of a minute has time for three requests that take this long.
REQUEST_TIMEOUT = "5s"
RETRY_TIMEOUT = timedelta(seconds=10)
# Shorter than the ten minutes for which credentials of a role are good at least when boto3 hands them out.
CREDENTIALS_KEPT = timedelta(minutes=5)
# S3 answers a request in tens of milliseconds, and as many at once as it is asked.
READERS = 16


@dataclass(frozen=True)
class StoredObject:
    """modified: by the store's own clock."""

    key: str
    modified: datetime


class ObjectStore:
    """Objects under one URL, each created once and never overwritten. Errors name the store and the object.

    region: of the bucket.
    """

    def __init__(self, url: str, region: str) -> None:
        self.url = url
        self._store = open_files(url) if url.startswith("file://") else open_bucket(url, region)

    def create(self, key: str, data: bytes) -> bool:
        """Whether the object was created; False: there was one already, and it was left as it is."""
        with self._translated(f"creating {key}"):
            try:
                obstore.put(self._store, key, data, mode="create")
            except (AlreadyExistsError, PreconditionError):
                return False
            return True

    def create_own(self, key: str, data: bytes) -> bool:
        """As create, for data that nobody else writes: True as well where an answer was lost and asked for again."""
        return self.create(key, data) or self.read(key) == data

    def read(self, key: str) -> bytes:
        """Raises NotFound."""
        with self._translated(f"reading {key}"):
            return bytes(obstore.get(self._store, key).bytes())

    def read_all(self, keys: Sequence[str]) -> dict[str, bytes]:
        """The objects by their keys, in that order, asked for side by side; without those that are not there."""
        with ThreadPoolExecutor(READERS) as readers:
            found = zip(keys, readers.map(self.find, keys), strict=True)
            return {key: data for key, data in found if data is not None}

    def find(self, key: str) -> bytes | None:
        """The object; None where there is none."""
        try:
            return self.read(key)
        except NotFound:
            return None

    def delete(self, key: str) -> None:
        """The object is gone, whether it was there or not."""
        with self._translated(f"deleting {key}"), suppress(NotFoundError, FileNotFoundError):
            obstore.delete(self._store, key)

    def list(self, prefix: str) -> tuple[StoredObject, ...]:
        """All objects whose keys start with the folder prefix, by key."""
        with self._translated(f"listing {prefix}"):
            found = obstore.list(self._store, prefix).collect()
        objects = (StoredObject(item["path"], item["last_modified"]) for item in found)
        return tuple(sorted(objects, key=lambda item: item.key))

    def folders(self, prefix: str) -> tuple[str, ...]:
        """The names of the folders directly below the folder prefix."""
        with self._translated(f"listing {prefix}"):
            found = obstore.list_with_delimiter(self._store, prefix)["common_prefixes"]
        return tuple(path.rstrip("/").rsplit("/", 1)[-1] for path in found)

    @contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        try:
            yield
        except (NotFoundError, FileNotFoundError) as error:
            raise NotFound(f"{self.url}: {what}: there is no such object.") from error
        except (PermissionDeniedError, UnauthenticatedError, PermissionError) as error:
            raise NotPermitted(f"{self.url}: {what}: the store refused our credentials. Check AWS_*.") from error
        except (BaseError, OSError) as error:
            raise Unavailable(f"{self.url}: {what}: {first_line(error)}") from error


@lru_cache
def open_store(url: str, region: str) -> ObjectStore:
    """One client per URL and process. region: the environment's, in which the bucket is."""
    return ObjectStore(url, region)


def open_state(environment: Environment) -> ObjectStore:
    """Where the environment's journals, holds and plans are."""
    return open_store(environment.state.url, environment.aws.region)


def open_files(url: str) -> LocalStore:
    folder = Path(url2pathname(urlsplit(url).path))
    try:
        return LocalStore(folder, mkdir=True)
    except (BaseError, OSError) as error:
        raise SettingsError(f"state.url: the folder {folder} cannot be used: {first_line(error)}") from error


def open_bucket(url: str, region: str) -> S3Store:
    """Endpoint and credentials come from AWS_*, as for every client of AWS. Raises NotPermitted without credentials."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    aws_credentials(region)
    config = {"region": region} | ({"endpoint": endpoint} if endpoint else {})
    return S3Store.from_url(
        url,
        config=config,  # pyright: ignore[reportArgumentType]
        client_options={"allow_http": endpoint.startswith("http://"), "timeout": REQUEST_TIMEOUT},
        retry_config={"max_retries": 3, "retry_timeout": RETRY_TIMEOUT},
        # Each time by the session of that moment, for one with credentials of a file does not read it again.
        credential_provider=lambda: Boto3CredentialProvider(aws_session(region), ttl=CREDENTIALS_KEPT)(),
    )


def first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
