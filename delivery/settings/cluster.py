"""The sections `[addons]` and `[application]` of an environment's file."""

from pydantic import Field

from delivery.fields import Duration, Section


class PinnedManifest(Section):
    """A manifest that was reviewed."""

    url: str = Field(pattern=r"^https?://")
    """Where the worker downloads the manifest, which contains all objects of the add-on."""

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    """SHA-256 of the reviewed file, 64 hexadecimal digits. A file with another SHA-256 is not applied."""


class Addon(Section):
    """A Kubernetes add-on that Slipway checks."""

    name: str
    """Name of the add-on in plans and messages."""

    version: str
    """The reviewed version: the tag of the image of `deployment`."""

    namespace: str
    """Namespace of `deployment`, and of the manifest's objects that do not name one."""

    deployment: str
    """The Kubernetes Deployment whose image tag is the version of the add-on."""

    definitions: tuple[str, ...] = ()
    """Full names of the CustomResourceDefinitions that belong to the add-on, such as `rollouts.argoproj.io`. The
    add-on is missing if one of them is missing.
    """

    is_required: bool = True
    """Whether the backend needs the add-on. If `true`, a release is refused if the add-on is missing and has no
    `manifest`, and `verify` fails if none of its pods is available. If `false`, plans and checks only report this.
    """

    manifest: PinnedManifest | None = None
    """The manifest from which a release installs or updates the add-on. Without it, the plan only names an add-on that
    is missing or has another version, and a person installs it.
    """


class Addons(Section):
    """The add-ons of the Kubernetes cluster."""

    deadline: Duration
    """How long a release waits until an add-on runs after its manifest was applied. After this time the release
    fails.
    """

    wanted: tuple[Addon, ...]
    """The add-ons. If the list is empty, Slipway checks and installs none."""


class Application(Section):
    """The backend: its image, its manifests, its connections and its public endpoint."""

    repository: str
    """Name of the image repository in Amazon ECR, without account and region."""

    namespace: str
    """Kubernetes namespace of the backend. It must be the namespace in the manifests."""

    manifests: str
    """Folder that contains the manifests (`*.yaml`) and `application.yml`, relative to the checkout."""

    certificate_arn: str
    """ARN of the certificate of the load balancer. The manifests use it as `${SSL_CERTIFICATE_ARN}`."""

    database_ca: str
    """PEM file with the certificate authorities of the database, relative to the checkout. Every pod gets the file, so
    a file that contains a private key is refused.
    """

    api_url: str
    """Address of the public endpoint, without a path. The backend passes its check if `/actuator/health` below this
    address answers HTTP 200.
    """

    kubeconfig: str | None = None
    """Absolute path of a kubeconfig file for the cluster. Without it, Slipway uses the EKS cluster of
    `[outputs] cluster_name`.
    """

    @property
    def health_url(self) -> str:
        """The address that answers 200 at the public endpoint if the backend is healthy."""
        # The guide's address. It cannot be read from the manifests: their probes and the health check of the Ingress
        # go directly to the pods, and the Ingress does not say which of its paths is the health check.
        return f"{self.api_url}/actuator/health"
