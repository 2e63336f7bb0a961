"""Only what a command of ours made is ever emptied or removed, and by one command at a time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from settled_cli import folders, main
from settled_cli.folders import MARK, FolderRefused, made_by, mark, remove, work_folder


class TestWorkFolder:
    def test_a_new_folder_says_what_made_it(self, tmp_path: Path) -> None:
        with work_folder(tmp_path / "out", "settled demo", replace=False) as folder:
            facts = json.loads((folder / MARK).read_text())

        assert (facts["made_by"], made_by(folder)) == ("settled demo", "settled demo")

    def test_what_an_earlier_command_left_is_gone(self, tmp_path: Path) -> None:
        with work_folder(tmp_path / "out", "settled demo", replace=False) as folder:
            (folder / "workload").mkdir()
            (folder / "workload" / "truth.json").write_text("{}")

        with work_folder(tmp_path / "out", "settled bench", replace=False) as folder:
            assert [each.name for each in folder.iterdir()] == [MARK]
        assert made_by(folder) == "settled bench"

    @pytest.mark.parametrize("replace", [False, True])
    def test_a_folder_without_a_mark_is_somebody_elses(self, replace: bool, tmp_path: Path) -> None:
        (tmp_path / "thesis.txt").write_text("years of work")

        with (
            pytest.raises(FolderRefused, match="bears no mark of settled"),
            work_folder(tmp_path, "settled demo", replace=replace),
        ):
            pass

        assert [each.name for each in tmp_path.iterdir()] == ["thesis.txt"]

    def test_two_commands_do_not_work_in_one_folder(self, tmp_path: Path) -> None:
        with (
            work_folder(tmp_path, "settled demo", replace=False),
            pytest.raises(
                FolderRefused, match=r"another command works in .* \(settled demo\): wait until it has ended"
            ),
            work_folder(tmp_path, "settled bench", replace=True),
        ):
            pass

    def test_a_folder_that_a_command_works_in_is_not_removed(self, tmp_path: Path) -> None:
        with work_folder(tmp_path, "settled demo", replace=False) as folder:
            with pytest.raises(FolderRefused, match="another command works"):
                remove(folder)
            assert folder.is_dir()

    def test_a_link_in_it_is_removed_and_not_followed(self, tmp_path: Path) -> None:
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        (elsewhere / "thesis.txt").write_text("years of work")
        with work_folder(tmp_path / "out", "settled demo", replace=False) as folder:
            (folder / "link").symlink_to(elsewhere)

        assert remove(folder)

        assert (elsewhere / "thesis.txt").exists()
        assert not folder.exists()


class TestMark:
    def test_a_state_folder_from_before_there_were_marks_is_marked(self, tmp_path: Path) -> None:
        (tmp_path / "stack.json").write_text("{}")
        (tmp_path / "logs").mkdir()

        mark(tmp_path, "settled up")

        assert made_by(tmp_path) == "settled up"

    def test_a_folder_with_files_of_somebody_else_is_not(self, tmp_path: Path) -> None:
        (tmp_path / "stack.json").write_text("{}")
        (tmp_path / "thesis.txt").write_text("years of work")

        with pytest.raises(FolderRefused, match="holds files that settled has not made"):
            mark(tmp_path, "settled up")


class TestCommands:
    @pytest.mark.parametrize("month", ["2026-13", "2026-1", "2026", "October", "0000-01", "2026-10-01", "-001-01"])
    def test_a_month_that_is_none_is_refused_before_anything_happens(
        self, month: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)

        ended = CliRunner().invoke(main.app, ["demo", f"--month={month}"], env={"COLUMNS": "200"})

        assert ended.exit_code == 2
        assert f"{month} is not a month: write year and month such as 2026-10" in ended.output
        assert list(tmp_path.iterdir()) == []

    def test_an_earlier_result_that_is_none_is_refused_before_anything_happens(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "picture.png").write_bytes(b"\x89PNG\xff")

        ended = CliRunner().invoke(main.app, ["bench", "--compare", "picture.png"], env={"COLUMNS": "200"})

        assert ended.exit_code == 2
        assert "picture.png is not a result of settled bench" in ended.output
        assert [each.name for each in tmp_path.iterdir()] == ["picture.png"]

    @pytest.mark.parametrize("command", ["demo", "faults", "bench"])
    def test_an_output_folder_without_a_mark_is_left_alone(
        self, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        kept = tmp_path / "out" / command / "thesis.txt"
        kept.parent.mkdir(parents=True)
        kept.write_text("years of work")

        ended = CliRunner().invoke(main.app, [command, "--replace"])

        assert ended.exit_code == 2
        assert kept.read_text() == "years of work"

    def test_clean_and_down_remove_only_what_is_ours(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        kept = tmp_path / "out" / "demo" / "thesis.txt"
        kept.parent.mkdir(parents=True)
        kept.write_text("years of work")
        with work_folder(tmp_path / "out" / "bench", "settled bench", replace=False):
            pass
        monkeypatch.setattr(main, "STATE", kept.parent)
        with pytest.raises(FolderRefused):
            folders.remove(kept.parent)

        ended = CliRunner().invoke(main.app, ["clean"])

        assert ended.exit_code == 2
        assert kept.read_text() == "years of work"
        assert not (tmp_path / "out" / "bench").exists()
