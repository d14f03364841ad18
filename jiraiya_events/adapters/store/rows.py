"""What stores keep as JSON, read back."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

M = TypeVar("M", bound=BaseModel)


def read(kind: type[M], body: str | None) -> M | None:
    """Read one entry; what another release wrote in a way we cannot read counts as nothing."""
    if body is None:
        return None
    try:
        return kind.model_validate_json(body)
    except ValidationError:
        return None
