"""Signatures hold a thought for the way back, and only their own are read."""

import pytest

from interplay.plugins.models.remote import signature


@pytest.mark.parametrize("forged", ["eA==", "not base64!", "e30="])
def test_a_signature_that_is_not_ours_is_passed_over(forged: str):
    assert signature.read(forged, "openai_compatible/m") is None


def test_what_was_signed_is_read_back_by_its_own_origin_alone():
    signed = signature.Signed("a", "hm", [{"type": "x"}])
    assert signature.read(signature.sign(signed), "a") == signed
    assert signature.read(signature.sign(signed), "b") is None
    assert signature.read(None, "a") is None
