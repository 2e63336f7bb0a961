"""Keys as values: made once, rotated with overlap, revoked for good; a file of another form is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from chassis import keyring
from chassis.keyring import Key, KeyRefused, KeyScope, digest_of, new_secret

NOW = datetime(2026, 10, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def a_key(secret: str, name: str = "finance", scope: KeyScope = KeyScope.READ) -> Key:
    return Key(name, scope, digest_of(secret), NOW)


def test_a_secret_is_long_marked_and_never_the_same() -> None:
    first, second = new_secret(), new_secret()

    assert first.startswith("stl_")
    assert len(first) == 47
    assert first != second


def test_a_scope_includes_those_below_it() -> None:
    assert KeyScope.READ < KeyScope.OPERATE < KeyScope.ADMIN
    with pytest.raises(KeyRefused, match="read, operate or admin"):
        KeyScope.of("root")


def test_a_key_is_found_by_its_secret_alone() -> None:
    keys = [a_key("one", "one"), a_key("two", "two")]

    assert keyring.find(keys, "two") == keys[1]
    assert keyring.find(keys, "three") is None
    assert keyring.find(keys, digest_of("two").hex()) is None


def test_every_digest_is_compared_in_constant_time_wherever_the_right_one_stands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared: list[bytes] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append(one)
        return one == other

    monkeypatch.setattr(keyring.hmac, "compare_digest", compare)
    keys = [a_key(str(number), f"key-{number}") for number in range(5)]

    for secret in ("0", "4", "none"):
        compared.clear()
        keyring.find(keys, secret)

        assert compared == [key.digest for key in keys]


def test_a_name_is_never_used_again_also_after_revocation() -> None:
    keys = keyring.create((), "finance", KeyScope.READ, digest_of("a"), at=NOW)
    keys = keyring.revoke(keys, "finance", at=NOW)

    with pytest.raises(KeyRefused, match="not used again"):
        keyring.create(keys, "finance", KeyScope.READ, digest_of("b"), at=NOW)
    for name in ("", "-x", "a b", "a\n", "ä", "x" * 101):
        with pytest.raises(KeyRefused, match="a name is"):
            keyring.create(keys, name, KeyScope.READ, digest_of("b"), at=NOW)


def test_after_a_rotation_both_secrets_are_valid_until_the_overlap_ends() -> None:
    keys = (a_key("old", scope=KeyScope.ADMIN), a_key("other", "other"))

    rotated = keyring.rotate(keys, "finance", digest_of("new"), at=NOW, overlap=HOUR)

    old, other, new = rotated
    assert [key.state(NOW + HOUR - timedelta.resolution) for key in rotated] == ["valid"] * 3
    assert [key.state(NOW + HOUR) for key in rotated] == ["expired", "valid", "valid"]
    assert (old.expires_at, other, new.scope) == (NOW + HOUR, keys[1], KeyScope.ADMIN)


def test_a_rotation_never_lengthens_an_old_secret_and_drops_ended_ones() -> None:
    keys = keyring.rotate((a_key("first"),), "finance", digest_of("second"), at=NOW, overlap=HOUR)

    soon = keyring.rotate(keys, "finance", digest_of("third"), at=NOW, overlap=24 * HOUR)
    late = keyring.rotate(keys, "finance", digest_of("third"), at=NOW + 2 * HOUR, overlap=timedelta(0))

    assert [key.expires_at for key in soon] == [NOW + HOUR, NOW + 24 * HOUR, None]
    assert [key.digest for key in late] == [digest_of("second"), digest_of("third")]
    assert late[0].state(NOW + 2 * HOUR) == "expired"


def test_a_revoked_key_opens_nothing_and_is_not_rotated() -> None:
    keys = keyring.rotate((a_key("old"),), "finance", digest_of("new"), at=NOW, overlap=HOUR)

    keys = keyring.revoke(keys, "finance", at=NOW)

    assert {key.state(NOW) for key in keys} == {"revoked"}
    assert keyring.revoke(keys, "finance", at=NOW + HOUR) == keys
    with pytest.raises(KeyRefused, match="was revoked"):
        keyring.rotate(keys, "finance", digest_of("x"), at=NOW, overlap=HOUR)
    with pytest.raises(KeyRefused, match="no key named nobody"):
        keyring.revoke(keys, "nobody", at=NOW)


def test_a_file_reads_as_it_was_written_and_holds_no_secret() -> None:
    secret = new_secret()
    keys = keyring.rotate((a_key("old"), a_key("b", "b")), "b", digest_of(secret), at=NOW, overlap=HOUR)
    keys = keyring.revoke(keys, "finance", at=NOW)

    text = keyring.to_text(keys)

    assert keyring.from_text(text) == keys
    assert keyring.from_text(f"\n{text}\n\n") == keys
    assert secret.removeprefix("stl_") not in text


@pytest.mark.parametrize(
    "broken",
    [
        "{",
        "[]",
        "1",
        "{}",
        '{"name": "a", "scope": "root", "digest": "00", "created_at": "2026-10-01T00:00:00Z"}',
        '{"name": "a", "scope": "read", "digest": "00", "created_at": "2026-10-01T00:00:00Z"}',
        '{"name": "a b", "scope": "read", "digest": "%s", "created_at": "2026-10-01T00:00:00Z"}' % ("0" * 64),
        '{"name": "a", "scope": "read", "digest": "%s", "created_at": "yesterday"}' % ("0" * 64),
        '{"name": "a", "scope": "read", "digest": "%s", "created_at": "2026-10-01T00:00:00Z", "only": 1}' % ("0" * 64),
    ],
)
def test_a_line_that_is_no_key_or_says_more_than_is_understood_is_refused_by_number(broken: str) -> None:
    with pytest.raises(ValueError, match=r"^line 2 is no key$"):
        keyring.from_text(keyring.to_text([a_key("x")]) + broken)
