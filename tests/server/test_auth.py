"""Keys: wherever they are sent, whatever they are made of, and who may listen without."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from interplay.interactions.failures import Rejected
from interplay.server.auth import Keys, check_binding
from interplay.settings import Settings, SettingsError


def scope(*headers: tuple[str, str], query: str = "") -> dict[str, Any]:
    given = [(name.encode(), value.encode()) for name, value in headers]
    return {"headers": given, "query_string": query.encode()}


@pytest.mark.parametrize("secret", ["plain", "schlüssel", "with:colon", "a b+c&d=e"])
def test_a_key_is_taken_in_every_place_whatever_it_is_made_of(secret: str) -> None:
    keys = Keys([f"me:{secret}"])
    places = [
        scope(("x-goog-api-key", secret)),
        scope(("authorization", f"Bearer {secret}")),
        scope(("authorization", f"bearer {secret}")),
        scope(query=f"a=b&key={quote(secret)}"),
    ]
    assert [keys.owner_of(place) for place in places] == ["me"] * 4


def test_two_keys_of_one_name_are_one_owner_and_nameless_ones_are_their_own() -> None:
    keys = Keys(["me:one", "me:two", "three", "four"])
    owners = [keys.owner_of(scope(("x-goog-api-key", k))) for k in ("one", "two", "three", "four")]
    assert owners[0] == owners[1] == "me"
    assert len(set(owners)) == 3
    assert not {"three", "four"} & set(owners)  # a secret is no name


def test_a_missing_or_wrong_key_is_401_and_is_not_repeated() -> None:
    keys = Keys(["me:right"])
    for given in (scope(), scope(("x-goog-api-key", "wr0ng")), scope(query="key=wr0ng")):
        with pytest.raises(Rejected) as refused:
            keys.owner_of(given)
        assert refused.value.code == "authentication"
        assert "wr0ng" not in refused.value.message
        assert "right" not in refused.value.message


def test_without_keys_everyone_is_the_same_owner() -> None:
    assert Keys([]).owner_of(scope(("x-goog-api-key", "anything"))) == ""


def test_keys_come_from_settings_and_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text("# ours\n  # indented\n\n  filed:two  \n")
    keys = Keys.of(Settings(api_keys=["set:one"], api_keys_file=str(file)))
    assert keys.owner_of(scope(("x-goog-api-key", "one"))) == "set"
    assert keys.owner_of(scope(("x-goog-api-key", "two"))) == "filed"
    with pytest.raises(Rejected):
        keys.owner_of(scope(("x-goog-api-key", "# indented")))
    with pytest.raises(SettingsError, match="api_keys_file"):
        Keys.of(Settings(api_keys_file=str(tmp_path / "none")))


def test_an_address_others_can_reach_needs_keys_or_a_decision() -> None:
    none, some = Keys([]), Keys(["k"])
    for host in ("127.0.0.1", "::1", "localhost", "127.9.9.9"):
        check_binding(Settings(host=host), none)
    for host in ("0.0.0.0", "::", "192.168.1.5", "example.org"):
        with pytest.raises(SettingsError, match="api_keys"):
            check_binding(Settings(host=host), none)
        check_binding(Settings(host=host), some)
        check_binding(Settings(host=host, allow_insecure_public=True), none)
