"""What is sealed opens for its own row, under its own key, and for nothing else; no sentence holds a key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import WrongSetting
from usage_ingest.seals import CannotOpen, RowKey, Sealed, Seals, new_key

ROW: RowKey = ("urn:helpdesk:eu", "e1", "unknown_field", b"\x01" * 32)
OLD, NEW = new_key("old"), new_key("new")


def secret_of(entry: str) -> str:
    return entry.partition(":")[2]


class TestOpening:
    @given(st.binary(max_size=300))
    def test_what_was_sealed_opens_again(self, content: bytes) -> None:
        seals = Seals(OLD, None)

        assert seals.open(seals.seal(content, ROW), ROW) == content

    def test_the_same_content_is_sealed_differently_each_time(self) -> None:
        seals = Seals(OLD, None)

        assert seals.seal(b"hello", ROW).text != seals.seal(b"hello", ROW).text

    @pytest.mark.parametrize("place", range(4))
    def test_it_does_not_open_for_another_row(self, place: int) -> None:
        seals = Seals(OLD, None)
        other = [*ROW]
        other[place] = b"\x02" * 32 if place == 3 else "other"

        with pytest.raises(CannotOpen, match="belongs to another row"):
            seals.open(seals.seal(b"hello", ROW), tuple(other))  # type: ignore[arg-type]  # a list of four

    def test_it_does_not_open_with_a_bit_changed(self) -> None:
        seals = Seals(OLD, None)
        sealed = seals.seal(b"hello", ROW)

        for place in range(len(sealed.text)):
            text = bytearray(sealed.text)
            text[place] ^= 1
            with pytest.raises(CannotOpen):
                seals.open(Sealed(sealed.key_id, bytes(text)), ROW)

    @pytest.mark.parametrize("text", [b"", b"short", b"x" * 28])
    def test_what_is_no_seal_does_not_open(self, text: bytes) -> None:
        with pytest.raises(CannotOpen):
            Seals(OLD, None).open(Sealed("old", text), ROW)

    def test_a_seal_does_not_pass_under_another_keys_name(self) -> None:
        same = secret_of(OLD)
        sealed = Seals(f"one:{same}", None).seal(b"hello", ROW)

        with pytest.raises(CannotOpen):
            Seals(f"two:{same}", None).open(Sealed("two", sealed.text), ROW)

    def test_nothing_of_the_content_shows_in_what_is_printed(self) -> None:
        assert "hello" not in repr(Seals(OLD, None).seal(b"hello", ROW))


class TestRotation:
    def test_the_first_key_seals_and_all_open(self) -> None:
        before = Seals(OLD, None).seal(b"hello", ROW)
        during = Seals(f"{NEW},{OLD}", None)

        assert during.open(before, ROW) == b"hello"
        assert during.seal(b"hello", ROW).key_id == "new"

    def test_a_key_that_was_taken_away_is_named(self) -> None:
        sealed = Seals(OLD, None).seal(b"hello", ROW)

        with pytest.raises(CannotOpen, match="the key old, which QUARANTINE_KEYS does not hold"):
            Seals(NEW, None).open(sealed, ROW)

    def test_a_file_is_read_again_and_stays_good_while_it_makes_no_sense(self, tmp_path: Path) -> None:
        file = tmp_path / "keys"
        file.write_text(f"{OLD}\n")
        seals = Seals(None, str(file))

        file.write_text(f"{NEW}\n{OLD}\n")
        seals.refresh()
        assert seals.key_ids == ("new", "old")
        file.write_text("half a k")
        seals.refresh()
        file.unlink()
        seals.refresh()

        assert seals.key_ids == ("new", "old")


@pytest.fixture
def wrong() -> Iterator[list[str]]:
    """Collects sentences, and holds none of them to contain a key."""
    sentences: list[str] = []
    yield sentences
    assert sentences
    assert not any(secret_of(entry) in sentence for sentence in sentences for entry in (OLD, NEW))


class TestSettings:
    @pytest.mark.parametrize(
        ("given_text", "file", "sentence"),
        [
            (None, None, "QUARANTINE_KEYS is not set"),
            ("", "", "QUARANTINE_KEYS is not set"),
            (OLD, "somewhere", "both set"),
            (None, "/nowhere/at/all", "QUARANTINE_KEYS_FILE: /nowhere/at/all is not a file"),
            (secret_of(OLD), None, "entry 1 is not ID:KEY"),
            (f"{OLD},{OLD}", None, "two keys have the id old"),
            (f"{OLD},short:YWJj", None, "entry 2 is not ID:KEY with 32 bytes in base64"),
            (f"a b:{secret_of(OLD)}", None, "entry 1 is not ID:KEY"),
            (f"{OLD} {NEW[:-3]}", None, "entry 2 is not ID:KEY"),
            ("id:näh", None, "entry 1 is not ID:KEY"),
        ],
        ids=["none", "empty", "both", "no file", "no id", "one id twice", "short", "two words", "cut off", "not ASCII"],
    )
    def test_a_wrong_setting_is_a_sentence_without_a_key(
        self, given_text: str | None, file: str | None, sentence: str, wrong: list[str]
    ) -> None:
        with pytest.raises(WrongSetting) as refused:
            Seals(given_text, file)

        wrong.append(str(refused.value))
        assert sentence in wrong[0]

    def test_keys_may_be_written_in_the_alphabet_of_addresses_too(self) -> None:
        written = OLD.replace("+", "-").replace("/", "_")

        assert Seals(written, None).open(Seals(OLD, None).seal(b"hello", ROW), ROW) == b"hello"
