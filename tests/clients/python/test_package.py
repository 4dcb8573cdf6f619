"""The kit as a package: it stands alone, and its documents hold."""

import ast
import json
import re
import sys
import tomllib
from pathlib import Path

import pytest

from backend.version import VERSION

KIT = Path(__file__).parents[3] / "clients" / "python"
MODULES = sorted((KIT / "quickcart_auth").glob("*.py"))
# Each of these two is imported by those alone who use it.
OPTIONAL = {"flask": {"flask"}, "fastapi": {"fastapi"}}
NEEDED = {"jwt", "quickcart_auth"}


def roots_of(tree: ast.Module) -> set[str]:
    """Return the packages that a module imports."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_leans_on_pyjwt_and_the_standard_library_alone(path: Path) -> None:
    found = roots_of(ast.parse(path.read_text(encoding="utf-8")))

    assert found - sys.stdlib_module_names - NEEDED == OPTIONAL.get(path.stem, set())


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_modules_stay_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300


def test_it_needs_one_package() -> None:
    project = tomllib.loads((KIT / "pyproject.toml").read_text())["project"]

    (needed,) = project["dependencies"]
    assert needed.startswith("pyjwt[crypto]>=2.15")
    assert set(project["optional-dependencies"]) == set(OPTIONAL)


def test_the_kits_are_of_the_services_version() -> None:
    ours = tomllib.loads((KIT / "pyproject.toml").read_text())["project"]["version"]
    script = json.loads((KIT.parent / "js" / "package.json").read_text())["version"]

    assert {ours, script} == {VERSION}


@pytest.mark.parametrize("name", ["flask_service", "fastapi_service"])
def test_the_readme_shows_the_examples_as_they_are(name: str) -> None:
    example = (KIT / "examples" / f"{name}.py").read_text(encoding="utf-8")
    blocks = re.findall(
        r"```python\n(.*?)```", (KIT / "README.md").read_text(), re.DOTALL
    )

    assert example.partition('"""\n\n')[2] in blocks
