"""The demo's settings never touch what is the user's."""

from pathlib import Path

from pydantic import SecretStr

from jiraiya_events.cli.demo.stage import _described, _on_this_machine, _with_some_key
from jiraiya_events.settings import load_settings
from jiraiya_events.settings.llm import Llm

THEIRS = {
    "JIRAIYA_ENV": "prod",
    "JIRAIYA_KAFKA__BOOTSTRAP_SERVERS": "kafka.example:9093",
    "JIRAIYA_KAFKA__SECURITY_PROTOCOL": "SASL_SSL",
    "JIRAIYA_KAFKA__SASL_MECHANISM": "PLAIN",
    "JIRAIYA_KAFKA__SASL_USERNAME": "user",
    "JIRAIYA_KAFKA__SASL_PASSWORD": "secret",
    "JIRAIYA_STORE__URL": "sqlite:////var/lib/outcomes.db",
    "JIRAIYA_TOPICS__REQUESTED": "theirs",
    "JIRAIYA_HTTP__HOST": "192.0.2.7",
}


def test_a_production_kafka_and_store_stay_untouched(tmp_path: Path) -> None:
    """Whatever the environment says, the demo has a broker, topics and files of its own."""
    given = load_settings(THEIRS, dotenv=None)
    settings = _on_this_machine(given, "127.0.0.1:5", tmp_path, Llm(api_key=SecretStr("k")))
    assert settings.env == "dev"
    assert settings.kafka.bootstrap_servers == ("127.0.0.1:5",)
    assert settings.kafka.sasl_password is None
    assert settings.topics.requested == "story.requested"
    assert settings.topics.auto_create
    assert settings.topics.replication_factor == 1
    assert str(tmp_path) in settings.store.url
    assert settings.http.host == "127.0.0.1"


def test_an_endpoint_of_ones_own_needs_no_key() -> None:
    """Some key is sent, since the client insists; one that is set is kept."""
    assert _with_some_key(Llm(base_url="http://localhost:1234/v1")).api_key is not None
    kept = _with_some_key(Llm(api_key=SecretStr("mine"))).api_key
    assert kept == SecretStr("mine")


def test_the_models_place_is_its_host_alone() -> None:
    """A path or a query may hold a secret."""
    llm = Llm(base_url="https://models.example/v1/secret-path", model="m")
    assert _described(llm) == "m at models.example"
