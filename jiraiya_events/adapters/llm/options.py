"""What is needed to reach the models: where, with which key, and who is asked after whom."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from pydantic import SecretStr

from jiraiya_events.domain.errors import SettingsError

OPENAI_HOST: Final = "api.openai.com"


class FormChoice(StrEnum):
    """How models are asked to answer; auto is JSON until an endpoint says it has none."""

    AUTO = "auto"
    JSON = "json"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Account:
    """One key at one endpoint, and so one bill; `name` tells it from the others, and no more."""

    name: str
    base_url: str | None = field(repr=False)
    api_key: SecretStr | None

    @property
    def provider(self) -> str:
        """Return the provider's name as it stands in events; never a host of ours."""
        host = urlsplit(self.base_url).hostname if self.base_url else OPENAI_HOST
        return "openai" if host == OPENAI_HOST else "openai-compatible"

    @property
    def place(self) -> str:
        """Return the endpoint's host, for operators; an address may hold credentials."""
        if self.base_url is None:
            return OPENAI_HOST
        parts = urlsplit(self.base_url)
        host = parts.hostname or "the endpoint"
        return f"{host}:{parts.port}" if parts.port else host


@dataclass(frozen=True, slots=True)
class Fallback:
    """A model to be asked when others fail; at the main endpoint, with its key, unless it says so.

    A `base_url` of its own needs an `api_key` of its own: the main one is no other host's business.
    """

    model: str
    base_url: str | None = field(default=None, repr=False)
    api_key: SecretStr | None = None

    def __post_init__(self) -> None:
        """Raise `SettingsError` when the main key would go to another host."""
        if self.base_url is not None and self.api_key is None:
            msg = f"the endpoint of {self.model!r} needs a key of its own"
            raise SettingsError((msg,))


@dataclass(frozen=True, slots=True)
class Route:
    """The way to one candidate: `name` is ours for it, `model` what the endpoint calls it."""

    name: str
    model: str
    account: Account


@dataclass(frozen=True, slots=True)
class LlmOptions:
    """`timeout_s` bounds one call; `allowed_models` are what requests may ask for by name."""

    api_key: SecretStr | None
    model: str
    base_url: str | None = field(default=None, repr=False)
    fallbacks: tuple[Fallback, ...] = ()
    allowed_models: tuple[str, ...] = ()
    timeout_s: float = 60.0
    max_output_tokens: int | None = None
    answer_form: FormChoice = FormChoice.AUTO

    @property
    def models(self) -> tuple[str, ...]:
        """Return every model a request may ask for, the default first."""
        return tuple(dict.fromkeys((self.model, *self.allowed_models)))

    @property
    def main(self) -> Account:
        """Return the account of the default model, and of every model without a route."""
        return Account("1", self.base_url, self.api_key)

    @property
    def routes(self) -> tuple[Route, ...]:
        """Return the ways to the configured models, in the order in which they are asked.

        A model that two accounts have is told apart by the number of the account: `m`, `m@2`.
        """
        routes: dict[str, Route] = {}
        for model, account in dict.fromkeys(self._configured()):
            name = model
            while name in routes:
                name += f"@{account.name}"
            routes[name] = Route(name, model, account)
        return tuple(routes.values())

    @property
    def accounts(self) -> tuple[Account, ...]:
        """Return the accounts of the routes, the main one first."""
        return tuple(dict.fromkeys(route.account for route in self.routes))

    def route_of(self, name: str) -> Route:
        """Return the way to the candidate of this name; the main account has all others."""
        found = (route for route in self.routes if route.name == name)
        return next(found, Route(name, name, self.main))

    def key(self) -> SecretStr:
        """Return the main API key; raises `SettingsError` when there is none."""
        if self.api_key is None or not self.api_key.get_secret_value().strip():
            line = (
                "JIRAIYA_LLM__API_KEY is missing: set it, or OPENAI_API_KEY, to the key of the "
                "model provider (any text when the endpoint needs none)"
            )
            raise SettingsError((line,))
        return self.api_key

    def _configured(self) -> Iterator[tuple[str, Account]]:
        """Yield model and account in order; accounts are numbered as they first appear."""
        main = self.main
        yield self.model, main
        known = {_identity(main): main}
        for fallback in self.fallbacks:
            base_url, api_key = fallback.base_url or main.base_url, fallback.api_key or main.api_key
            own = Account(str(len(known) + 1), base_url, api_key)
            yield fallback.model, known.setdefault(_identity(own), own)


def _identity(account: Account) -> tuple[str, str | None]:
    key = account.api_key
    base_url = account.base_url or f"https://{OPENAI_HOST}/v1"
    return base_url.rstrip("/"), None if key is None else key.get_secret_value()
