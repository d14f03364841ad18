"""The answers of `/v1/moderations`, in the shape of OpenAI's reference.

https://platform.openai.com/docs/api-reference/moderations/object
"""

from typing import Any, Final

from jiraiya_events.testing.fault_plan import FaultPlan

MODEL: Final = "omni-moderation-latest"
_CATEGORIES: Final = (
    "harassment", "harassment/threatening", "hate", "hate/threatening", "illicit",
    "illicit/violent", "self-harm", "self-harm/instructions", "self-harm/intent",
    "sexual", "sexual/minors", "violence", "violence/graphic",
)  # fmt: skip


def moderation(text: str, plan: FaultPlan) -> dict[str, Any]:
    """Return the judgement on `text`: flagged when it has one of the plan's words in it."""
    flagged = any(word in text for word in plan.flagged_words)
    scores = {**dict.fromkeys(_CATEGORIES, 0.0001), **plan.moderation_scores}
    categories = {category: flagged and category == "violence" for category in _CATEGORIES}
    result = {"flagged": flagged, "categories": categories, "category_scores": scores}
    return {"id": "modr-faulty", "model": MODEL, "results": [result]}
