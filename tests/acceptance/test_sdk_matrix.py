"""The documentation's samples, run by the SDKs people have, with another base URL and no more."""

from __future__ import annotations

import pytest

from tests.acceptance.conftest import SAMPLES, Server, outcomes

MATRIX = [
    ("python", "1.55.0", "outputs"),
    ("python", "2.34.0", "steps"),
    ("python", "3.4.0", "steps"),
    ("js", "1.33.0", "outputs"),
    ("js", "3.1.0", "steps"),
]
CASES = [
    (language, version, style, path.stem)
    for language, version, style in MATRIX
    for path in sorted((SAMPLES / language / style).iterdir())
    if path.suffix in (".py", ".mjs")
]


def test_every_sdk_has_samples():
    assert {case[:3] for case in CASES} == set(MATRIX)
    assert len(CASES) == 9 * len(MATRIX)


@pytest.mark.requirement("schema:sdk-1")
@pytest.mark.requirement("schema:sdk-3")
@pytest.mark.requirement("schema:sdk-js")
@pytest.mark.sdk_matrix
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("language", "version", "style", "sample"), CASES)
def test_a_sample_runs_unchanged(
    language: str, version: str, style: str, sample: str, server: Server
):
    results = outcomes(server.url, language, version, style)
    assert results[""] is None, results[""]
    assert sample in results, f"the sample did not come to an end:\n{server.log}"
    assert results[sample] is None, f"{results[sample]}\n{server.log}"
