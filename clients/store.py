"""The object store. It contains the locks, the journals, the plans and the large templates."""

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

# Three requests of this duration fit into a lease of one minute.
REQUEST_TIMEOUT = "5s"
RETRY_TIMEOUT = timedelta(seconds=10)
# Shorter than ten minutes: boto3 returns credentials of a role that are valid for at least this time.
CREDENTIALS_KEPT = timedelta(minutes=5)
# S3 answers a request in tens of milliseconds, and any number of requests in parallel.
READERS = 16


@dataclass(frozen=True)
class StoredObject:
    """modified: time by the clock of the store."""

    key: str
    modified: datetime


class ObjectStore:
    """Objects under one URL. Each is created once and never overwritten. Errors name the store and the object.

    region: of the bucket.
    """

    def __init__(self, url: str, region: str) -> None:
        self.url = url
        self._store = open_folder(url) if url.startswith("file://") else open_bucket(url, region)

    def create(self, key: str, data: bytes) -> bool:
        """Whether the object was created. False: it already existed, and is unchanged."""
        with self._translated(f"creating {key}"):
            try:
                obstore.put(self._store, key, data, mode="create")
            except (AlreadyExistsError, PreconditionError):
                return False
            return True

    def create_own(self, key: str, data: bytes) -> bool:
        """Like create, but also True if the object already contains this data, as after a lost response."""
        return self.create(key, data) or self.read(key) == data

    def read(self, key: str) -> bytes:
        """Raises NotFound."""
        with self._translated(f"reading {key}"):
            return bytes(obstore.get(self._store, key).bytes())

    def read_all(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Key -> data of the objects that exist, in the order of the keys. The objects are read in parallel."""
        with ThreadPoolExecutor(READERS) as readers:
            found = zip(keys, readers.map(self.find, keys), strict=True)
            return {key: data for key, data in found if data is not None}

    def find(self, key: str) -> bytes | None:
        """The data of the object; None if it does not exist."""
        try:
            return self.read(key)
        except NotFound:
            return None

    def delete(self, key: str) -> None:
        """Delete the object. It is not an error if it does not exist."""
        with self._translated(f"deleting {key}"), suppress(NotFoundError, FileNotFoundError):
            obstore.delete(self._store, key)

    def list(self, prefix: str) -> tuple[StoredObject, ...]:
        """All objects in a folder, sorted by key. prefix: the folder."""
        with self._translated(f"listing {prefix}"):
            found = obstore.list(self._store, prefix).collect()
        objects = (StoredObject(item["path"], item["last_modified"]) for item in found)
        return tuple(sorted(objects, key=lambda item: item.key))

    def folders(self, prefix: str) -> tuple[str, ...]:
        """The names of the folders directly in a folder. prefix: the folder."""
        with self._translated(f"listing {prefix}"):
            found = obstore.list_with_delimiter(self._store, prefix)["common_prefixes"]
        return tuple(path.rstrip("/").rsplit("/", 1)[-1] for path in found)

    @contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        try:
            yield
        except (NotFoundError, FileNotFoundError) as error:
            raise NotFound(f"{self.url}: {what}: the object does not exist.") from error
        except (PermissionDeniedError, UnauthenticatedError, PermissionError) as error:
            raise NotPermitted(
                f"{self.url}: {what}: the store refused the credentials. Check the variables AWS_*."
            ) from error
        except (BaseError, OSError) as error:
            raise Unavailable(f"{self.url}: {what}: {first_line(error)}") from error


@lru_cache
def open_store(url: str, region: str) -> ObjectStore:
    """One client per URL and process. region: of the bucket, which is that of the environment."""
    return ObjectStore(url, region)


def open_state(environment: Environment) -> ObjectStore:
    """The object store of the environment."""
    return open_store(environment.state.url, environment.aws.region)


def open_folder(url: str) -> LocalStore:
    folder = Path(url2pathname(urlsplit(url).path))
    try:
        return LocalStore(folder, mkdir=True)
    except (BaseError, OSError) as error:
        raise SettingsError(f"[state] url: the folder {folder} cannot be used: {first_line(error)}") from error


def open_bucket(url: str, region: str) -> S3Store:
    """Endpoint and credentials are those of all AWS clients (AWS_*). Raises NotPermitted without credentials."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    aws_credentials(region)
    config = {"region": region} | ({"endpoint": endpoint} if endpoint else {})
    return S3Store.from_url(
        url,
        config=config,  # pyright: ignore[reportArgumentType]
        client_options={"allow_http": endpoint.startswith("http://"), "timeout": REQUEST_TIMEOUT},
        retry_config={"max_retries": 3, "retry_timeout": RETRY_TIMEOUT},
        # Each call uses the present session, because a session does not read a file with credentials twice.
        credential_provider=lambda: Boto3CredentialProvider(aws_session(region), ttl=CREDENTIALS_KEPT)(),
    )


def first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
