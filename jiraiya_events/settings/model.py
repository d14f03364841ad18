"""All settings of one process, validated and frozen."""

from pathlib import Path
from typing import Annotated, Any, Literal

from platformdirs import user_data_path
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    model_validator,
)

from jiraiya_events.settings.engine import Breaker, Engine
from jiraiya_events.settings.guards import Auth, Limits, Safety
from jiraiya_events.settings.kafka import Broker, Kafka, Topics
from jiraiya_events.settings.llm import Llm
from jiraiya_events.settings.store import Store
from jiraiya_events.settings.values import derived
from jiraiya_events.settings.watching import Http, Log, Sentry


def _data_dir() -> Path:
    return user_data_path("jiraiya", appauthor=False)


def _expanded(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError as error:
        msg = "must be a path; its `~` names nobody's home"
        raise ValueError(msg) from error


def _default_store(data_dir: object) -> str:
    try:
        folder = _expanded(Path(str(data_dir))) if data_dir else _data_dir()
    except ValueError:  # reported for the data directory itself
        folder = _data_dir()
    # What opens the store takes percent signs for escapes.
    path = str(folder / "outcomes.db").replace("%", "%25")
    return f"sqlite:///{path}"


class Settings(BaseModel):
    """Every setting; the variable of `settings.kafka.group_id` is `JIRAIYA_KAFKA__GROUP_ID`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    env: Literal["dev", "staging", "prod"] = Field(
        default="dev", description="What kind of place this is; changes a few defaults."
    )
    data_dir: Annotated[Path, AfterValidator(_expanded)] = Field(
        default_factory=_data_dir,
        description="Where files are kept.",
        json_schema_extra=derived("the platform's user data folder"),
    )
    broker: Broker = Field(default_factory=Broker)
    kafka: Kafka = Field(default_factory=Kafka)
    topics: Topics = Field(default_factory=Topics)
    engine: Engine = Field(default_factory=Engine)
    llm: Llm = Field(default_factory=Llm)
    breaker: Breaker = Field(default_factory=Breaker)
    store: Store = Field(default_factory=Store)
    limits: Limits = Field(default_factory=Limits)
    safety: Safety = Field(default_factory=Safety)
    http: Http = Field(default_factory=Http)
    auth: Auth = Field(default_factory=Auth)
    log: Log = Field(default_factory=Log)
    sentry: Sentry = Field(default_factory=Sentry)

    # Variable -> where its value came from; only of those somebody set.
    _origins: dict[str, str] = PrivateAttr(default_factory=dict)
    _warnings: tuple[str, ...] = PrivateAttr(default=())

    @property
    def warnings(self) -> tuple[str, ...]:
        """One line for each variable that looks like a setting of ours and is none."""
        return self._warnings

    @model_validator(mode="before")
    @classmethod
    def _derive_defaults(cls, given: Any) -> Any:  # noqa: ANN401 - pydantic's signature
        if not isinstance(given, dict):
            return given
        dev = given.get("env", "dev") == "dev"
        defaults: dict[str, dict[str, object]] = {
            "topics": {"auto_create": dev, "replication_factor": 1 if dev else 3},
            "log": {"format": "console" if dev else "json"},
            "store": {"url": _default_store(given.get("data_dir"))},
        }
        for group, values in defaults.items():
            given_group = given.get(group, {})
            if isinstance(given_group, dict):
                given = {**given, group: values | given_group}
        return given
