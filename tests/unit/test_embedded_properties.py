"""The ``.properties`` form: Java must read back what was meant."""

import pytest

from jiraiya_events.adapters.embedded.properties import render_properties


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("plain", b"k=plain\n"),
        ("a b", b"k=a b\n"),
        ("  two", b"k=\\ \\ two\n"),
        ("C:\\kafka", b"k=C:\\\\kafka\n"),
        ("one\ntwo", b"k=one\\ntwo\n"),
        ("tab\there", b"k=tab\\there\n"),
        ("größe", b"k=gr\\u00f6\\u00dfe\n"),
        ("忍者", b"k=\\u5fcd\\u8005\n"),
        ("🐸", b"k=\\ud83d\\udc38\n"),
        ("\x07", b"k=\\u0007\n"),
        ("", b"k=\n"),
    ],
)
def test_a_value_is_written_so_that_any_encoding_reads_it_alike(value: str, written: bytes) -> None:
    assert render_properties({"k": value}) == written


def test_a_key_cannot_end_early_or_turn_into_a_comment() -> None:
    assert render_properties({"# a=b:c!": "v"}) == b"\\#\\ a\\=b\\:c\\!=v\n"


def test_a_path_that_is_not_valid_text_survives() -> None:
    undecodable = b"/data/\xff".decode(errors="surrogateescape")
    assert render_properties({"k": undecodable}) == b"k=/data/\\udcff\n"


def test_properties_keep_their_order() -> None:
    assert render_properties({"b": "1", "a": "2"}) == b"b=1\na=2\n"
