"""The model: where, which, how long, and what it costs."""

from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    model_validator,
)

from jiraiya_events.settings.values import (
    Group,
    Name,
    Names,
    Seconds,
    Text,
    Usd,
    Whole,
    comma_separated,
    derived,
    json_map,
    no_query,
    no_user_info,
    url,
)

DEFAULT_MODEL: Final = "gpt-4o-mini"


def _sendable(key: SecretStr) -> SecretStr:
    """Accept what an HTTP header can carry."""
    text = key.get_secret_value().strip()
    if not text:
        msg = "must not be empty"
        raise ValueError(msg)
    if not (text.isascii() and text.isprintable()):
        msg = "must be printable ASCII"
        raise ValueError(msg)
    return SecretStr(text)


ApiKey = Annotated[SecretStr, AfterValidator(_sendable)]
Endpoint = Annotated[str, url("https", "http"), AfterValidator(no_query)]
MillionTokensUsd = Annotated[Usd, Field(le=1_000_000)]


class Price(BaseModel):
    """USD per million tokens."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    input: MillionTokensUsd
    cached_input: MillionTokensUsd | None = None
    output: MillionTokensUsd

    @property
    def cached(self) -> Decimal:
        """The price of a cached input token; that of any other input token when not given."""
        return self.input if self.cached_input is None else self.cached_input


class Fallback(BaseModel):
    """A model to be asked when others fail; at the main endpoint unless it has its own."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    model: Name
    base_url: Annotated[Endpoint, no_user_info("api_key")] | None = Field(default=None, repr=False)
    api_key: ApiKey | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_a_name(cls, given: Any) -> Any:  # noqa: ANN401 - pydantic's signature
        return {"model": given} if isinstance(given, str) else given

    @model_validator(mode="after")
    def _pay_for_itself(self) -> "Fallback":
        if self.base_url is not None and self.api_key is None:
            msg = (
                f"must have an api_key for {self.model!r}, which has a base_url of its own: the "
                "main key is not sent to another endpoint (any text when that one needs none)"
            )
            raise ValueError(msg)
        return self


class Llm(Group):
    """The model endpoint (OpenAI's HTTP protocol)."""

    api_key: ApiKey | None = Field(
        default=None,
        description="Key of the endpoint.",
        json_schema_extra=derived("`OPENAI_API_KEY`"),
    )
    base_url: Annotated[Endpoint, no_user_info("JIRAIYA_LLM__API_KEY")] | None = Field(
        default=None,
        repr=False,
        description="Address of the endpoint, up to `/v1`.",
        json_schema_extra=derived("`OPENAI_BASE_URL`, else OpenAI's own"),
    )
    model: Name = Field(default=DEFAULT_MODEL, description="The model that writes.")
    fallback_models: Annotated[tuple[Fallback, ...], comma_separated] = Field(
        default=(),
        description=(
            "Models to try, in this order, when the first one fails: names, or JSON with an "
            "endpoint of their own: "
            '`["gpt-4o", {"model": "m", "base_url": "https://host/v1", "api_key": "..."}]`.'
        ),
    )
    allowed_models: Names = Field(
        default=(DEFAULT_MODEL,),
        description="Models a request may ask for.",
        json_schema_extra=derived("the configured ones"),
    )
    answer_form: Literal["auto", "json", "text"] = Field(
        default="auto",
        description=(
            "How models are asked to answer: in JSON by a schema, or in text; `auto` takes JSON "
            "until an endpoint says that it has none."
        ),
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

    @model_validator(mode="after")
    def _allow_the_configured(self) -> "Llm":
        if "allowed_models" not in self.model_fields_set:
            configured = (self.model, *(fallback.model for fallback in self.fallback_models))
            object.__setattr__(self, "allowed_models", tuple(dict.fromkeys(configured)))
        return self
