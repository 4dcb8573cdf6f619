"""Rules that no other tool holds: the closed list of utilities, scripts, and tests."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.errors import PROBLEMS
from services import errors

REPOSITORY = Path(__file__).parents[1]
PACKAGES = ("backend", "services", "config", "utils")
SCRIPTS = sorted((REPOSITORY / "services").rglob("*.lua"))
# What a script in Redis may use besides the names that it makes itself.
LUA_GLOBALS = {
    "ARGV",
    "KEYS",
    "cjson",
    "ipairs",
    "math",
    "next",
    "pairs",
    "pcall",
    "redis",
    "string",
    "table",
    "tonumber",
    "tostring",
    "type",
    "unpack",
}
# What stands in front of other scripts, and of which; what is won stands in front of
# one that is another package's.
SHARED = {
    "phone.lua": "otp/*.lua",
    "person.lua": "identity/people/*.lua",
    "key_rows.lua": "identity/keys/key_*.lua",
    "client_rows.lua": "identity/clients/client_*.lua",
    "won.lua": "otp/check.lua",
    "windows.lua": "abuse/*.lua",
    "conversion.lua": "abuse/*.lua",
    "spend.lua": "abuse/*.lua",
}
LUA_KEYWORDS = set(
    re.findall(
        r"\w+",
        "and break do else elseif end false for function goto if in local nil not or"
        " repeat return then true until while",
    )
)
# They play slow servers, or wait for another process; nobody else waits.
SLEEPERS = {
    "tests.config.test_server",
    "tests.services.sms.test_connections",
    "tests.services.sms.test_transport",
    "tests.simulator_tests.test_rules",
    "tests.simulator_tests.test_simulator",
}


def modules(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    """Yield every module's dotted name and syntax tree."""
    for folder in folders:
        for path in sorted((REPOSITORY / folder).rglob("*.py")):
            name = ".".join(path.relative_to(REPOSITORY).with_suffix("").parts)
            yield name, ast.parse(path.read_text(encoding="utf-8"))


def imports_of(tree: ast.Module) -> Iterator[str]:
    """Yield the dotted names that a module imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def lua_code(path: Path) -> str:
    """Return a script without its comments and strings."""
    text = re.sub(r"--[^\n]*", "", path.read_text(encoding="utf-8"))
    return re.sub(r"'[^'\n]*'|\"[^\"\n]*\"", "''", text)


def lua_locals(code: str) -> set[str]:
    """Return the names that a script declares: locals, parameters, loop variables."""
    lists = re.findall(r"\blocal\s+(?!function\b)([\w\s,]+?)\s*(?:=|\n|$)", code)
    lists += re.findall(r"\bfunction\b\s*\w*\s*\(([^)]*)\)", code)
    lists += re.findall(r"\bfor\s+([\w\s,]+?)\s*(?:=|\bin\b)", code)
    names = {name.strip() for text in lists for name in text.split(",")}
    return names | set(re.findall(r"\blocal\s+function\s+(\w+)", code))


def test_utilities_are_a_closed_list() -> None:
    found = {path.stem for path in (REPOSITORY / "utils").glob("*.py")}

    assert found == {"__init__", "clock", "crypto", "phone"}


@pytest.mark.parametrize("name", ["clock", "crypto", "phone"])
def test_a_utility_is_shared_by_two_modules_or_more(name: str) -> None:
    users = {
        module
        for module, tree in modules("backend", "services", "config")
        if any(it.startswith(f"utils.{name}.") for it in imports_of(tree))
    }

    assert len(users) >= 2, users


def test_packages_have_empty_init_files() -> None:
    for package in PACKAGES:
        for path in (REPOSITORY / package).rglob("__init__.py"):
            assert path.read_text() == "", path


def test_every_error_class_has_a_row() -> None:
    classes = [
        it
        for it in vars(errors).values()
        if isinstance(it, type) and issubclass(it, errors.AuthError)
    ]

    assert {it.code for it in classes if it is not errors.AuthError} <= set(PROBLEMS)


def test_the_error_tree_is_drawn_in_full() -> None:
    assert errors.__doc__
    drawn = set(re.findall(r"[├└]── (\w+)", errors.__doc__))

    assert drawn == {it.__name__ for it in errors.AuthError.__subclasses__()}


def test_there_are_scripts() -> None:
    assert {it.name for it in SCRIPTS} >= {*SHARED, "start.lua", "admit.lua"}


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_uses_no_global_of_its_own(path: Path) -> None:
    """Redis refuses to make globals, but only when the line is reached."""
    code = lua_code(path)
    known = LUA_GLOBALS | LUA_KEYWORDS | lua_locals(code)
    for shared in SCRIPTS:
        if shared.name in SHARED and path.match(SHARED[shared.name]):
            known |= lua_locals(lua_code(shared))

    # Not after a dot or a number, and not the name of a table's field.
    used = set(re.findall(r"(?<![\w.])([A-Za-z_]\w*)\b(?!\s*=[^=])", code))
    assigned = set(re.findall(r"^\s*([A-Za-z_]\w*)\s*=[^=]", code, re.MULTILINE))
    fields = set(re.findall(r"[{,]\s*([A-Za-z_]\w*)\s*=[^=]", code))
    # A table written over several lines has a field on each.
    fields |= set(re.findall(r"^\s*([A-Za-z_]\w*)\s*=[^=][^\n]*,$", code, re.MULTILINE))

    assert used <= known, used - known
    assert assigned - fields <= known, assigned - fields - known


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_touches_the_keys_it_is_given_and_no_other(path: Path) -> None:
    """Redis Cluster routes by KEYS: a key made up inside would be in another slot."""
    text = re.sub(r"--[^\n]*", "", path.read_text(encoding="utf-8"))

    calls = re.findall(r"redis\.p?call\('(\w+)'\s*,?\s*([^,)]*)", text)

    assert all(
        command == "TIME" or re.fullmatch(r"KEYS\[\w+\]|key", first.strip())
        for command, first in calls
    ), calls
    # ``key`` is a parameter, and what is handed over for it is one of KEYS.
    assert set(re.findall(r"\bread\((\w+\[?\w*\]?)\)", text)) <= {"key", "KEYS[i]"}


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_says_what_it_takes_and_returns(path: Path) -> None:
    head = path.read_text(encoding="utf-8")

    if path.name not in SHARED:
        for word in ("KEYS[", "ARGV[1]", "returns"):
            assert word in head.split("\n\n", 1)[0] + head[:1500]


def test_tests_neither_patch_nor_sleep() -> None:
    sleepers = set()
    for name, tree in modules("tests"):
        used = set(imports_of(tree))
        used |= {
            ast.unparse(it) for it in ast.walk(tree) if isinstance(it, ast.Attribute)
        }
        assert not any(it.startswith("unittest.mock") for it in used), name
        assert "mock.patch" not in used, name
        if "time.sleep" in used:
            sleepers.add(name)

    assert sleepers <= SLEEPERS


def test_modules_stay_short() -> None:
    lengths = {
        str(path.relative_to(REPOSITORY)): len(path.read_text().splitlines())
        for folder in PACKAGES
        for path in (REPOSITORY / folder).rglob("*.py")
    }

    assert {name: it for name, it in lengths.items() if it > 300} == {}
