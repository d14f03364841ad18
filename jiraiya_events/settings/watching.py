"""How the service is watched: its HTTP sidecar, its log, its error reports."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from jiraiya_events.settings.values import (
    Group,
    Rate,
    Secrets,
    Text,
    Texts,
    derived,
    only,
    upper_case,
)


class Http(Group):
    """The sidecar's address."""

    host: Text = Field(default="127.0.0.1", description="Address to listen on.")
    port: Annotated[int, Field(ge=0, le=65_535)] = Field(
        default=8080, description="Port to listen on; 0 takes a free one."
    )
    api_keys: Annotated[Secrets, only(())] = Field(
        default=(), description="Lines of `jiraiya keys new`."
    )
    cors_origins: Annotated[Texts, only(())] = Field(
        default=(), description="Origins whose pages may call."
    )
    ip_requests: Annotated[Rate | None, only(None)] = Field(
        default=None, description="Requests of one address, such as `120/minute`."
    )


class Log(Group):
    """The log."""

    level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], upper_case] = Field(
        default="INFO", description="Least severe level that is written."
    )
    format: Literal["json", "console"] = Field(
        default="console",
        description="How a line looks.",
        json_schema_extra=derived("console in dev, json elsewhere"),
    )


class Sentry(Group):
    """Error reports."""

    dsn: Annotated[SecretStr | None, only(None)] = Field(
        default=None, description="Where crashes are reported."
    )
