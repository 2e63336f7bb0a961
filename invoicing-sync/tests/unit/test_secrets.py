"""Secrets that are replaced while the door runs: where they come from, and which key is asked next."""

from __future__ import annotations

from pathlib import Path

import pytest

from chassis.errors import WrongSetting
from invoicing_sync.stripe_door.secrets import ApiKeys, Secrets


def keys(*known: str) -> ApiKeys:
    return ApiKeys(Secrets("STRIPE_API_KEY", ",".join(known), None))


class TestSecrets:
    def test_a_setting_holds_several_with_commas(self) -> None:
        assert Secrets("S", " old, new ,", None).known() == ("old", "new")

    def test_a_file_holds_one_a_line_and_is_read_again(self, tmp_path: Path) -> None:
        file = tmp_path / "secrets"
        file.write_text("old\n\n")
        secrets = Secrets("S", None, str(file))
        first = secrets.known()
        (tmp_path / "next").write_text("old\nnew\n")
        (tmp_path / "next").replace(file)

        assert first == ("old",)
        assert secrets.known(now=True) == ("old", "new")

    @pytest.mark.parametrize("broken", ["", "\n", None])
    def test_while_the_file_is_missing_or_empty_the_last_ones_stay(self, broken: str | None, tmp_path: Path) -> None:
        file = tmp_path / "secrets"
        file.write_text("old\n")
        secrets = Secrets("S", None, str(file))
        if broken is None:
            file.unlink()
        else:
            file.write_text(broken)

        assert secrets.known(now=True) == ("old",)

    @pytest.mark.parametrize(
        ("given", "content", "sentence"),
        [
            ("a", "b", "S and S_FILE are both set: set one"),
            (None, "", "S_FILE: {file} is empty: it holds one secret a line"),
            (None, None, "S_FILE: {file} is not a file that this process can read"),
        ],
    )
    def test_the_start_says_what_is_wrong(
        self, given: str | None, content: str | None, sentence: str, tmp_path: Path
    ) -> None:
        file = tmp_path / "secrets"
        if content is not None:
            file.write_text(content)

        with pytest.raises(WrongSetting) as refused:
            Secrets("S", given, str(file))

        assert str(refused.value) == sentence.format(file=file)


class TestApiKeys:
    def test_the_first_is_used_until_it_is_refused(self) -> None:
        ring = keys("old", "new")

        assert ring.current() == "old"
        assert ring.after({"old"}) == "new"
        assert ring.current() == "new"

    def test_none_is_left_when_all_are_refused_and_then_all_are_asked_again(self) -> None:
        ring = keys("old", "new")
        ring.after({"old"})

        assert ring.after({"old", "new"}) is None
        assert ring.current() == "old"

    def test_a_request_that_began_with_the_old_key_goes_on_with_the_one_that_works(self) -> None:
        ring = keys("old", "new")
        ring.after({"old"})

        assert ring.after({"old"}) == "new"

    def test_a_key_that_has_just_come_into_the_file_is_asked_at_once(self, tmp_path: Path) -> None:
        file = tmp_path / "keys"
        file.write_text("old")
        ring = ApiKeys(Secrets("STRIPE_API_KEY", None, str(file)))
        (tmp_path / "next").write_text("new")
        (tmp_path / "next").replace(file)

        assert ring.after({"old"}) == "new"
        assert ring.current() == "new"
