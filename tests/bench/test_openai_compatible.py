"""The measurement of the OpenAI-compatible backend runs and counts every piece."""

import json
import subprocess
import sys

import pytest


@pytest.mark.timeout(600)
def test_the_measurement_runs():
    command = [sys.executable, "-m", "bench.openai_compatible", "--rounds", "1", "--scale", "0.05"]
    ran = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=500)
    assert ran.returncode == 0, ran.stderr
    costs = {cost["client"]: cost for cost in json.loads(ran.stdout)}
    assert {"floor", "interplay"} <= set(costs)
    assert costs["interplay"]["call"] > 0
