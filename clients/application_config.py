"""The configuration files of the application: application.yml and the certificate authorities of the database."""

import ssl
from pathlib import Path

from delivery.errors import SettingsError

CHECKOUT = Path(__file__).resolve().parents[1]


def read_application_yml(directory: str) -> str:
    """The text of application.yml in the folder of the manifests.

    directory: relative to the checkout. Raises SettingsError if the file cannot be read.
    """
    path = CHECKOUT / directory / "application.yml"
    try:
        return path.read_text()
    except OSError as error:
        raise SettingsError(f"[application] manifests: {path} cannot be read ({error.strerror}).") from error


def read_database_ca(file: str) -> str:
    """The certificate authorities of the database, in PEM.

    file: relative to the checkout. Raises SettingsError if it cannot be read, or contains anything but certificates.
    """
    path = CHECKOUT / file
    try:
        text = path.read_text()
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (ValueError, ssl.SSLError) as error:
        raise SettingsError(f"[application] database_ca: {path} contains no certificates in PEM.") from error
    except OSError as error:
        raise SettingsError(f"[application] database_ca: {path} cannot be read ({error.strerror}).") from error
    if "PRIVATE KEY" in text:
        # Every pod gets the file, and everyone who may read the ConfigMaps of the namespace.
        raise SettingsError(
            f"[application] database_ca: {path} contains a private key. Remove it: only certificates are allowed."
        )
    return text
