"""The contract page renders any AsyncAPI 3.0 document, and nothing in it as markup."""

from html.parser import HTMLParser
from typing import Any

import pytest

from jiraiya_events.contract.asyncapi import build_asyncapi
from jiraiya_events.contract.topics import Topics
from jiraiya_events.sidecar.asyncapi_page import render_page
from jiraiya_events.sidecar.asyncapi_view import operations
from jiraiya_events.sidecar.markup import join, prose, tag
from jiraiya_events.sidecar.schema_rows import SchemaRow, resolve, schema_rows

VOID = {"meta", "link"}


class Nesting(HTMLParser):
    """Fails on elements that are closed in the wrong order or never."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember an open element and its id."""
        self.ids += [value for name, value in attrs if name == "id" and value]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the innermost element, which must be this one."""
        assert self.open.pop() == tag


def _row(schema: dict[str, Any], document: dict[str, Any] | None = None) -> SchemaRow:
    wrapped = {"type": "object", "properties": {"it": schema}}
    return schema_rows(document or {}, wrapped)[0]


def test_the_page_is_well_formed_and_every_link_leads_somewhere() -> None:
    """Elements nest, ids are unique, and the contents point at sections."""
    page = render_page(build_asyncapi(Topics()))
    nesting = Nesting()
    nesting.feed(page)
    assert nesting.open == []
    assert len(nesting.ids) == len(set(nesting.ids)) > 0
    for operation in operations(build_asyncapi(Topics())):
        assert operation.anchor in nesting.ids


def test_nothing_in_a_document_becomes_markup() -> None:
    """A hostile title, topic or description is shown, not run."""
    hostile = '<script>alert("1")</script>'
    page = render_page(
        {
            "info": {"title": hostile, "description": f"`{hostile}`"},
            "channels": {"x": {"address": hostile, "description": hostile}},
        }
    )
    assert "<script" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize("document", [{}, {"channels": None}, {"operations": {"o": {}}}])
def test_a_poor_document_still_makes_a_page(document: dict[str, Any]) -> None:
    """What is not there is left out."""
    assert render_page(document).endswith("</html>\n")


def test_a_channel_nobody_operates_on_is_shown_last() -> None:
    """Topics that only exist are part of the contract as well."""
    document = {
        "channels": {
            "idle": {"address": "idle.topic", "messages": {"m": {"name": "m"}}},
            "busy": {"address": "busy.topic", "messages": {"m": {"name": "m"}}},
        },
        "operations": {"o": {"action": "send", "channel": {"$ref": "#/channels/busy"}}},
    }
    views = operations(document)
    assert [(view.address, view.action) for view in views] == [
        ("busy.topic", "send"),
        ("idle.topic", "channel"),
    ]
    assert [len(view.messages) for view in views] == [1, 1]


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ({"type": "string"}, "string"),
        ({"type": ["string", "null"]}, "string or null"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "integer or null"),
        ({"type": "array", "items": {"type": "string"}}, "list of string"),
        ({"type": "object", "additionalProperties": {"type": "string"}}, "map of string"),
        ({"type": "string", "format": "uuid"}, "uuid"),
        ({"$ref": "#/gone"}, "any"),
    ],
)
def test_kinds_read_like_words(schema: dict[str, Any], kind: str) -> None:
    """Each way of JSON Schema to say a type has its own plain words."""
    assert _row(schema).kind == kind


@pytest.mark.parametrize(
    ("schema", "limits"),
    [
        ({"minLength": 1, "maxLength": 64}, ("1 to 64 characters",)),
        ({"minLength": 20, "maxLength": 20}, ("exactly 20 characters",)),
        ({"minimum": 1000, "maximum": 600_000}, ("1,000 to 600,000",)),
        ({"minimum": 0}, ("at least 0",)),
        (
            {"maxItems": 8, "items": {"maxLength": 64}},
            ("at most 8 items", "each at most 64 characters"),
        ),
        ({"anyOf": [{"maxLength": 5}, {"type": "null"}]}, ("at most 5 characters",)),
    ],
)
def test_limits_are_said_once_and_together(schema: dict[str, Any], limits: tuple[str, ...]) -> None:
    """A reader sees a range, not two keywords."""
    assert _row(schema).limits == limits


def test_nested_objects_and_lists_of_objects_get_their_own_rows() -> None:
    """Below their parent, with the whole path, references followed."""
    document = {"components": {"schemas": {"P": {"properties": {"x": {"enum": [1, "a"]}}}}}}
    reference = {"$ref": "#/components/schemas/P"}
    schema = {"properties": {"one": reference, "many": {"type": "array", "items": reference}}}
    rows = schema_rows(document, schema)
    assert [row.path for row in rows] == [("one",), ("one", "x"), ("many",), ("many", "x")]
    assert rows[1].values == ("1", "a")


def test_a_schema_that_contains_itself_ends() -> None:
    """Recursion stops at a depth nobody reads anyway; circular references are empty."""
    document: dict[str, Any] = {"T": {"properties": {"child": {"$ref": "#/T"}}}}
    assert len(schema_rows(document, {"$ref": "#/T"})) == 8
    assert resolve({"A": {"$ref": "#/B"}, "B": {"$ref": "#/A"}}, {"$ref": "#/A"}) == {}


def test_a_multi_format_schema_is_unwrapped() -> None:
    """AsyncAPI 3 may wrap a payload with its format."""
    wrapped = {"schemaFormat": "x", "schema": {"properties": {"a": {"const": True}}}}
    assert schema_rows({}, wrapped)[0].values == ("true",)


def test_markup_escapes_all_but_markup() -> None:
    """Text, attributes and code are escaped; elements are not."""
    assert (
        tag("a", "<b>", tag("i", "x"), None, href='"') == '<a href="&quot;">&lt;b&gt;<i>x</i></a>'
    )
    assert prose("say `a<b`") == "say <code>a&lt;b</code>"
    assert join("<", None) == "&lt;"
    assert tag("details", open=True, title=None) == "<details open></details>"


def test_words_that_say_more_than_the_operation_are_shown_once_each() -> None:
    """Descriptions and summaries of operation and message appear, repetitions do not."""
    message = {"name": "m", "summary": "About the message", "payload": {"description": "Bytes"}}
    document = {
        "info": {"title": "T", "license": {"name": "MIT"}},
        "channels": {"c": {"address": "t", "messages": {"m": message}}},
        "operations": {
            "o": {
                "action": "send",
                "summary": "In short",
                "description": "At length",
                "channel": {"$ref": "#/channels/c"},
            }
        },
    }
    page = render_page(document)
    for words in ("In short", "At length", "About the message", "Bytes", "License: MIT"):
        assert page.count(words) == 1
