import uuid
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import Forbidden, InvalidInput, Unauthenticated
from chalicelib.uploads import tokens
from chalicelib.uploads.keys import PREFIX, UploadKey, new_session_id, next_key, parse_key

ID = "1b671a64-40d5-491e-99b0-da01ff1f3341"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class TestKeys:
    def test_a_key_is_parsed_as_it_was_made(self) -> None:
        key = next_key(ID, NOW, None)
        assert str(key) == f"session-uploads/{ID}/image-1795262400000"
        assert parse_key(str(key)) == key

    def test_keys_of_a_session_only_grow(self) -> None:
        first = next_key(ID, NOW, None)
        assert next_key(ID, NOW, str(first)).stamp == first.stamp + 1

    @pytest.mark.parametrize(
        "key",
        [
            "",
            "raw/file",
            f"{PREFIX}{ID}",
            f"{PREFIX}{ID}/",
            f"{PREFIX}{ID}/image-1795262400000/x",
            f"{PREFIX}{ID}/../image-1795262400000",
            f"../{PREFIX}{ID}/image-1795262400000",
            f"{PREFIX}{ID.upper()}/image-1795262400000",
            f"{PREFIX}{ID}/image-1795262400000\n",
            f"{PREFIX}{ID}/image-١٧٩٥٢٦٢٤٠٠٠٠٠",
            f"{PREFIX}{ID}/image-+795262400000",
            f"{PREFIX}{ID}/image 1795262400000",
            f"{PREFIX}{ID}/bild-ü",
            f"{PREFIX}00000000-0000-1000-8000-000000000000/image-1795262400000",
        ],
    )
    def test_other_keys_are_refused(self, key: str) -> None:
        with pytest.raises(InvalidInput, match="key"):
            parse_key(key)

    @given(st.text(max_size=100))
    def test_only_what_is_made_is_parsed(self, text: str) -> None:
        for key in (text, PREFIX + text, f"{PREFIX}{ID}/image-{text}"):
            with suppress(InvalidInput):
                assert str(parse_key(key)) == key

    def test_session_ids_are_random_and_accepted(self) -> None:
        one, other = new_session_id(), new_session_id()
        assert one != other
        assert uuid.UUID(one).version == 4
        assert parse_key(str(UploadKey(one, 1795262400000))).session_id == one


class TestTokens:
    def test_are_random(self) -> None:
        assert tokens.new_token() != tokens.new_token()
        assert len(tokens.new_token()) == 22

    def test_open_only_their_own_side_of_their_own_session(self) -> None:
        known = tokens.hashed("owner", ID, "secret")
        assert "secret" not in known
        assert tokens.matches("owner", ID, "secret", known)
        assert not tokens.matches("upload", ID, "secret", known)
        assert not tokens.matches("owner", new_session_id(), "secret", known)
        assert not tokens.matches("owner", ID, "Secret", known)
        assert not tokens.matches("owner", ID, "ü" * 200, known)

    def test_missing_is_401_and_wrong_is_403(self) -> None:
        known = tokens.hashed("upload", ID, "secret")
        for missing in (None, ""):
            with pytest.raises(Unauthenticated, match="X-Upload-Token"):
                tokens.require("upload", ID, missing, known)
        with pytest.raises(Forbidden) as caught:
            tokens.require("upload", ID, "guess", known)
        assert "guess" not in caught.value.message

    def test_the_phones_token_fits_one_path_segment(self) -> None:
        token = tokens.phone_token(ID, tokens.new_token())
        assert len(token) == 32 + 1 + 22
        assert set(token) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
