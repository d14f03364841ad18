"""Wrong settings: one readable line each, and never a secret in it."""

from pathlib import Path

import pytest

from jiraiya_events.domain.errors import SettingsError
from jiraiya_events.settings import load_settings
from jiraiya_events.settings.variables import variables

LATER = {
    "JIRAIYA_HTTP__API_KEYS": "ops:viewer:abc",
    "JIRAIYA_HTTP__CORS_ORIGINS": "https://example.org",
    "JIRAIYA_HTTP__IP_REQUESTS": "120/minute",
    "JIRAIYA_AUTH__EVENTS": "hmac",
    "JIRAIYA_AUTH__JWT_JWKS_URL": "https://example.org/keys",
    "JIRAIYA_AUTH__JWT_SECRET": "sesame",
    "JIRAIYA_AUTH__JWT_ISSUER": "example",
    "JIRAIYA_AUTH__JWT_AUDIENCE": "example",
    "JIRAIYA_AUTH__JWT_ROLE_CLAIM": "groups",
    "JIRAIYA_AUTH__HMAC_KEYS": '{"one": "sesame"}',
    "JIRAIYA_AUTH__REPLAY_KEY": "sesame",
    "JIRAIYA_SENTRY__DSN": "https://sesame@example.org/1",
}


def _refused(environ: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        load_settings(environ, dotenv=None)
    assert str(caught.value) == "\n".join(caught.value.lines)
    return caught.value.lines


@pytest.mark.parametrize(
    ("name", "value", "accepted"),
    [
        ("JIRAIYA_ENV", "live", "must be 'dev', 'staging' or 'prod'"),
        ("JIRAIYA_ENGINE__MAX_IN_FLIGHT", "0", "must be greater than or equal to 1"),
        ("JIRAIYA_ENGINE__MAX_IN_FLIGHT", "many", "must be a valid integer"),
        ("JIRAIYA_ENGINE__DEFAULT_DEADLINE_S", "601", "must be less than or equal to 600"),
        ("JIRAIYA_ENGINE__DRAIN_TIMEOUT_S", "nan", "must be a finite number"),
        ("JIRAIYA_TOPICS__AUTO_CREATE", "maybe", "must be a valid boolean"),
        (
            "JIRAIYA_TOPICS__DLQ",
            "a b",
            "must be a Kafka topic name: 1 to 249 of A-Z a-z 0-9 . _ -, and not . or ..",
        ),
        ("JIRAIYA_KAFKA__BOOTSTRAP_SERVERS", "host", "must be host:port, for each broker"),
        ("JIRAIYA_KAFKA__BOOTSTRAP_SERVERS", "host:65536", "must be host:port"),
        ("JIRAIYA_KAFKA__BOOTSTRAP_SERVERS", "host:\u0661", "must be host:port"),
        ("JIRAIYA_KAFKA__BOOTSTRAP_SERVERS", "kafka://host:1", "must be host:port"),
        ("JIRAIYA_LLM__BASE_URL", "https://a b/v1", "must be a URL like"),
        ("JIRAIYA_LLM__TIMEOUT_S", "1e300", "must be less than or equal to"),
        ("JIRAIYA_LIMITS__USER_REQUESTS", "30", "must be a rate like 30/minute"),
        ("JIRAIYA_LIMITS__USER_REQUESTS", "0/minute", "must be a rate like 30/minute"),
        ("JIRAIYA_LIMITS__USER_DAILY_USD", "-1", "must be greater than or equal to 0"),
        ("JIRAIYA_LIMITS__GLOBAL_DAILY_USD", "1e7", "must be less than or equal to 1000000"),
        ("JIRAIYA_KAFKA__BOOTSTRAP_SERVERS", ",", "must have at least 1 item"),
        (
            "JIRAIYA_KAFKA__SASL_MECHANISM",
            "GSSAPI",
            "must be 'PLAIN', 'SCRAM-SHA-256' or 'SCRAM-SHA-512'",
        ),
        ("JIRAIYA_LLM__BASE_URL", "localhost", "must be a URL like https://host/… or http://"),
        ("JIRAIYA_LLM__BASE_URL", "http://h:port/v1", "must be a URL like https://host/…"),
        ("JIRAIYA_LLM__MODEL", '"m"', "must be a name without quotes, braces"),
        ("JIRAIYA_LLM__ALLOWED_MODELS", '["abcdefghijklmnopqr\\nb"]', "braces, line breaks, or"),
        ("JIRAIYA_LLM__ALLOWED_MODELS", '["a", " b"]', "or white space at its ends"),
        ("JIRAIYA_LLM__ALLOWED_MODELS", "a,{b}", "must be a name without quotes, braces"),
        ("JIRAIYA_LLM__ALLOWED_MODELS", '{"a": 1}', "must be a list: put [ ] around it"),
        ("JIRAIYA_KAFKA__BOOTSTRAP_SERVERS", "{h:1}", "must be a list: put [ ] around it"),
        ("JIRAIYA_LLM__PRICES", "{", "is not JSON"),
        (
            "JIRAIYA_LLM__PRICES",
            '{"m": {"input": "1000001", "output": "1"}}',
            "must be less than or equal to 1000000 in 'm.input'",
        ),
        ("JIRAIYA_LLM__PRICES", '{"m": {"input": "0", "output": "1e9"}}', "1000000 in 'm.output'"),
        (
            "JIRAIYA_LLM__PRICES",
            '{"m": {"input": "0", "cached_input": "1e7", "output": "1"}}',
            "1000000 in 'm.cached_input'",
        ),
        ("JIRAIYA_LLM__PRICES", "[1]", "must be a JSON object"),
        pytest.param("JIRAIYA_LLM__PRICES", "[" * 200_000, "is nested too deeply", id="deep"),
        ("JIRAIYA_STORE__URL", "postgres://x", "must be sqlite:///path"),
        ("JIRAIYA_STORE__URL", "redis://", "must be like redis://user:password@host:6379/0"),
        ("JIRAIYA_STORE__URL", "redis://host/one", "a number at its end"),
        ("JIRAIYA_STORE__RESPONSE_CACHE_S", "-1", "must be greater than or equal to 0"),
        ("JIRAIYA_HTTP__PORT", "65536", "must be less than or equal to 65535"),
        ("JIRAIYA_DATA_DIR", "~nobody-of-that-name/x", "must be a path; its `~` names nobody"),
        ("JIRAIYA_LOG__LEVEL", "loud", "must be 'DEBUG', 'INFO', 'WARNING', 'ERROR' or"),
    ],
)
def test_a_wrong_value_is_one_line(name: str, value: str, accepted: str) -> None:
    """The line names the variable, the value, where it stands and what is accepted."""
    (line,) = _refused({name: value})
    assert line.startswith(f"{name}='{value[:20]}")
    assert "(from the environment)" in line
    assert accepted.lower() in line.lower()


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("redis://:se#same@host/0", "%23"),
        ("redis://:se/same@host/0", "%2F"),
        ("redis://me:se same@host/0", "must be like redis://"),
        ("rediss://host/0?password=sesame", "may have ssl_ca_certs"),
        ("redis://host/0?ssl_ca_certs=/ca.pem", "has options it cannot have"),
    ],
)
def test_a_wrong_address_of_redis_is_one_line_without_its_password(
    address: str, reason: str
) -> None:
    """A password that is not escaped is the usual mistake, and must not show for it."""
    (line,) = _refused({"JIRAIYA_STORE__URL": address})
    assert line.startswith("JIRAIYA_STORE__URL='redis")
    assert reason in line
    assert "same" not in line


def test_every_wrong_value_is_named_at_once() -> None:
    """Nobody has to start the service once for each mistake."""
    lines = _refused({"JIRAIYA_ENV": "x", "JIRAIYA_HTTP__PORT": "y", "JIRAIYA_LOG__FORMAT": "z"})
    assert [line.partition("=")[0] for line in lines] == [
        "JIRAIYA_ENV",
        "JIRAIYA_HTTP__PORT",
        "JIRAIYA_LOG__FORMAT",
    ]


def test_contradictions_among_the_right_values_are_named_with_the_wrong_ones() -> None:
    """And none that is about a wrong value's default."""
    lines = _refused(
        {
            "JIRAIYA_HTTP__PORT": "y",
            "JIRAIYA_TOPICS__FAILED": "story.generated",
            "JIRAIYA_KAFKA__SECURITY_PROTOCOL": "SASL",
            "JIRAIYA_KAFKA__SASL_PASSWORD": "sesame",
        }
    )
    assert [line.partition("=")[0] for line in lines] == [
        "JIRAIYA_KAFKA__SECURITY_PROTOCOL",
        "JIRAIYA_HTTP__PORT",
        "JIRAIYA_TOPICS__FAILED",
    ]


def test_what_a_price_lacks_is_a_sentence() -> None:
    """The part, and the model it belongs to."""
    (line,) = _refused({"JIRAIYA_LLM__PRICES": '{"a": {"input": "1"}}'})
    assert line.endswith("lacks 'output' in 'a'")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JIRAIYA_KAFKA__BOOTSTRAP_SERVERS", "u:sesame@h:9092"),
        ("JIRAIYA_KAFKA__BOOTSTRAP_SERVERS", "a:1,u:ses,ame@h:9092"),
        ("JIRAIYA_LLM__PRICES", "u:sesame@h"),
        ("JIRAIYA_ENV", "https://u:sesame@h"),
    ],
)
def test_credentials_show_in_no_value_whatever_it_is_of(name: str, value: str) -> None:
    """Somebody pastes an address into the wrong place, or with a password into the right one."""
    (line, *more) = _refused({name: value})
    assert "***@h" in line
    assert "ame" not in "".join([line, *more]).replace("name", "")


def test_a_wrong_price_is_named_by_its_model() -> None:
    """In a map, the line says which entry."""
    (line,) = _refused({"JIRAIYA_LLM__PRICES": '{"gpt-x": {"input": "-1", "output": "1"}}'})
    assert line.endswith("must be greater than or equal to 0 in 'gpt-x.input'")


@pytest.mark.parametrize(
    ("fallback", "reason"),
    [
        ('{"model": "m", "base_url": "https://other/v1"}', "must have an api_key for 'm'"),
        ('{"model": "m", "base_url": "https://me:sesame@other/v1", "api_key": "sesame"}',
         "must not contain credentials; put them into api_key (base_url)"),
        ('{"model": "m", "base_url": "sesame", "api_key": "sesame"}',
         "must be a URL like https://host/… or http://host/… (base_url)"),
        ('{"model": "m", "api_key": " "}', "must not be empty (api_key)"),
        ('{"model": "", "api_key": "sesame"}', "must have at least 1 character in 'model'"),
        ('{"model": "m", "key": "sesame"}', "is unknown in 'key'"),
        ('{"model": "m", "base_url": "https://other/v1?k=sesame", "api_key": "sesame"}',
         "must end before any ? or #: paths are added to it (base_url)"),
        ('{"model": "m", "api_key": "ses\u00e4me"}', "must be printable ASCII (api_key)"),
        ('{"model": "m", "api_key": "sesame\\nX: y"}', "must be printable ASCII (api_key)"),
        ('{"model": " m", "api_key": "sesame"}', "must be a name without quotes, braces"),
        ("5", "must be a JSON object"),
    ],
)  # fmt: skip
def test_a_wrong_fallback_is_one_line_without_its_key(fallback: str, reason: str) -> None:
    """The line names the part; nothing of the value shows, as a key may stand in it."""
    (line,) = _refused({"JIRAIYA_LLM__FALLBACK_MODELS": f"[{fallback}]"})
    assert line.startswith("JIRAIYA_LLM__FALLBACK_MODELS (from the environment; its value is")
    assert reason in line
    assert "sesame" not in line


@pytest.mark.parametrize("rest", ["?", "?key=sesame", "#", "#sesame", "?a=sesame#sesame"])
def test_an_address_paths_are_added_to_has_nothing_after_its_own(rest: str) -> None:
    """No call would arrive; and what stands there may be a key."""
    (line,) = _refused({"JIRAIYA_LLM__BASE_URL": f"https://host/v1{rest}"})
    reason = "must end before any ? or #: paths are added to it"
    shown = "JIRAIYA_LLM__BASE_URL='https://host/v1' (from the environment)"
    assert line == f"{shown} {reason}"


OBJECT = '{"model": "m", "base_url": "https://host/v1", "api_key": "sesame"}'


@pytest.mark.parametrize(
    "name",
    [
        "JIRAIYA_LLM__FALLBACK_MODELS",
        "JIRAIYA_LLM__ALLOWED_MODELS",
        "JIRAIYA_LLM__MODEL",
        "JIRAIYA_LLM__BASE_URL",
        "JIRAIYA_KAFKA__BOOTSTRAP_SERVERS",
        "JIRAIYA_HTTP__CORS_ORIGINS",
    ],
)
def test_a_fallback_in_the_wrong_place_or_form_shows_no_key(name: str) -> None:
    """Cut at its commas, its key would be the name of a model, and stand in logs and metrics."""
    for given in (OBJECT, f"a,{OBJECT}", f"[{OBJECT}"):
        (line, *more) = _refused({name: given})
        assert line.startswith(f"{name} (from the environment; its value is secret)")
        assert "sesame" not in "".join([line, *more])


@pytest.mark.parametrize("name", ["JIRAIYA_LLM__API_KEY", "OPENAI_API_KEY"])
@pytest.mark.parametrize("key", ["ses\u00e4me", "sesame\nmore", "sesame\x7f"])
def test_a_key_no_header_can_carry_is_refused_at_once(name: str, key: str) -> None:
    """Else every call would fail, and nobody would read why."""
    (line,) = _refused({name: key})
    assert line.startswith("JIRAIYA_LLM__API_KEY (from")
    assert line.endswith("must be printable ASCII")
    assert "me" not in line.replace("environment", "")


@pytest.mark.parametrize("name", sorted(LATER))
def test_a_setting_of_a_later_version_is_refused(name: str) -> None:
    """A limit or check that is not there is never silently ignored."""
    (line,) = _refused({name: LATER[name]})
    assert line.startswith(name)
    assert "is not available in this version" in line
    assert "sesame" not in line


def test_every_setting_marked_later_is_tried_here() -> None:
    """The list above is complete."""
    later = {name for name, variable in variables().items() if variable.later}
    assert later == set(LATER)


def test_a_later_setting_at_its_default_is_fine() -> None:
    """Writing down what is so anyway is not an error."""
    load_settings(
        {
            "JIRAIYA_SAFETY__MODERATION": "off",
            "JIRAIYA_AUTH__EVENTS": "none",
            "JIRAIYA_AUTH__HMAC_KEYS": "{}",
        },
        dotenv=None,
    )


@pytest.mark.parametrize(
    ("environ", "part"),
    [
        ({"JIRAIYA_KAFKA__SASL_PASSWORD": "sesame"}, "does not use it"),
        ({"JIRAIYA_KAFKA__SSL_KEYFILE": __file__}, "without JIRAIYA_KAFKA__SSL_CERTFILE"),
        (
            {"JIRAIYA_KAFKA__SECURITY_PROTOCOL": "SSL", "JIRAIYA_KAFKA__SSL_CAFILE": "/no/such"},
            "there is no such file",
        ),
        ({"JIRAIYA_KAFKA__SSL_CAFILE": __file__}, "SECURITY_PROTOCOL=PLAINTEXT does not use it"),
        ({"JIRAIYA_TOPICS__FAILED": "story_generated"}, "is also the name of"),
        (
            {"JIRAIYA_ENGINE__RETRY_BASE_S": "9", "JIRAIYA_ENGINE__RETRY_CAP_S": "1"},
            "RETRY_CAP_S=1 is less than JIRAIYA_ENGINE__RETRY_BASE_S=9",
        ),
        ({"JIRAIYA_ENV": "staging", "JIRAIYA_STORE__TTL_S": "60"}, "would be paid twice"),
        ({"JIRAIYA_ENV": "prod", "JIRAIYA_STORE__URL": "memory://"}, "needs sqlite:///path"),
        ({"JIRAIYA_ENV": "staging", "JIRAIYA_TOPICS__AUTO_CREATE": "true"}, "topics apply"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(
    environ: dict[str, str], part: str
) -> None:
    """Each is right alone; the line says what does not go together."""
    lines = _refused(environ)
    assert any(part in line for line in lines)
    assert not any("sesame" in line for line in lines)


def test_sasl_asks_for_all_it_needs() -> None:
    """One line for each part that is missing."""
    lines = _refused({"JIRAIYA_KAFKA__SECURITY_PROTOCOL": "SASL_SSL"})
    assert [line.split()[0] for line in lines] == [
        "JIRAIYA_KAFKA__SASL_MECHANISM",
        "JIRAIYA_KAFKA__SASL_USERNAME",
        "JIRAIYA_KAFKA__SASL_PASSWORD",
    ]


def test_a_secret_is_never_in_an_error() -> None:
    """Neither a wrong secret nor credentials in a wrong address are shown, or chained."""
    with pytest.raises(SettingsError) as caught:
        load_settings(
            {
                "JIRAIYA_AUTH__HMAC_KEYS": '{"one": "sesame',
                "JIRAIYA_LLM__BASE_URL": "https://me:sesame@host/v1?key=sesame",
                "JIRAIYA_STORE__URL": "redis://:ses/ame@host/sesame@x",
            },
            dotenv=None,
        )
    assert len(caught.value.lines) == 3
    assert "sesame" not in str(caught.value)
    assert "ses/ame" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"JIRAIYA_ENV=\xc3("])
def test_files_that_are_not_text_are_named(tmp_path: Path, content: bytes) -> None:
    """A broken `.env` or secrets file is a readable line, not a traceback."""
    broken = tmp_path / "jiraiya_env"
    broken.write_bytes(content)
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings({}, dotenv=broken)
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings({"JIRAIYA_SECRETS_DIR": str(tmp_path)}, dotenv=None)


def test_a_secrets_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Asked for and missing is an error; the default one may be missing."""
    (line,) = _refused({"JIRAIYA_SECRETS_DIR": str(tmp_path / "none")})
    assert line.endswith("is not a directory")
