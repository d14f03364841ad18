"""Which headers an output repeats and which carry a credential."""

import pytest

from jiraiya_events.contract.credentials import is_credential
from jiraiya_events.contract.headers import Headers

SECRET = """authorization Authorization proxy-authorization cookie set-cookie x-api-key apikey
x-auth-token x-auth-request-email x-authtoken x-csrf-token x-accesstoken client-secret db_password
x-signature x-signature-ed25519 x-hmac x-hmac-sha256 x-hub-signature-256 x-hub-signature jwt
x-goog-iap-jwt-assertion x-amz-security-token x-secret-key ce_signature x-credential x-pwd db_pwd
x-ssh-key x-session-id session x-client-cert ssl.certificate x-kafka-sasl x-key key""".split()  # noqa: SIM905
OPEN = """x-author x-tenant x-token-count x-idempotency-key x-keyboard ce_id x-design x-request-id
x-significance traceparent x-authored-by x-monkey x-cookies-eaten x-certainty x-concert x-obsession
x-sessions-count x-sshd x-key-size""".split()  # noqa: SIM905


@pytest.mark.parametrize("name", SECRET)
def test_credentials_and_signatures_are_known_by_their_names(name: str) -> None:
    """In any case and whatever the separators."""
    assert is_credential(name)
    assert is_credential(name.upper())


@pytest.mark.parametrize("name", OPEN)
def test_names_that_only_look_alike_are_no_credentials(name: str) -> None:
    """Words are compared whole."""
    assert not is_credential(name)


def test_only_other_x_headers_are_passed_on() -> None:
    """Not our own, no credentials, nothing without `x-`."""
    wire = [
        (name, b"v")
        for name in ("x-tenant", "X-Flag", "tenant", "ce_id", "x-dlq-topic", "X-Replay-Of",
                     "x-request-partition", "x-api-key", "x-signature", "x-correlation-id")
    ]  # fmt: skip
    assert [name for name, _ in Headers(wire).passed_on()] == [
        "x-tenant",
        "X-Flag",
        "x-correlation-id",
    ]


def test_at_most_sixteen_headers_are_passed_on() -> None:
    """The first ones, in their order."""
    wire = [(f"x-{number}", b"v") for number in range(20)]
    assert [name for name, _ in Headers(wire).passed_on()] == [
        f"x-{number}" for number in range(16)
    ]


def test_a_header_over_one_kibibyte_is_left_out() -> None:
    """Name and value are measured apart, in bytes; nothing is cut."""
    wire = [
        ("x-a", b"v" * 1024),
        ("x-b", b"v" * 1025),
        ("x-" + "c" * 1022, b"v"),
        ("x-" + "d" * 1023, b"v"),
    ]
    assert [name[:3] for name, _ in Headers(wire).passed_on()] == ["x-a", "x-c"]


def test_headers_that_are_not_text_are_not_passed_on() -> None:
    """Outputs carry UTF-8 text only."""
    assert Headers([("x-a", b"\xff"), ("x-b", None), ("x-c", b"")]).passed_on() == ()
