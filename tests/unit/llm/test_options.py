"""Which accounts and candidates the options stand for."""

import pytest
from pydantic import SecretStr

from jiraiya_events.adapters.llm.candidates import candidates
from jiraiya_events.adapters.llm.options import Fallback, LlmOptions
from jiraiya_events.domain.errors import SettingsError

KEY, THEIRS = SecretStr("sk-main"), SecretStr("sk-theirs")
THERE = "http://there.example/v1"


def options(*fallbacks: Fallback, allowed: tuple[str, ...] = ()) -> LlmOptions:
    """Return options with these fallbacks."""
    return LlmOptions(KEY, "m", fallbacks=fallbacks, allowed_models=allowed)


def names(one: LlmOptions) -> list[tuple[str, str]]:
    """Return name and account of every route."""
    return [(route.name, route.account.name) for route in one.routes]


def test_a_fallback_without_an_endpoint_is_on_the_main_account() -> None:
    assert names(options(Fallback("n"), Fallback("m"))) == [("m", "1"), ("n", "1")]


def test_one_key_at_one_endpoint_is_one_account_however_it_is_written() -> None:
    openai = "https://api.openai.com/v1/"
    one = options(
        Fallback("n", THERE, THEIRS), Fallback("o", THERE + "/", THEIRS), Fallback("p", openai, KEY)
    )
    assert names(one) == [("m", "1"), ("n", "2"), ("o", "2"), ("p", "1")]
    assert [account.name for account in one.accounts] == ["1", "2"]


def test_a_model_two_accounts_have_gets_the_number_of_the_other() -> None:
    one = options(Fallback("m", THERE, THEIRS), Fallback("m", api_key=THEIRS))
    assert names(one) == [("m", "1"), ("m@2", "2"), ("m@3", "3")]
    assert {route.model for route in one.routes} == {"m"}


def test_the_main_key_is_never_another_hosts() -> None:
    with pytest.raises(SettingsError, match="a key of its own"):
        Fallback("n", THERE)


def test_a_provider_is_openai_only_at_openai() -> None:
    one = options(Fallback("n", THERE, THEIRS), Fallback("o", "https://api.openai.com/v1", THEIRS))
    providers = [account.provider for account in one.accounts]
    assert providers == ["openai", "openai-compatible", "openai"]


def test_the_requested_model_comes_first_and_the_fallbacks_follow() -> None:
    chains = candidates(options(Fallback("n"), Fallback("m", THERE, THEIRS), allowed=("m", "x")))
    for requested, chain in {
        None: ["m", "n", "m@2"],
        "m": ["m", "n", "m@2"],
        "n": ["n", "m@2"],
        "x": ["x", "n", "m@2"],
    }.items():
        assert [one.name for one in chains.of(requested)] == chain
    assert chains.of("x")[0].account == "1"


def test_context_windows_are_those_of_the_models_that_are_known() -> None:
    known = LlmOptions(KEY, "gpt-4o", fallbacks=(Fallback("unheard-of"),))
    first, second = candidates(known).of(None)
    assert first.context_window == 128_000
    assert second.context_window is None


def test_an_unlisted_endpoint_is_taken_to_serve_the_model_of_that_name() -> None:
    gateway = LlmOptions(KEY, "gpt-4o", base_url=THERE)
    assert candidates(gateway).of(None)[0].context_window == 128_000


def test_no_address_shows_in_a_repr() -> None:
    """Tracebacks and logs of others print those; an address may hold what is secret."""
    one = LlmOptions(KEY, "m", base_url=THERE, fallbacks=(Fallback("n", THERE, THEIRS),))
    assert "there.example" not in repr(one) + repr(one.routes) + repr(one.accounts)


def test_no_key_shows() -> None:
    one = options(Fallback("n", THERE, THEIRS))
    assert "sk-" not in repr(one) + repr(one.routes) + repr(one.accounts)
