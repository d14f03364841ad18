"""Equal wishes may share an answer, and a user can be forgotten."""

from typing import Any

from tests.blackbox.asking import ask
from tests.blackbox.operator import Operator
from tests.blackbox.requests import Request, plain
from tests.blackbox.world import World

LOOKED_UP = "jiraiya_response_cache_lookups_total"


def wish(name: str, user: str, marker: str = "k-owl", **fields: Any) -> Request:
    """Return a wish that is equal to all others with this marker."""
    return plain(name, user, user_id=user, marker=marker, **fields)


def test_an_equal_wish_gets_the_same_answer_for_nothing(world: World) -> None:
    """Whoever asks, however it is written, until the user who paid for it is forgotten."""
    service = world.serve(STORE__RESPONSE_CACHE_S="600")
    (first,) = ask(world, [wish("a", "ann", metadata={"channel": "app"})])
    assert first.body["source"] == "model"
    bobs = wish("b", "bob", keywords=[" dragon", "\uff4b\u002dowl "], timeout_ms=60_000)
    (second,), (other,) = ask(world, [bobs]), ask(world, [wish("c", "cid", "k-fox")])
    assert (second.body["source"], other.body["source"]) == ("response_cache", "model")
    assert second.body["cost"] == {"amount": "0.0", "currency": "USD"}
    assert (second.body["tries"], set(second.body["usage"].values())) == (0, {0})
    assert second.body["story"] == first.body["story"]
    assert second.body["model"] == first.body["model"]
    assert (second.body["user_id"], second.body["metadata"]) == ("bob", {})
    assert world.endpoint.calls("k-owl") == 1
    assert service.metric(LOOKED_UP, result="hit") == 1
    assert service.metric(LOOKED_UP, result="miss") == 2
    told = Operator(world).jiraiya("store", "forget", "--user", "ann", "--yes", "--json")
    assert (told.code, told.rows) == (0, [{"user": "ann", "requests": 1}])
    (third,) = ask(world, [wish("d", "dan")])
    assert (third.body["source"], world.endpoint.calls("k-owl")) == ("model", 2)
    # Of ann nothing is known any more, of bob everything.
    (again,) = ask(world, [wish("a", "ann", metadata={"channel": "app"})])
    assert again.body["source"] == "response_cache"
    (resent,) = ask(world, [bobs])
    assert resent.body["source"] == "result_store"
    assert not world.judgement().problems


def test_an_answer_that_no_story_came_of_is_shared_with_nobody(world: World) -> None:
    """Nor is anything shared where the cache is off, which it is by default."""
    world.endpoint.configure(script_by_key={"k-owl": ("refusal",)})
    cached = world.serve(STORE__RESPONSE_CACHE_S="600")
    (blocked,) = ask(world, [wish("a", "ann")])
    assert blocked.body["error"]["code"] == "content_blocked"
    (written,) = ask(world, [wish("b", "bob")])
    assert written.body["source"] == "model"
    cached.terminate()
    service = world.serve()
    (uncached,) = ask(world, [wish("c", "cid")])
    assert (uncached.body["source"], world.endpoint.calls("k-owl")) == ("model", 3)
    assert service.metric(LOOKED_UP) == 0
    assert not world.judgement().problems
