"""Who may import whom: the contracts in pyproject.toml hold, and they cover the whole package."""

import subprocess
import sys
import tomllib
from importlib.metadata import distribution

from tests.house.tree import ROOT, SRC, short

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CONTRACTS = PROJECT["tool"]["importlinter"]["contracts"]
GROUPS = PROJECT["project"]["entry-points"]


def test_every_import_contract_holds():
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_part_of_the_package_stands_in_a_layer():
    (layers,) = [contract["layers"] for contract in CONTRACTS if contract["type"] == "layers"]
    placed = {name.strip() for layer in layers for name in layer.split("|")}
    parts = {
        f"interplay.{path.stem}"
        for path in SRC.iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert parts - {"interplay.__init__", "interplay.__main__"} == placed


def test_every_entry_point_is_installed_and_leads_to_a_file():
    points = distribution("interplay").entry_points
    installed = {(point.group, point.name, point.value) for point in points}
    for group, points in GROUPS.items():
        for name, value in points.items():
            assert (group, name, value) in installed, "run ./run setup again"
            module = ROOT / "src" / value.partition(":")[0].replace(".", "/")
            assert module.is_dir() or module.with_suffix(".py").is_file(), f"{group} {name}"


def test_every_plugin_has_an_entry_point():
    named = {value.partition(":")[0] for points in GROUPS.values() for value in points.values()}
    parts_of_others = {
        "interplay.plugins.models.catalogue",  # what llama_cpp and the CLI share
        "interplay.plugins.models.remote",  # what backends of servers share
    }
    for kind in (path for path in (SRC / "plugins").iterdir() if path.is_dir()):
        for plugin in kind.iterdir():
            module = "interplay.plugins." + f"{kind.name}.{plugin.stem}"
            if plugin.stem.startswith("_") or plugin.suffix not in ("", ".py"):
                continue
            assert module in named | parts_of_others, f"{short(plugin)} has no entry point"
