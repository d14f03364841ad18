"""The contract as a page: rendered here, styled by our own sheet, no script at all."""

import json
from collections.abc import Mapping
from typing import Any, Final

from jiraiya_events.sidecar.asyncapi_view import MessageView, OperationView, operations
from jiraiya_events.sidecar.markup import Markup, join, prose, tag
from jiraiya_events.sidecar.schema_rows import SchemaRow

STYLE_PATH: Final = "/assets/asyncapi.css"

_ROLES: Final = {"receive": "reads", "send": "writes", "channel": "knows"}


def render_page(document: Mapping[str, Any]) -> str:
    """Return the whole HTML page of an AsyncAPI 3.0 document."""
    info = document.get("info") or {}
    title = str(info.get("title") or "Events")
    views = operations(document)
    head = join(
        Markup('<meta charset="utf-8">'),
        Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        Markup('<meta name="color-scheme" content="light dark">'),
        tag("title", title),
        Markup(f'<link rel="stylesheet" href="{STYLE_PATH}">'),
    )
    main = tag("main", _flow(title, views), *map(_operation, views))
    frame = tag("div", _contents(views), main, class_="frame")
    body = tag("body", _banner(document, info, title), frame, _foot(document))
    return f"<!doctype html>\n{tag('html', tag('head', head), body, lang='en')}\n"


def _banner(document: Mapping[str, Any], info: Mapping[str, Any], title: str) -> Markup:
    version = info.get("version")
    return tag(
        "header",
        tag("h1", title, " ", tag("small", str(version)) if version else None),
        tag("p", prose(str(info.get("description", ""))), class_="lead"),
        tag(
            "p",
            tag("a", "asyncapi.yaml", href="/asyncapi.yaml", class_="button"),
            tag("a", "asyncapi.json", href="/asyncapi.json", class_="button"),
            tag("span", f"AsyncAPI {document.get('asyncapi', '')}", class_="quiet"),
            *_servers(document),
            class_="links",
        ),
        class_="banner",
    )


def _servers(document: Mapping[str, Any]) -> list[Markup]:
    servers = document.get("servers") or {}
    return [
        tag(
            "span",
            f"{server.get('protocol', '')}://{server.get('host', '')}",
            class_="quiet mono",
            title=str(server.get("description", "")),
        )
        for server in servers.values()
    ]


def _contents(views: list[OperationView]) -> Markup:
    links = [
        tag(
            "li",
            tag(
                "a",
                tag("span", class_=f"dot {view.action}"),
                view.address,
                href=f"#{view.anchor}",
            ),
        )
        for view in views
    ]
    return tag("nav", tag("h2", "Topics"), tag("ul", *links), aria_label="Topics")


def _flow(title: str, views: list[OperationView]) -> Markup:
    """Draw what goes in on the left and what comes out on the right."""

    def side(action: str, label: str) -> Markup:
        boxes = [
            tag("a", view.address, href=f"#{view.anchor}", class_=f"box {action}")
            for view in views
            if view.action == action
        ]
        return tag("div", tag("h3", label), *boxes, class_="side")

    arrow = tag("span", "\u2192", class_="arrow", aria_hidden="true")
    middle = tag("div", title, class_="service")
    inner = join(side("receive", "it reads"), arrow, middle, arrow, side("send", "it writes"))
    return tag("section", inner, class_="flow", aria_label="Data flow")


def _operation(view: OperationView) -> Markup:
    intro = view.summary or view.description
    more = view.description if view.description != intro else None
    return tag(
        "section",
        tag(
            "h2",
            tag("span", _ROLES.get(view.action, view.action), class_=f"badge {view.action}"),
            tag("a", view.address, href=f"#{view.anchor}", class_="mono"),
        ),
        tag("p", prose(intro), class_="lead") if intro else None,
        tag("p", prose(more)) if more else None,
        *(_message(message, intro) for message in view.messages),
        id=view.anchor,
        class_="card",
    )


def _message(view: MessageView, intro: str) -> Markup:
    summary = tag("p", prose(view.summary)) if view.summary and view.summary != intro else None
    facts = [("type", tag("code", view.name)), ("content", tag("code", view.content_type))]
    if view.key:
        facts.append(("key", prose(view.key)))
    terms = [tag("div", tag("dt", term), tag("dd", text)) for term, text in facts if text]
    return tag(
        "article",
        tag("h3", view.title),
        summary,
        tag("dl", *terms, class_="facts"),
        _table("Payload", view.payload, view.payload_note, opened=True),
        _table("Headers", view.headers, view.headers_note, opened=False),
        *map(_example, view.examples),
    )


def _table(label: str, rows: list[SchemaRow], note: str, *, opened: bool) -> Markup | None:
    if not rows and not note:
        return None
    head = tag("thead", tag("tr", *(tag("th", name, scope="col") for name in ("Name", "What"))))
    return tag(
        "details",
        tag("summary", label, tag("span", str(len(rows)), class_="count") if rows else None),
        tag("p", prose(note)) if note else None,
        tag("table", head, tag("tbody", *map(_row, rows))) if rows else None,
        open=opened,
    )


def _row(row: SchemaRow) -> Markup:
    above = "".join(f"{name}." for name in row.path[:-1])
    name = join(tag("span", above, class_="above") if above else None, row.path[-1])
    chips = [tag("span", row.kind, class_="kind")]
    chips += [tag("code", value, class_="value") for value in row.values]
    chips += [tag("span", limit, class_="limit") for limit in row.limits]
    if row.default is not None:
        chips.append(tag("span", "default ", tag("code", row.default), class_="limit"))
    mark = tag("span", "required", class_="required") if row.required else None
    return tag(
        "tr",
        tag("th", tag("code", name), mark, scope="row"),
        tag(
            "td",
            tag("div", *chips, class_="chips"),
            tag("p", prose(row.description)) if row.description else None,
        ),
    )


def _example(example: dict[str, Any]) -> Markup:
    parts = [
        join(tag("h4", label), tag("pre", tag("code", _pretty(example[part]))))
        for part, label in (("headers", "Headers"), ("payload", "Payload"))
        if part in example
    ]
    label = str(example.get("summary") or "Example")
    return tag("details", tag("summary", label), tag("div", *parts, class_="example"))


def _pretty(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)


def _foot(document: Mapping[str, Any]) -> Markup:
    license_ = (document.get("info") or {}).get("license") or {}
    return tag("footer", f"License: {license_['name']}" if license_.get("name") else None)
