"""The Kubernetes manifests: their form, and that what they say is what the command understands."""

from __future__ import annotations

from typing import Any

import kubernetes_validate
import pytest
import yaml

from interplay.settings import load
from tests.deploy.papers import DEPLOY, is_setting, understood

FOLDER = DEPLOY / "kubernetes"
FILES = sorted(path for path in FOLDER.glob("*.yaml") if path.name != "kustomization.yaml")
RESOURCES = [
    pytest.param(resource, id=f"{path.stem}-{resource['kind']}")
    for path in FILES
    for resource in yaml.safe_load_all(path.read_text("utf-8"))
]
PODS = [
    pytest.param(one.values[0], id=str(one.id))  # pyright: ignore
    for one in RESOURCES
    if one.values[0]["kind"] in ("Deployment", "Job")  # pyright: ignore
]


def only(kind: str) -> list[Any]:
    return [one.values[0] for one in RESOURCES if one.values[0]["kind"] == kind]  # pyright: ignore


@pytest.mark.parametrize("version", ["1.29", "1.33", "1.37"])
@pytest.mark.parametrize("resource", RESOURCES)
def test_a_resource_fits_the_schema_of_its_kind(resource: Any, version: str):
    kubernetes_validate.validate(resource, version, strict=True)


def test_a_fault_would_be_found():
    wrong = yaml.safe_load((FOLDER / "worker.yaml").read_text("utf-8").partition("---")[0])
    wrong["spec"]["template"]["spec"]["containers"][0]["readinesProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, "1.33", strict=True)


@pytest.mark.parametrize("resource", RESOURCES)
def test_no_namespace_is_named(resource: Any):
    assert "namespace" not in resource["metadata"]


def test_what_is_referred_to_is_there():
    kustomization = yaml.safe_load((FOLDER / "kustomization.yaml").read_text("utf-8"))
    maps = {one["name"]: one["files"] for one in kustomization["configMapGenerator"]}
    secrets = {one["metadata"]["name"] for one in only("Secret")}
    assert all((FOLDER / name).is_file() for name in kustomization["resources"])
    assert all((FOLDER / name).is_file() for names in maps.values() for name in names)
    labels = [one["spec"]["template"]["metadata"]["labels"] for one in only("Deployment")]
    for one in only("Deployment"):
        assert one["spec"]["selector"]["matchLabels"] in labels
    for one in only("Service") + only("PodDisruptionBudget"):
        selector = one["spec"]["selector"]
        assert selector.get("matchLabels", selector) in labels
    for pod in PODS:
        spec = pod.values[0]["spec"]["template"]["spec"]  # pyright: ignore
        container = spec["containers"][0]
        assert {one["secretRef"]["name"] for one in container["envFrom"]} <= secrets
        volumes = {one["name"]: one for one in spec["volumes"]}
        assert {one["name"] for one in container["volumeMounts"]} == set(volumes)
        assert {one["configMap"]["name"] for one in volumes.values() if "configMap" in one} <= {
            *maps
        }
    names = {one["metadata"]["name"] for one in only("Deployment")}
    assert only("HorizontalPodAutoscaler")[0]["spec"]["scaleTargetRef"]["name"] in names


@pytest.mark.parametrize("pod", PODS)
def test_every_command_and_variable_is_understood(pod: Any):
    container = pod["spec"]["template"]["spec"]["containers"][0]
    expected = {"api": "serve", "worker": "worker", "migrate": "admin migrate"}[container["name"]]
    assert understood(container["args"]) == f"interplay {expected}"
    for variable in container.get("env", ()):
        assert is_setting(variable["name"])
    for variable in only("Secret")[0]["stringData"]:
        known = is_setting(variable) if variable.startswith("INTERPLAY_") else True
        assert known, variable


@pytest.mark.parametrize("pod", PODS)
def test_it_runs_without_rights(pod: Any):
    spec = pod["spec"]["template"]["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["containers"][0]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_a_pod_has_the_time_it_takes_to_drain_and_is_asked_where_it_answers():
    limits = load(config=str(FOLDER / "interplay.toml"), environ={}).settings.limits
    for one in only("Deployment"):
        spec = one["spec"]["template"]["spec"]
        container = spec["containers"][0]
        hook = container.get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command")
        before = float(hook[-1]) if hook else 0.0
        assert spec["terminationGracePeriodSeconds"] >= before + limits.drain_seconds + 2 + 5
        assert container["readinessProbe"]["httpGet"]["path"] == "/ready"
        assert container["livenessProbe"]["httpGet"]["path"] == "/health"
        assert container["ports"] == [{"name": "http", "containerPort": 8080}]
