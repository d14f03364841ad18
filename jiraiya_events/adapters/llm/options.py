"""What is needed to reach a model endpoint."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from pydantic import SecretStr

from jiraiya_events.domain.errors import SettingsError

OPENAI_HOST: Final = "api.openai.com"


@dataclass(frozen=True, slots=True)
class LlmOptions:
    """`timeout_s` bounds one call; `allowed_models` are what requests may ask for by name."""

    api_key: SecretStr | None
    model: str
    base_url: str | None = None
    allowed_models: tuple[str, ...] = ()
    timeout_s: float = 60.0
    max_output_tokens: int | None = None

    @property
    def models(self) -> tuple[str, ...]:
        """Return every model a request can reach, the default first."""
        return tuple(dict.fromkeys((self.model, *self.allowed_models)))

    @property
    def provider(self) -> str:
        """Return the provider's name as it stands in events; never a host of ours."""
        host = urlsplit(self.base_url).hostname if self.base_url else OPENAI_HOST
        return "openai" if host == OPENAI_HOST else "openai-compatible"

    def key(self) -> SecretStr:
        """Return the API key; raises `SettingsError` when there is none."""
        if self.api_key is None or not self.api_key.get_secret_value().strip():
            line = (
                "JIRAIYA_LLM__API_KEY is missing: set it, or OPENAI_API_KEY, to the key of the "
                "model provider (any text when the endpoint needs none)"
            )
            raise SettingsError((line,))
        return self.api_key
