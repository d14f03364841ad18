"""Where settings come from, what they are by default, and what may be seen of them."""

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiraiya_events.adapters.store.open_store import sqlite_file
from jiraiya_events.domain.errors import SettingsError
from jiraiya_events.settings import Settings, effective, load_settings
from jiraiya_events.settings.kafka import Topics
from jiraiya_events.settings.llm import Fallback, Llm
from jiraiya_events.settings.variables import reveal, variables

CONTRACT_DEFAULTS = {
    "JIRAIYA_ENV": "dev",
    "JIRAIYA_BROKER__REPOSITORY_URL": "",
    "JIRAIYA_KAFKA__BOOTSTRAP_SERVERS": "localhost:9092",
    "JIRAIYA_KAFKA__GROUP_ID": "jiraiya",
    "JIRAIYA_KAFKA__GROUP_INSTANCE_ID": "",  # beyond the contract
    "JIRAIYA_KAFKA__SECURITY_PROTOCOL": "PLAINTEXT",
    "JIRAIYA_KAFKA__SASL_MECHANISM": "",
    "JIRAIYA_KAFKA__SASL_USERNAME": "",
    "JIRAIYA_KAFKA__SASL_PASSWORD": "",
    "JIRAIYA_KAFKA__SSL_CAFILE": "",
    "JIRAIYA_KAFKA__SSL_CERTFILE": "",
    "JIRAIYA_KAFKA__SSL_KEYFILE": "",
    "JIRAIYA_TOPICS__REQUESTED": "story.requested",
    "JIRAIYA_TOPICS__GENERATED": "story.generated",
    "JIRAIYA_TOPICS__FAILED": "story.failed",
    "JIRAIYA_TOPICS__DLQ": "story.requested.dlq",
    "JIRAIYA_TOPICS__MARKS": "story.requested.dlq.marks",
    "JIRAIYA_TOPICS__CANCELLED": "story.cancelled",
    "JIRAIYA_TOPICS__PROGRESS": "story.progress",
    "JIRAIYA_TOPICS__PARTITIONS": "6",
    "JIRAIYA_TOPICS__REPLICATION_FACTOR": "1",
    "JIRAIYA_TOPICS__AUTO_CREATE": "true",
    "JIRAIYA_ENGINE__MAX_IN_FLIGHT": "100",
    "JIRAIYA_ENGINE__DRAIN_TIMEOUT_S": "25",
    "JIRAIYA_ENGINE__DEFAULT_DEADLINE_S": "300",
    "JIRAIYA_ENGINE__MAX_TRIES": "3",
    "JIRAIYA_ENGINE__RETRY_BASE_S": "0.5",
    "JIRAIYA_ENGINE__RETRY_CAP_S": "30",
    "JIRAIYA_ENGINE__MAX_EVENT_BYTES": "32768",
    "JIRAIYA_ENGINE__REPLAY_CAP": "5",
    "JIRAIYA_LLM__API_KEY": "",
    "JIRAIYA_LLM__BASE_URL": "",
    "JIRAIYA_LLM__MODEL": "gpt-4o-mini",
    "JIRAIYA_LLM__FALLBACK_MODELS": "",
    "JIRAIYA_LLM__ALLOWED_MODELS": "gpt-4o-mini",
    "JIRAIYA_LLM__ANSWER_FORM": "auto",
    "JIRAIYA_LLM__TIMEOUT_S": "60",
    "JIRAIYA_LLM__MAX_OUTPUT_TOKENS": "",
    "JIRAIYA_LLM__PRICES": "",
    "JIRAIYA_BREAKER__FAILURE_RATE": "0.5",
    "JIRAIYA_BREAKER__MINIMUM_CALLS": "20",
    "JIRAIYA_BREAKER__CONSECUTIVE_FAILURES": "10",
    "JIRAIYA_BREAKER__WINDOW_S": "60",
    "JIRAIYA_BREAKER__OPEN_S": "15",
    "JIRAIYA_BREAKER__HALF_OPEN_CALLS": "3",
    "JIRAIYA_BREAKER__SLOW_CALL_S": "",
    "JIRAIYA_STORE__TTL_S": "1209600",
    "JIRAIYA_STORE__RESPONSE_CACHE_S": "0",
    "JIRAIYA_LIMITS__USER_REQUESTS": "",
    "JIRAIYA_LIMITS__USER_DAILY_USD": "",
    "JIRAIYA_LIMITS__GLOBAL_DAILY_USD": "",
    "JIRAIYA_SAFETY__MODERATION": "off",
    "JIRAIYA_HTTP__HOST": "127.0.0.1",
    "JIRAIYA_HTTP__PORT": "8080",
    "JIRAIYA_HTTP__API_KEYS": "",
    "JIRAIYA_HTTP__CORS_ORIGINS": "",
    "JIRAIYA_HTTP__IP_REQUESTS": "",
    "JIRAIYA_AUTH__EVENTS": "none",
    "JIRAIYA_AUTH__JWT_JWKS_URL": "",
    "JIRAIYA_AUTH__JWT_SECRET": "",
    "JIRAIYA_AUTH__JWT_ISSUER": "",
    "JIRAIYA_AUTH__JWT_AUDIENCE": "",
    "JIRAIYA_AUTH__JWT_ROLE_CLAIM": "role",
    "JIRAIYA_AUTH__HMAC_KEYS": "",
    "JIRAIYA_AUTH__REPLAY_KEY": "",
    "JIRAIYA_LOG__LEVEL": "INFO",
    "JIRAIYA_LOG__FORMAT": "console",
    "JIRAIYA_SENTRY__DSN": "",
}

SECRETS = {
    "JIRAIYA_LLM__API_KEY": "tiger-lily",
    "JIRAIYA_KAFKA__SASL_PASSWORD": "hook-and-smee",
    "JIRAIYA_KAFKA__SASL_USERNAME": "wendy",
    "JIRAIYA_KAFKA__SASL_MECHANISM": "scram-sha-512",
    "JIRAIYA_KAFKA__SECURITY_PROTOCOL": "sasl_plaintext",
}


def _load(environ: Mapping[str, str] | None = None, **variables: str) -> Settings:
    return load_settings({**(environ or {}), **variables}, dotenv=None)


def _shown(settings: Settings) -> dict[str, tuple[str, str]]:
    return {setting.name: (setting.value, setting.origin) for setting in effective(settings)}


def _lines(environ: dict[str, str]) -> tuple[str, ...] | None:
    try:
        _load(environ)
    except SettingsError as error:
        return error.lines
    return None


def test_names_and_defaults_are_those_of_the_contract() -> None:
    """Black-box users rely on names and defaults; neither may drift."""
    values = {name: value for name, (value, _) in _shown(_load()).items()}
    assert values.pop("JIRAIYA_DATA_DIR").endswith("jiraiya")
    assert values.pop("JIRAIYA_STORE__URL").endswith("jiraiya/outcomes.db")
    assert values == CONTRACT_DEFAULTS


def test_outside_dev_topics_are_not_created_and_logs_are_json() -> None:
    """The defaults that depend on the environment follow it."""
    settings = _load(JIRAIYA_ENV="staging")
    assert (settings.topics.auto_create, settings.topics.replication_factor) == (False, 3)
    assert settings.log.format == "json"


def test_a_value_set_wins_over_one_derived() -> None:
    """Deriving defaults never overwrites what somebody wrote."""
    settings = _load(JIRAIYA_ENV="prod", JIRAIYA_LOG__FORMAT="console")
    assert settings.log.format == "console"


def test_the_store_is_in_the_data_directory() -> None:
    """Moving the data directory moves the store with it."""
    assert _load(JIRAIYA_DATA_DIR="/srv/j").store.url == "sqlite:////srv/j/outcomes.db"


def test_the_store_is_in_the_data_directory_whatever_its_name() -> None:
    """A percent sign in it is none in an address."""
    for folder in ("/srv/50%25 full", "/srv/a%2Fb", "/srv/%", "/srv/café ?#"):
        url = _load(JIRAIYA_DATA_DIR=folder).store.url
        assert sqlite_file(url) == Path(folder) / "outcomes.db"


def test_environment_wins_over_dotenv_over_secrets_files_over_defaults(tmp_path: Path) -> None:
    """Each source is beaten by the one before it, and each is named as the origin."""
    dotenv = tmp_path / "file.env"
    dotenv.write_text(
        "JIRAIYA_ENGINE__MAX_TRIES=4\nJIRAIYA_ENGINE__REPLAY_CAP=4\n", encoding="utf-8"
    )
    for name in ("max_tries", "replay_cap", "max_in_flight"):
        (tmp_path / f"jiraiya_engine__{name}").write_text("7\n", encoding="utf-8")
    environ = {"JIRAIYA_SECRETS_DIR": str(tmp_path), "JIRAIYA_ENGINE__MAX_TRIES": "2"}
    values = _shown(load_settings(environ, dotenv=dotenv))
    assert values["JIRAIYA_ENGINE__MAX_TRIES"] == ("2", "the environment")
    assert values["JIRAIYA_ENGINE__REPLAY_CAP"] == ("4", str(dotenv))
    secret = tmp_path / "jiraiya_engine__max_in_flight"
    assert values["JIRAIYA_ENGINE__MAX_IN_FLIGHT"] == ("7", f"the file {secret}")
    assert values["JIRAIYA_ENGINE__RETRY_CAP_S"] == ("30", "default")


def test_our_own_name_wins_over_openais_from_any_source(tmp_path: Path) -> None:
    """`OPENAI_API_KEY` is a fallback, even when it stands in a stronger source."""
    (tmp_path / "jiraiya_llm__api_key").write_text("ours", encoding="utf-8")
    environ = {"JIRAIYA_SECRETS_DIR": str(tmp_path), "OPENAI_API_KEY": "theirs"}
    key = load_settings(environ, dotenv=None).llm.api_key
    assert key is not None
    assert key.get_secret_value() == "ours"


def test_openais_names_stand_in() -> None:
    """The variables the OpenAI SDK reads are enough, and shown as the origin."""
    settings = _load(OPENAI_API_KEY="theirs", OPENAI_BASE_URL="http://127.0.0.1:9/v1")
    assert settings.llm.base_url == "http://127.0.0.1:9/v1"
    assert _shown(settings)["JIRAIYA_LLM__API_KEY"] == (
        "********",
        "OPENAI_API_KEY in the environment",
    )


def test_an_empty_value_counts_as_not_set() -> None:
    """A compose file that passes on what is not there does no harm."""
    settings = _load(JIRAIYA_LLM__API_KEY="", JIRAIYA_ENGINE__MAX_TRIES="  ")
    assert settings.llm.api_key is None
    assert settings.engine.max_tries == 3


def test_a_password_in_dotenv_is_taken_literally(tmp_path: Path) -> None:
    """`${…}` in a password is not a reference to another variable."""
    dotenv = tmp_path / ".env"
    dotenv.write_text("JIRAIYA_LLM__API_KEY='a${HOME}b'\n", encoding="utf-8")
    key = load_settings({}, dotenv=dotenv).llm.api_key
    assert key is not None
    assert key.get_secret_value() == "a${HOME}b"


def test_lists_are_comma_separated_or_json() -> None:
    """Both ways of the contract give the same brokers."""
    wanted = ("a:1", "[::1]:2")
    for text in ("a:1, [::1]:2,", '["a:1", "[::1]:2"]'):
        assert _load(JIRAIYA_KAFKA__BOOTSTRAP_SERVERS=text).kafka.bootstrap_servers == wanted


def test_prices_are_exact_decimals() -> None:
    """Neither strings nor numbers pass through binary floating point."""
    prices = '{"m": {"input": 0.15, "output": "0.60"}, "n": {"input": 1, "output": 2}}'
    price = _load(JIRAIYA_LLM__PRICES=prices).llm.prices["m"]
    assert (price.input, price.cached, price.output) == (
        Decimal("0.15"),
        Decimal("0.15"),
        Decimal("0.60"),
    )


def test_the_allowed_models_are_the_configured_ones_unless_named() -> None:
    """A request may always ask for the model that would be used anyway."""
    assert _load(JIRAIYA_LLM__MODEL="m").llm.allowed_models == ("m",)
    assert _load(JIRAIYA_LLM__ALLOWED_MODELS="a,b").llm.allowed_models == ("a", "b")
    both = _load(JIRAIYA_LLM__MODEL="m", JIRAIYA_LLM__FALLBACK_MODELS='["n", {"model": "m"}]')
    assert both.llm.allowed_models == ("m", "n")


def test_fallbacks_are_names_or_endpoints_with_a_key_of_their_own() -> None:
    """Both ways of writing a list work, and a key is shown nowhere."""
    names = _load(JIRAIYA_LLM__FALLBACK_MODELS="a, b").llm.fallback_models
    assert names == (Fallback(model="a"), Fallback(model="b"))
    own = {"model": "c", "base_url": "http://other/v1", "api_key": " sesame\n"}
    settings = _load(JIRAIYA_LLM__FALLBACK_MODELS=json.dumps(["a", own]))
    key = settings.llm.fallback_models[1].api_key
    assert key is not None
    assert key.get_secret_value() == "sesame"
    visible = repr(settings) + json.dumps(_shown(settings))
    assert "sesame" not in visible
    assert '"base_url": "http://other/v1"' in _shown(settings)["JIRAIYA_LLM__FALLBACK_MODELS"][0]


def test_an_address_that_got_in_with_a_secret_is_shown_without_it() -> None:
    """Validation refuses it; the listing does not rely on that."""
    odd = Fallback.model_construct(model="m", base_url="https://u:sesame@h/v1?k=sesame#sesame")
    assert reveal((odd,)) == [{"model": "m", "base_url": "https://***@h/v1"}]


def test_secrets_are_in_no_repr_and_no_listing() -> None:
    """Whoever prints settings, or lists them, learns no secret."""
    settings = _load(SECRETS)
    visible = repr(settings) + str(settings) + json.dumps(_shown(settings))
    assert "tiger-lily" not in visible
    assert "hook-and-smee" not in visible
    assert "wendy" in visible


def test_credentials_in_an_address_are_not_shown() -> None:
    """A private repository's address may carry a password."""
    settings = _load(JIRAIYA_BROKER__REPOSITORY_URL="https://me:sesame@host/maven?token=sesame")
    assert "sesame" not in repr(settings) + json.dumps(_shown(settings))
    assert _shown(settings)["JIRAIYA_BROKER__REPOSITORY_URL"][0] == "https://***@host/maven"


def test_settings_do_not_change_once_read() -> None:
    """What was checked as a whole stays what was checked."""
    settings = _load()
    with pytest.raises(ValueError, match="frozen"):
        settings.engine.max_tries = 9


def test_a_misspelt_name_is_a_warning_with_the_likely_name() -> None:
    """A typing error is not silent, and not fatal either."""
    settings = _load(
        JIRAIYA_ENGIN__TRIES="5",
        JIRAIYA_EVN="prod",
        jiraiya_env="prod",
        JIRAIYA_FUTURE__THING="1",
    )
    engine, *others = settings.warnings
    assert engine.startswith("JIRAIYA_ENGIN__TRIES is not a setting")
    assert engine.endswith("did you mean JIRAIYA_ENGINE__MAX_TRIES?")
    assert others == [
        "JIRAIYA_EVN is not a setting and is ignored; did you mean JIRAIYA_ENV?",
        "JIRAIYA_FUTURE__THING is not a setting and is ignored; see `jiraiya config show`",
        "jiraiya_env is not a setting and is ignored; did you mean JIRAIYA_ENV?",
    ]


def test_what_kubernetes_puts_beside_a_service_called_jiraiya_is_no_warning() -> None:
    """Service links look like ours and mean nothing."""
    links = {
        "JIRAIYA_SERVICE_HOST": "10.0.0.1",
        "JIRAIYA_SERVICE_PORT_HTTP": "8080",
        "JIRAIYA_PORT": "tcp://10.0.0.1:8080",
        "JIRAIYA_PORT_8080_TCP_ADDR": "10.0.0.1",
    }
    assert _load(links).warnings == ()


@given(
    st.dictionaries(
        st.sampled_from(sorted(variables())),
        st.text(st.characters(exclude_characters="\x00"), max_size=40),
        max_size=6,
    )
)
def test_any_text_gives_settings_or_readable_lines(environ: dict[str, str]) -> None:
    """No text in any variable, lone surrogates included, ends in another error or odd line."""
    lines = _lines(environ)
    assert lines is None or lines
    for line in lines or ():
        assert line.startswith("JIRAIYA_")
        assert line.isprintable()
        line.encode()


def test_prices_are_listed_as_they_were_given() -> None:
    """A map is shown as JSON, and what was left out stays out."""
    prices = '{"m": {"input": "0.15", "output": "0.60"}}'
    assert json.loads(_shown(_load(JIRAIYA_LLM__PRICES=prices))["JIRAIYA_LLM__PRICES"][0]) == (
        json.loads(prices)
    )


def test_lists_are_listed_with_commas() -> None:
    """What is shown can be set again."""
    settings = _load(JIRAIYA_KAFKA__BOOTSTRAP_SERVERS='["a:1", "b:2"]')
    assert _shown(settings)["JIRAIYA_KAFKA__BOOTSTRAP_SERVERS"][0] == "a:1,b:2"


def test_settings_can_be_made_from_their_parts() -> None:
    """A test or a program of somebody else's needs no environment."""
    settings = Settings(topics=Topics(partitions=1), llm=Llm(model="m"))
    assert settings.topics.partitions == 1
    assert settings.llm.allowed_models == ("m",)
    assert Settings.model_validate(settings) is settings


def test_limits_are_read_exactly() -> None:
    """A budget is decimal, and each limit is off until it is set."""
    names = {"user_requests": "30/minute", "user_daily_usd": "0.10", "global_daily_usd": "25"}
    given = {f"JIRAIYA_LIMITS__{name.upper()}": value for name, value in names.items()}
    limits = load_settings(given, dotenv=None).limits
    assert limits.user_requests == "30/minute"
    assert (limits.user_daily_usd, limits.global_daily_usd) == (Decimal("0.10"), Decimal(25))
