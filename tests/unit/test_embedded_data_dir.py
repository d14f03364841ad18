"""The data folder before a JVM sees it."""

from pathlib import Path

import pytest

from jiraiya_events.adapters.embedded import EmbeddedKafkaError, EmbeddedKafkaOptions, data_dir
from jiraiya_events.adapters.embedded.java import Java
from jiraiya_events.adapters.embedded.startup_cache import cache_path, prune, use_flags

META = Path("topics", "meta.properties")


def lines(path: Path) -> dict[str, str]:
    """Read a simple properties file."""
    return dict(line.split("=", 1) for line in path.read_text().splitlines())


def test_a_new_folder_gets_ids_and_the_features_of_a_new_cluster(tmp_path: Path) -> None:
    data_dir.prepare(tmp_path / "new", 9092, 9093, {})
    meta = lines(tmp_path / "new" / META)
    assert meta["version"] == "1"
    assert len(meta["cluster.id"]) == len(meta["directory.id"]) == 22
    features = (tmp_path / "new" / "topics" / data_dir.CHECKPOINT).read_bytes()
    assert b"transaction.version" in features
    assert b"group.version" in features


def test_a_known_cluster_keeps_its_ids(tmp_path: Path) -> None:
    data_dir.prepare(tmp_path, 9092, 9093, {})
    before = (tmp_path / META).read_bytes()
    data_dir.prepare(tmp_path, 9192, 9193, {})
    assert (tmp_path / META).read_bytes() == before


def test_a_preparation_that_was_cut_short_is_done_again(tmp_path: Path) -> None:
    data_dir.prepare(tmp_path, 9092, 9093, {})
    (tmp_path / META).unlink()
    data_dir.prepare(tmp_path, 9092, 9093, {})
    assert (tmp_path / META).exists()


def test_the_broker_listens_on_the_loopback_interface_only(tmp_path: Path) -> None:
    data_dir.prepare(tmp_path, 9092, 9093, {})
    listeners = lines(tmp_path / "server.properties")["listeners"].split(",")
    assert [listener.split("://")[1] for listener in listeners] == [
        "127.0.0.1:9092",
        "127.0.0.1:9093",
    ]


def test_a_folder_has_crashed_when_a_broker_ran_and_did_not_stop_cleanly(tmp_path: Path) -> None:
    data_dir.prepare(tmp_path, 9092, 9093, {})
    assert not data_dir.has_crashed(tmp_path)
    (tmp_path / "topics" / "__cluster_metadata-0" / "00000000000000000000.log").touch()
    assert data_dir.has_crashed(tmp_path)
    (tmp_path / "topics" / ".kafka_cleanshutdown").touch()
    assert not data_dir.has_crashed(tmp_path)


def test_own_properties_win(tmp_path: Path) -> None:
    data_dir.prepare(tmp_path, 9092, 9093, {"num.partitions": "3", "log.dirs": "elsewhere"})
    written = lines(tmp_path / "server.properties")
    assert (written["num.partitions"], written["log.dirs"]) == ("3", "elsewhere")


def test_a_log_that_grew_large_makes_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_dir, "_LARGEST_LOG", 10)
    log = tmp_path / "broker.log"
    log.write_text("more than ten characters")
    data_dir.prepare(tmp_path, 9092, 9093, {})
    assert not log.exists()
    assert (tmp_path / "broker.log.1").exists()


@pytest.mark.parametrize("wrong", [{"port": -1}, {"port": 70_000}, {"heap_mb": 16}])
def test_options_no_broker_could_start_with_are_refused(wrong: dict[str, int]) -> None:
    ((name, value),) = wrong.items()
    with pytest.raises(EmbeddedKafkaError, match=rf"{name} is {value}"):
        EmbeddedKafkaOptions(**wrong)  # type: ignore[arg-type]


def test_a_startup_cache_belongs_to_one_java_and_one_class_path(tmp_path: Path) -> None:
    jar = tmp_path / "a.jar"
    jar.write_bytes(b"1")
    java = Java(tmp_path / "java", "25.0.2")
    first = cache_path(tmp_path, java, [jar])
    assert first == cache_path(tmp_path, java, [jar])
    assert first != cache_path(tmp_path, Java(tmp_path / "java", "25.0.3"), [jar])
    jar.write_bytes(b"22")
    assert first != cache_path(tmp_path, java, [jar])


def test_an_older_java_starts_without_a_startup_cache(tmp_path: Path) -> None:
    assert cache_path(tmp_path, Java(tmp_path / "java", "21.0.1"), []) is None
    assert use_flags(None) == ()


def test_a_startup_cache_is_used_once_it_exists(tmp_path: Path) -> None:
    cache = tmp_path / "java.aot"
    assert use_flags(cache) == ()
    cache.touch()
    assert use_flags(cache) == (f"-XX:AOTCache={cache}",)


def test_only_the_newest_startup_caches_stay(tmp_path: Path) -> None:
    for name in "abcde":
        (tmp_path / f"{name}.aot").touch()
    prune(tmp_path)
    assert len(list(tmp_path.glob("*.aot"))) == 3
