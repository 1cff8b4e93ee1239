import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from clients.store import READERS, ObjectStore, open_store
from delivery.errors import NotFound, NotPermitted, SettingsError, Unavailable
from sandbox.environment import variables
from sandbox.instance import Sandbox
from sandbox.testing import PATIENCE
from tests.aws import SandboxAws

# The variables of a client whose endpoint does not answer.
UNREACHABLE = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
}
LONG_AGO = "Thu, 01 Jan 1970 00:00:00 GMT"


@pytest.fixture(params=["file", "s3"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty store, in a folder and in a bucket."""
    return tmp_path.as_uri() if request.param == "file" else f"{request.getfixturevalue('bucket')}/{tmp_path.name}"


@pytest.fixture
def bucket(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> str:
    sandbox.require("aws")
    for name, value in variables(sandbox.state, sandbox.addresses, sandbox.settings).items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    SandboxAws(sandbox.addresses.aws).client("s3").create_bucket(Bucket="objects")
    return "s3://objects"


def test_an_object_is_created_once_and_never_overwritten(url: str) -> None:
    store = ObjectStore(url, "us-east-1")
    assert store.create("a/1.json", b"first")
    assert not store.create("a/1.json", b"second")
    assert store.read("a/1.json") == b"first"


def test_one_of_sixteen_writers_creates_the_object(url: str) -> None:
    store = ObjectStore(url, "us-east-1")
    with ThreadPoolExecutor(16) as pool:
        created = list(pool.map(lambda writer: store.create("race", str(writer).encode()), range(16)))
    assert sum(created) == 1
    assert store.read("race") == str(created.index(True)).encode()


def test_creating_the_own_object_again_after_a_lost_response_succeeds(url: str) -> None:
    store = ObjectStore(url, "us-east-1")
    assert store.create_own("a", b"mine")
    assert store.create_own("a", b"mine")
    assert not store.create_own("a", b"theirs")


def test_a_folder_lists_its_objects_by_key_with_the_time_of_the_store(url: str) -> None:
    store = ObjectStore(url, "us-east-1")
    for key in ("locks/p/2/0.json", "locks/p/1/0.json", "locks/pq/1/0.json"):
        store.create(key, b"{}")
    found = store.list("locks/p")
    assert [item.key for item in found] == ["locks/p/1/0.json", "locks/p/2/0.json"]
    assert all(item.modified.tzinfo is not None for item in found)
    assert sorted(store.folders("locks/p")) == ["1", "2"]
    assert store.folders("nothing") == ()


def test_missing_objects_are_left_out_of_a_read_of_several_keys(url: str) -> None:
    store = ObjectStore(url, "us-east-1")
    for key in ("a/2", "a/1"):
        store.create(key, key.encode())
    assert list(store.read_all(["a/2", "a/0", "a/1"]).items()) == [("a/2", b"a/2"), ("a/1", b"a/1")]


def test_an_object_can_be_deleted_twice(url: str) -> None:
    store = ObjectStore(url, "us-east-1")
    store.create("a/1", b"")
    store.delete("a/1")
    store.delete("a/1")
    assert store.list("a") == ()


def test_many_objects_are_read_in_parallel(monkeypatch: pytest.MonkeyPatch) -> None:
    with at_once(READERS) as endpoint:
        for name, value in (UNREACHABLE | {"AWS_ENDPOINT_URL": endpoint}).items():
            monkeypatch.setenv(name, value)
        store = ObjectStore("s3://bucket", "us-east-1")
        found = store.read_all([f"journal/{number}.json" for number in range(2 * READERS)])
    assert set(found.values()) == {b"{}"}


@contextmanager
def at_once(requests: int) -> Iterator[str]:
    """The address of a store that answers only after this number of requests has arrived."""
    together = threading.Barrier(requests, timeout=PATIENCE)
    with answering(lambda _: together.wait()) as endpoint:
        yield endpoint


@contextmanager
def listening() -> Iterator[tuple[str, list[str]]]:
    """The address of a store, and the signature of each request to it."""
    signatures: list[str] = []
    with answering(lambda headers: signatures.append(headers["Authorization"])) as endpoint:
        yield endpoint, signatures


@contextmanager
def answering(on_request: Callable[[Message], object]) -> Iterator[str]:
    """The address of a store that answers each read with `{}`, after on_request got its headers."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            on_request(self.headers)
            self.send_response(200)
            for name, value in {"Content-Length": "2", "ETag": '"1"', "Last-Modified": LONG_AGO}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None:
            """Write no access log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def test_a_bucket_is_used_in_the_region_of_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening() as (endpoint, signatures):
        for name, value in (UNREACHABLE | {"AWS_ENDPOINT_URL": endpoint, "AWS_REGION": "us-west-2"}).items():
            monkeypatch.setenv(name, value)
        ObjectStore("s3://bucket", "eu-central-1").read("a")
    assert [signature.split("/")[2:4] for signature in signatures] == [["eu-central-1", "s3"]]


def test_a_bucket_without_credentials_is_not_permitted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(NotPermitted, match="there are no AWS credentials"):
        ObjectStore("s3://bucket", "us-east-1")


def test_a_missing_object_is_named(url: str) -> None:
    with pytest.raises(NotFound, match="reading a/b: the object does not exist"):
        ObjectStore(url, "us-east-1").read("a/b")


def test_a_store_that_does_not_answer_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in UNREACHABLE.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(Unavailable, match="s3://away"):
        ObjectStore("s3://away", "us-east-1").create("a", b"")


def test_a_folder_that_cannot_be_created_is_a_settings_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match=r"\[state\] url"):
        open_store((tmp_path / "file" / "below").as_uri(), "us-east-1")
