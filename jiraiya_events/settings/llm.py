"""The model: where, which, how long, and what it costs."""

from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from jiraiya_events.settings.values import (
    Group,
    Seconds,
    Text,
    Texts,
    Usd,
    Whole,
    derived,
    json_map,
    no_user_info,
    only,
    url,
)

DEFAULT_MODEL: Final = "gpt-4o-mini"


class Price(BaseModel):
    """USD per million tokens."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    input: Usd
    cached_input: Usd | None = None
    output: Usd

    @property
    def cached(self) -> Decimal:
        """The price of a cached input token; that of any other input token when not given."""
        return self.input if self.cached_input is None else self.cached_input


class Llm(Group):
    """The model endpoint (OpenAI's HTTP protocol)."""

    api_key: SecretStr | None = Field(
        default=None,
        description="Key of the endpoint.",
        json_schema_extra=derived("`OPENAI_API_KEY`"),
    )
    base_url: Annotated[str, url("https", "http"), no_user_info("JIRAIYA_LLM__API_KEY")] | None = (
        Field(
            default=None,
            repr=False,
            description="Address of the endpoint, up to `/v1`.",
            json_schema_extra=derived("`OPENAI_BASE_URL`, else OpenAI's own"),
        )
    )
    model: Text = Field(default=DEFAULT_MODEL, description="The model that writes.")
    fallback_models: Annotated[Texts, only(())] = Field(
        default=(), description="Models to try when the first one fails."
    )
    allowed_models: Texts = Field(
        default=(DEFAULT_MODEL,),
        description="Models a request may ask for.",
        json_schema_extra=derived("the configured ones"),
    )
    timeout_s: Seconds = Field(default=60, description="Longest model call.")
    max_output_tokens: Whole | None = Field(
        default=None, description="Longest answer; from the story's length when not set."
    )
    prices: Annotated[dict[Text, Price], json_map] = Field(
        default_factory=dict,
        description=(
            "USD per million tokens, for models with a price of your own: "
            '`{"model": {"input": "0.15", "cached_input": "0.075", "output": "0.60"}}`.'
        ),
        json_schema_extra=derived("public prices"),
    )

    @model_validator(mode="before")
    @classmethod
    def _allow_the_configured(cls, given: Any) -> Any:  # noqa: ANN401 - pydantic's signature
        if not isinstance(given, dict) or "allowed_models" in given:
            return given
        return {**given, "allowed_models": (given.get("model", DEFAULT_MODEL),)}
