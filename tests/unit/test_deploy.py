"""The files that run the service elsewhere say what this version understands."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from openinspector.cli.arguments import parser

DEPLOY = Path(__file__).parents[2] / "deploy"
MANIFESTS = list(yaml.safe_load_all((DEPLOY / "kubernetes" / "openinspector.yaml").read_text()))
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
CONTAINERFILE = (DEPLOY / "Containerfile").read_text()


@pytest.fixture
def load_settings_of(monkeypatch, tmp_path):
    from openinspector.pipeline.settings import load_settings

    def of(text):
        path = tmp_path / "settings.toml"
        path.write_text(text)
        monkeypatch.setenv("OPENINSPECTOR_SETTINGS", str(path))
        return load_settings(frozenset())

    return of


def pods():
    return {
        each["metadata"]["name"]: each["spec"]["template"]["spec"] for each in MANIFESTS if each["kind"] == "Deployment"
    }


def commands():
    """Every command that is run, with where it stands."""
    entry = yaml.safe_load(re.search(r"^CMD (.*)$", CONTAINERFILE, re.MULTILINE)[1])
    yield pytest.param(entry, id="Containerfile")
    for name, service in COMPOSE["services"].items():
        if service["image"] == "openinspector" and "command" in service:
            yield pytest.param(service["command"], id=f"compose {name}")
    for name, pod in pods().items():
        yield pytest.param(pod["containers"][0]["args"], id=f"kubernetes {name}")


@pytest.mark.parametrize("command", list(commands()))
def test_every_command_is_understood(command):
    chosen = parser(command[0]).parse_args(command)
    assert chosen.command
    if command[0] == "serve":
        assert chosen.status_port == 9100
        assert chosen.status_host == "0.0.0.0"


def test_where_one_feed_fails_the_service_starts_with_the_others(tmp_path):
    advisories = COMPOSE["services"]["advisories"]
    scripts = [advisories["entrypoint"][2].replace("$$", "$")]
    scripts += [each["command"][2] for pod in pods().values() for each in pod["initContainers"]]
    command = tmp_path / "openinspector"
    command.write_text('#!/bin/sh\ntest "$*" = "db update" || exit 9\n$WRITES\nexit 3\n')
    command.chmod(0o700)
    for number, script in enumerate(scripts):
        data = tmp_path / str(number)
        data.mkdir()
        given = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "OPENINSPECTOR_DATA": str(data)}
        ran = [
            subprocess.run(["sh", "-c", script], env={**given, "WRITES": writes}, check=False).returncode
            for writes in (":", f"touch {data}/advisories.sqlite", ":")
        ]
        assert ran == [1, 0, 0], script


def test_a_pod_has_the_memory_that_the_documents_of_its_settings_may_take(load_settings_of):
    (config,) = [each for each in MANIFESTS if each["kind"] == "ConfigMap"]
    confined = load_settings_of(config["data"]["settings.toml"]).confined
    (api,) = pods()["openinspector-api"]["containers"]
    limit = api["resources"]["limits"]["memory"]
    assert limit.endswith("Gi")
    assert confined.children > 0
    assert int(limit[:-2]) << 30 > (confined.children + 1) * confined.memory


def test_every_variable_is_documented():
    settings = (DEPLOY.parent / "docs" / "settings.md").read_text()
    named = set()
    for path in (DEPLOY / "Containerfile", DEPLOY / "compose.yaml", DEPLOY / "kubernetes" / "openinspector.yaml"):
        named |= set(re.findall(r"OPENINSPECTOR_[A-Z_]+", path.read_text()))
    assert len(named) >= 5
    assert {each for each in named if f"`{each}`" not in settings} == set()


def test_settings_are_understood(load_settings_of):
    (config,) = [each for each in MANIFESTS if each["kind"] == "ConfigMap"]
    for text in (config["data"]["settings.toml"], (DEPLOY / "settings.toml").read_text()):
        assert load_settings_of(text) is not None


def test_pods_run_without_rights_and_drain_longer_than_the_service():
    assert set(pods()) == {"openinspector-api", "openinspector-worker"}
    for pod in pods().values():
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["terminationGracePeriodSeconds"] >= 75
        for each in (*pod["initContainers"], *pod["containers"]):
            assert each["securityContext"]["readOnlyRootFilesystem"] is True
            assert each["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            mounted = {mount["name"] for mount in each["volumeMounts"]}
            assert mounted == {volume["name"] for volume in pod["volumes"]}


def test_probes_ask_the_port_that_answers_them():
    for pod in pods().values():
        (container,) = pod["containers"]
        ports = {each["name"]: each["containerPort"] for each in container["ports"]}
        assert ports["status"] == 9100
        probes = {name: container[name]["httpGet"] for name in ("livenessProbe", "readinessProbe", "startupProbe")}
        assert {name: each["path"] for name, each in probes.items()} == {
            "livenessProbe": "/healthz",
            "readinessProbe": "/readyz",
            "startupProbe": "/healthz",
        }
        assert {each["port"] for each in probes.values()} == {"status"}


def test_the_image_installs_what_is_locked_and_runs_as_nobody_in_particular():
    assert "--require-hashes -r requirements.lock" in CONTAINERFILE
    assert re.search(r"^USER 10001$", CONTAINERFILE, re.MULTILINE)
    lock = (DEPLOY / "requirements.lock").read_text()
    whole = (DEPLOY.parent / "requirements.lock").read_text()
    pins = set(re.findall(r"^([a-z0-9-]+)==(\S+)", lock, re.MULTILINE))
    assert {name for name, _ in pins} >= {"psycopg", "procrastinate", "opentelemetry-sdk", "hatchling"}
    assert {name for name, _ in pins} & {"moto", "pytest", "awscli"} == set()
    assert pins <= set(re.findall(r"^([a-z0-9-]+)==(\S+)", whole, re.MULTILINE))
