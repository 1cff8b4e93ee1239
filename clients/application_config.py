"""The application's own configuration file."""

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
