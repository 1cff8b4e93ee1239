"""What the application is configured by: its own file, and the authorities that it is to trust."""

import ssl
from pathlib import Path

from delivery.errors import SettingsError

CHECKOUT = Path(__file__).resolve().parents[1]


def read_application_yml(directory: str) -> str:
    """The text of application.yml beside the manifests.

    directory: relative to the checkout. Raises SettingsError when it is not there.
    """
    path = CHECKOUT / directory / "application.yml"
    try:
        return path.read_text()
    except OSError as error:
        raise SettingsError(f"[application] manifests: {path} cannot be read ({error.strerror}).") from error


def read_database_ca(file: str) -> str:
    """The certificates, in PEM, of those who sign the database's.

    file: relative to the checkout. Raises SettingsError when it is not there, or is not certificates alone.
    """
    path = CHECKOUT / file
    try:
        text = path.read_text()
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (ValueError, ssl.SSLError) as error:
        raise SettingsError(f"[application] database_ca: {path} holds no certificates in PEM.") from error
    except OSError as error:
        raise SettingsError(f"[application] database_ca: {path} cannot be read ({error.strerror}).") from error
    if "PRIVATE KEY" in text:
        # Every pod and whoever may read the namespace's config maps would have it.
        raise SettingsError(f"[application] database_ca: {path} holds a private key; certificates alone belong there.")
    return text
