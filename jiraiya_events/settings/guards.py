"""Who may ask, how much, and for what. Some of it comes in later versions."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from jiraiya_events.settings.values import Group, Rate, Text, Usd, json_map, only, url

DailyUsd = Annotated[Usd, Field(le=1_000_000)]
"""Sums are whole pico-dollars, which every store keeps in 64 bits: nine million USD."""


class Limits(Group):
    """Limits on requests and spending."""

    user_requests: Rate | None = Field(
        default=None, description="Requests of one user, such as `30/minute`."
    )
    user_daily_usd: DailyUsd | None = Field(
        default=None, description="What one user may cost a day (UTC)."
    )
    global_daily_usd: DailyUsd | None = Field(
        default=None, description="What all users together may cost a day (UTC)."
    )


class Safety(Group):
    """Checks of what goes in and comes out."""

    moderation: Literal["off", "openai"] = Field(
        default="off",
        description="Whether the provider's moderation looks at requests and stories.",
    )


class Auth(Group):
    """Authentication of events, and of people by JWT."""

    events: Annotated[Literal["none", "jwt", "hmac"], only("none")] = Field(
        default="none", description="How events prove who sent them."
    )
    jwt_jwks_url: Annotated[Annotated[str, url("https", "http")] | None, only(None)] = Field(
        default=None, repr=False, description="Public keys of the issuer."
    )
    jwt_secret: Annotated[SecretStr | None, only(None)] = Field(
        default=None, description="Shared secret, instead of public keys."
    )
    jwt_issuer: Annotated[Text | None, only(None)] = Field(
        default=None, description="Required `iss`."
    )
    jwt_audience: Annotated[Text | None, only(None)] = Field(
        default=None, description="Required `aud`."
    )
    jwt_role_claim: Annotated[Text, only("role")] = Field(
        default="role", description="Claim that holds the role."
    )
    hmac_keys: Annotated[dict[Text, SecretStr], json_map, only({})] = Field(
        default_factory=dict, description='Keys of the senders: `{"key id": "secret"}`.'
    )
    replay_key: Annotated[SecretStr | None, only(None)] = Field(
        default=None, description="Signs what an operator replays."
    )
