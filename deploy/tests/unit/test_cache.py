"""Only the jars that were tested are run."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from embedded_stack import StackError, cache


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own that holds copies of the real jars."""
    jars = cache.kafka_jars()
    monkeypatch.setenv("SETTLED_CACHE_DIR", str(tmp_path))
    for jar in jars:
        shutil.copy(jar, tmp_path / jar.name)
    copies = "\n".join(str(tmp_path / jar.name) for jar in jars)
    (tmp_path / "kafka-4.3.1.classpath").write_text(copies)
    return tmp_path


def test_jars_are_found_again_in_their_order(own_cache: Path) -> None:
    jars = cache.kafka_jars()

    assert len(jars) == 46
    assert jars[0].parent == own_cache


def test_a_jar_that_was_changed_is_refused_by_name(own_cache: Path) -> None:
    with (own_cache / "kafka-clients-4.3.1.jar").open("ab") as jar:
        jar.write(b"!")

    with pytest.raises(StackError, match=r"not those of the tested release: kafka-clients-4\.3\.1\.jar\."):
        cache.kafka_jars()


def test_a_folder_below_one_that_others_may_not_enter_is_not_open_to_all(tmp_path: Path) -> None:
    inner = tmp_path / "closed" / "inner"
    inner.mkdir(parents=True)
    inner.parent.chmod(0o700)

    assert not cache.all_may_enter(inner)
    assert cache.all_may_enter(Path("/usr/lib"))
