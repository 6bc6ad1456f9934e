"""Nothing of the user's AWS account reaches a process of the rehearsal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from amazon_estimators_rehearsal import environment
from amazon_estimators_rehearsal.deployment import Cdk
from amazon_estimators_rehearsal.platform import Platform

LEAKS = {
    "AWS_PROFILE": "production",
    "AWS_ACCESS_KEY_ID": "AKIAREAL",
    "AWS_SECRET_ACCESS_KEY": "real-secret",
    "AWS_SESSION_TOKEN": "real-token",
    "AWS_ENDPOINT_URL": "https://real.example",
    "AWS_ENDPOINT_URL_S3": "https://real.example",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/real",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/real/token",
    "AWS_CONFIG_FILE": "/real/config",
    "AWS_SHARED_CREDENTIALS_FILE": "/real/credentials",
    "AWS_REGION": "eu-central-1",
    "CDK_DEFAULT_ACCOUNT": "111122223333",
    "DOCKER_HOST": "unix:///real/docker.sock",
}


@pytest.fixture(autouse=True)
def leaking(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in LEAKS.items():
        monkeypatch.setenv(name, value)
    home = tmp_path / "real-home"
    (home / ".aws").mkdir(parents=True)
    (home / ".aws" / "credentials").write_text("[default]\naws_access_key_id = AKIAREAL\n")
    (home / ".aws" / "config").write_text("[default]\nendpoint_url = https://real.example\n")
    monkeypatch.setenv("HOME", str(home))


def test_no_process_inherits_any_of_it(tmp_path: Path) -> None:
    endpoint = "https://127.0.0.1:12345"
    for made in (
        environment.base_environment(tmp_path),
        environment.client_environment(tmp_path, endpoint),
        environment.emulator_environment(tmp_path, endpoint),
        Cdk(tmp_path, endpoint)._environment,
    ):
        assert not set(LEAKS.values()) & set(made.values())
        assert made["HOME"] == str(tmp_path / "home")
        assert Path(made["PATH"].split(os.pathsep)[0], "node").is_file()


def test_a_synth_validates_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """CDK's own check of a template is half of the time of a synth."""
    monkeypatch.setenv("CDK_VALIDATION", "false")
    assert Cdk(tmp_path, "https://127.0.0.1:12345")._environment["CDK_VALIDATION"] == "false"
    monkeypatch.delenv("CDK_VALIDATION")
    assert "CDK_VALIDATION" not in Cdk(tmp_path, "https://127.0.0.1:12345")._environment


def test_an_sdk_in_a_child_process_sees_only_ours(tmp_path: Path) -> None:
    script = (
        "import boto3, json; s = boto3.Session(); c = s.get_credentials();"
        "print(json.dumps([c.access_key, c.token, s.profile_name, s.region_name,"
        " s.client('s3').meta.endpoint_url, s.client('sagemaker').meta.endpoint_url]))"
    )
    endpoint = "https://127.0.0.1:12345"
    answer = subprocess.run(
        [sys.executable, "-c", script],
        env=environment.client_environment(tmp_path, endpoint),
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(answer.stdout) == ["test", None, "default", "us-east-1", endpoint, endpoint]


def test_the_clients_of_a_platform_see_only_ours(platform: Platform) -> None:
    fresh = platform._client("sts", "test", "test", None)
    assert fresh.meta.endpoint_url == platform.endpoint
    assert fresh.get_caller_identity()["Account"] == environment.ACCOUNT


def test_the_installer_keeps_its_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.example/simple")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    kept = environment.installer_environment()
    assert kept["PIP_INDEX_URL"] == "https://mirror.example/simple"
    assert kept["HTTPS_PROXY"] == "http://proxy.example:3128"
    assert kept["XDG_CACHE_HOME"] == str(Path(os.environ["HOME"], ".cache"))
    assert not any(name.startswith("AWS_") for name in kept)
