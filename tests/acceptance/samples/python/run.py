"""Runs sample scripts one after the other and prints a line of JSON for each."""

import json
import runpy
import sys
import traceback


def main(scripts: list[str]) -> None:
    """A sample passes when it runs to its end; its own asserts decide."""
    for script in scripts:
        error = None
        try:
            runpy.run_path(script, run_name="__main__")
        except BaseException:  # noqa: BLE001 - a sample's failure is this program's result
            error = traceback.format_exc()
        print("\x1e" + json.dumps({"sample": script, "error": error}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
