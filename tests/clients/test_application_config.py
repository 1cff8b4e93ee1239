"""The configuration files of the application, as they are read from disk."""

from pathlib import Path

import pytest

from clients.application_config import read_application_yml, read_database_ca
from delivery.errors import SettingsError
from sandbox.certificates import write_certificates


def test_certificate_authorities_are_read_unchanged(tmp_path: Path) -> None:
    write_certificates(tmp_path)
    authority = tmp_path / "ca" / "ca.pem"
    assert read_database_ca(str(authority)) == authority.read_text()


def test_a_bundle_of_several_certificate_authorities_is_accepted(tmp_path: Path) -> None:
    write_certificates(tmp_path)
    bundle = (tmp_path / "ca" / "ca.pem").read_text() + (tmp_path / "ca" / "server.pem").read_text()
    (tmp_path / "bundle.pem").write_text(bundle)
    assert read_database_ca(str(tmp_path / "bundle.pem")) == bundle


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"\xff\xfe"])
def test_a_file_without_certificates_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bundle.pem").write_bytes(content)
    with pytest.raises(SettingsError, match=r"database_ca: .*/bundle.pem contains no certificates in PEM"):
        read_database_ca(str(tmp_path / "bundle.pem"))


def test_a_private_key_beside_the_certificates_is_refused(tmp_path: Path) -> None:
    """Every pod gets the file."""
    write_certificates(tmp_path)
    both = tmp_path / "both.pem"
    both.write_text((tmp_path / "ca" / "ca.pem").read_text() + (tmp_path / "ca" / "server.key").read_text())
    with pytest.raises(SettingsError, match="contains a private key"):
        read_database_ca(str(both))


def test_a_folder_without_application_yml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"manifests: .*/application.yml cannot be read"):
        read_application_yml(str(tmp_path))
