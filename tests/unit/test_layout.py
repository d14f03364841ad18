"""The files around the code name only what the code has."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from jiraiya_events import __version__
from jiraiya_events.domain.errors import SettingsError
from jiraiya_events.settings import Settings, load_settings
from jiraiya_events.settings.sources import DEFAULT_SECRETS_DIR
from jiraiya_events.settings.variables import SECRETS_DIR, variables

ROOT = Path(__file__).parents[2]
PROBES = {
    "startupProbe": "/health/startup",
    "livenessProbe": "/health/live",
    "readinessProbe": "/health/ready",
}
KUBERNETES = "1.33"

# Files in which every JIRAIYA_… name must be a setting.
NAMING_SETTINGS = [
    ".env.example",
    "Dockerfile",
    "docker-compose.yml",
    *(str(path.relative_to(ROOT)) for path in sorted((ROOT / "k8s").glob("*.yaml"))),
]
# Not settings: what Kubernetes would inject, named in a comment that says why it does not.
EXPLAINED = {"JIRAIYA_PORT"}


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _yaml(name: str) -> Any:
    return yaml.safe_load(_text(name))


def _defaults() -> Settings:
    return load_settings({}, dotenv=None)


def _tool(name: str, *arguments: str) -> None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / name), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _container() -> Any:
    return _yaml("k8s/deployment.yaml")["spec"]["template"]["spec"]["containers"][0]


@pytest.mark.parametrize("name", NAMING_SETTINGS)
def test_every_setting_named_is_a_setting(name: str) -> None:
    """A misspelt variable in a manifest would be a silent default in production."""
    named = set(re.findall(r"JIRAIYA_[A-Z0-9_]+", _text(name)))
    assert named <= {*variables(), SECRETS_DIR, *EXPLAINED}


@pytest.mark.parametrize("name", [*NAMING_SETTINGS, "docs/TROUBLESHOOTING.md"])
def test_every_topic_named_is_a_topic(name: str) -> None:
    """A topic of another name would be one nobody reads."""
    named = set(re.findall(r"\bstory\.[a-z.]*[a-z]", _text(name)))
    assert named <= set(_defaults().topics.names().values())


@pytest.mark.parametrize("name", ["k8s/hpa.yaml", "docs/TROUBLESHOOTING.md"])
def test_every_metric_named_is_exposed(name: str) -> None:
    """An operator who follows the advice finds the number it speaks of."""
    named = set(re.findall(r"\bjiraiya_[a-z_]+[a-z]", _text(name)))
    code = "".join(path.read_text("utf-8") for path in (ROOT / "jiraiya_events").rglob("*.py"))
    assert named
    assert {metric for metric in named if f'"{metric}"' not in code} == set()


def test_compose_follows_its_schema() -> None:
    """Checked against the specification's own schema."""
    _tool("check-jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml")


def test_the_workflow_follows_its_schema_and_runs_what_ci_runs() -> None:
    """One definition of what is checked, here and there; actions pinned to a commit."""
    name = ".github/workflows/ci.yml"
    _tool("check-jsonschema", "--builtin-schema", "vendor.github-workflows", name)
    steps = _yaml(name)["jobs"]["check"]["steps"]
    assert [step["run"] for step in steps if "run" in step] == [".ci/run"]
    used = [step["uses"] for step in steps if "uses" in step]
    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action) for action in used)


def test_the_workflow_tests_every_python_we_support() -> None:
    """The matrix, the classifiers and the range say the same."""
    project = tomllib.loads(_text("pyproject.toml"))["project"]
    matrix = _yaml(".github/workflows/ci.yml")["jobs"]["check"]["strategy"]["matrix"]["python"]
    prefix = "Programming Language :: Python :: "
    claimed = [line.removeprefix(prefix) for line in project["classifiers"] if prefix in line]
    assert matrix == claimed == ["3.11", "3.12", "3.13"]
    assert project["requires-python"] == ">=3.11,<3.14"


def test_the_dockerfile_has_no_findings() -> None:
    """hadolint, with nothing ignored."""
    _tool("hadolint", "Dockerfile")


@pytest.mark.parametrize(
    "name", [name for name in NAMING_SETTINGS if name.startswith("k8s/") and "kustom" not in name]
)
def test_manifests_follow_kubernetes_schema(name: str) -> None:
    """Strict: a field Kubernetes does not know is an error."""
    kubernetes_validate.validate(_yaml(name), KUBERNETES, strict=True)


def test_kustomization_lists_every_manifest_but_the_secret_template() -> None:
    """Nothing is forgotten, and no placeholder is ever applied as a secret."""
    files = {Path(name).name for name in NAMING_SETTINGS if name.startswith("k8s/")}
    listed = _yaml("k8s/kustomization.yaml")["resources"]
    assert set(listed) == files - {"kustomization.yaml", "secret.yaml"}


def test_the_three_probes_ask_the_paths_of_the_contract() -> None:
    """Each probe has its own question, on the sidecar's port."""
    container = _container()
    assert {probe: container[probe]["httpGet"]["path"] for probe in PROBES} == PROBES
    assert {container[probe]["httpGet"]["port"] for probe in PROBES} == {"http"}


def test_ports_are_those_of_the_settings() -> None:
    """Image, pod, service and network policy agree with the default, and with the config map."""
    port = _defaults().http.port
    assert f"EXPOSE {port}\n" in _text("Dockerfile")
    assert _container()["ports"] == [{"name": "http", "containerPort": port}]
    assert _yaml("k8s/service.yaml")["spec"]["ports"][0]["port"] == port
    (rule,) = _yaml("k8s/networkpolicy.yaml")["spec"]["ingress"]
    assert rule["ports"] == [{"protocol": "TCP", "port": port}]
    assert _yaml("k8s/configmap.yaml")["data"]["JIRAIYA_HTTP__PORT"] == str(port)
    assert _yaml("docker-compose.yml")["services"]["jiraiya"]["ports"] == [
        f"127.0.0.1:{port}:{port}"
    ]


def test_the_config_map_is_a_working_configuration() -> None:
    """The service would start with it."""
    data = _yaml("k8s/configmap.yaml")["data"]
    settings = load_settings(data, dotenv=None)
    assert settings.env == "prod"
    assert settings.warnings == ()


def test_the_secret_template_holds_placeholders_under_names_that_are_read() -> None:
    """Each key becomes a file the settings look for, and no real secret is in it."""
    template = _yaml("k8s/secret.yaml")["stringData"]
    assert {name.upper() for name in template} <= set(variables())
    assert all(re.fullmatch(r"<[a-z ]+>", value) for value in template.values())
    mounts = {mount["name"]: mount["mountPath"] for mount in _container()["volumeMounts"]}
    assert mounts["secrets"] == DEFAULT_SECRETS_DIR


def test_a_stop_never_cuts_a_drain() -> None:
    """Both platforms wait longer than the drain may take."""
    pod = _yaml("k8s/deployment.yaml")["spec"]["template"]["spec"]
    drain = float(_yaml("k8s/configmap.yaml")["data"]["JIRAIYA_ENGINE__DRAIN_TIMEOUT_S"])
    assert pod["terminationGracePeriodSeconds"] >= drain + 10
    grace = _yaml("docker-compose.yml")["services"]["jiraiya"]["stop_grace_period"]
    assert int(grace.removesuffix("s")) >= _defaults().engine.drain_timeout_s + 10


def test_no_replica_is_started_that_could_only_stand_by() -> None:
    """The autoscaler stops at the number of partitions."""
    limit = _yaml("k8s/hpa.yaml")["spec"]["maxReplicas"]
    assert limit == _defaults().topics.partitions


def test_the_pod_runs_with_the_least_it_needs() -> None:
    """The restricted pod security standard, and a root file system nobody writes to."""
    pod = _yaml("k8s/deployment.yaml")["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert _container()["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert f"USER {pod['securityContext']['runAsUser']}:" in _text("Dockerfile")


def test_our_compose_services_run_with_the_least_they_need() -> None:
    """Every container drops all capabilities; all but the broker have a read-only root."""
    services = _yaml("docker-compose.yml")["services"]
    for service in services.values():
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
    assert {name for name, service in services.items() if not service.get("read_only")} == {
        "redpanda"
    }


def test_compose_settings_start_the_service_without_a_key() -> None:
    """With no `.env` at all the stand-in model is used, and nothing is contradictory."""
    services = _yaml("docker-compose.yml")["services"]
    environ = {
        name: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value)
        for name, value in services["jiraiya"]["environment"].items()
    }
    settings = load_settings(environ, dotenv=None)
    assert settings.warnings == ()
    host, port = re.match(r"http://(\w+):(\d+)/v1", settings.llm.base_url or "").groups()  # type: ignore[union-attr]
    assert host in services
    assert port in services[host]["command"]
    (broker,) = settings.kafka.bootstrap_servers
    assert broker.partition(":")[0] in services
    assert f"internal://{broker}" in services["redpanda"]["command"][-1]


def test_the_stand_in_model_and_the_commands_exist() -> None:
    """What the containers run is there to be run."""
    services = _yaml("docker-compose.yml")["services"]
    assert (ROOT / "jiraiya_events/adapters/standin/__main__.py").is_file()
    assert services["model"]["entrypoint"] == ["python", "-m", "jiraiya_events.adapters.standin"]
    for command in (["health"], ["serve"], services["topics"]["command"]):
        _tool("python", "-m", "jiraiya_events", *command, "--help")
    dockerfile = _text("Dockerfile")
    assert 'CMD ["jiraiya", "health"]' in dockerfile
    assert 'CMD ["serve"]' in dockerfile


def test_images_are_pinned_and_carry_our_version() -> None:
    """No `latest` anywhere; ours are tagged with the version of the code."""
    services = _yaml("docker-compose.yml")["services"]
    images = [service["image"] for service in services.values()]
    images.append(_container()["image"])
    assert all(re.fullmatch(r"[\w./-]+:v?\d+\.\d+\.\d+", image) for image in images)
    ours = {image for image in images if image.startswith("jiraiya")}
    assert ours == {f"jiraiya-events:{__version__}"}
    assert f"ARG VERSION={__version__}\n" in _text("Dockerfile")
    assert tomllib.loads(_text("pyproject.toml"))["project"]["version"] == __version__


def test_the_example_file_is_a_working_configuration(tmp_path: Path) -> None:
    """Copied as it is, it starts."""
    copy = tmp_path / ".env"
    copy.write_text(_text(".env.example"), encoding="utf-8")
    settings = load_settings({}, dotenv=copy)
    assert settings.warnings == ()
    assert settings.llm.api_key is None


@pytest.mark.parametrize("name", ["dev", "runtime", "build"])
def test_locks_are_hashed_and_name_no_index(name: str) -> None:
    """Every package is checked by hash, and where it comes from is the machine's business."""
    lock = _text(f"requirements/{name}.lock")
    assert "://" not in lock
    assert "index" not in lock
    requirements = re.split(r"\n(?=\S)", lock.strip())
    assert all("--hash=sha256:" in requirement for requirement in requirements)


def test_the_locks_hold_every_dependency_in_the_same_version() -> None:
    """A dependency added to the project and not locked would not be installed anywhere."""
    project = tomllib.loads(_text("pyproject.toml"))
    wanted = project["project"]["dependencies"]
    tools = [
        *project["project"]["optional-dependencies"]["demo"],
        *project["dependency-groups"]["dev"],
    ]
    runtime, dev = (_pins(_text(f"requirements/{name}.lock")) for name in ("runtime", "dev"))
    assert {_project(line) for line in wanted} <= {package for package, _ in runtime}
    assert {_project(line) for line in tools} <= {package for package, _ in dev}
    assert runtime <= dev


def _pins(lock: str) -> set[tuple[str, str]]:
    return set(re.findall(r"^([a-z0-9-]+)(?:\[[^\]]*\])?==(\S+)", lock, flags=re.MULTILINE))


def _project(requirement: str) -> str:
    return re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def test_what_a_manifest_may_not_say_is_refused() -> None:
    """The checks above can fail: a wrong value in the config map would be found."""
    data = {**_yaml("k8s/configmap.yaml")["data"], "JIRAIYA_ENGINE__MAX_IN_FLIGHT": "0"}
    with pytest.raises(SettingsError):
        load_settings(data, dotenv=None)
