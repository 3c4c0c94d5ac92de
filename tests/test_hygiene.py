"""Habits a reader may rely on in every file: nothing executes data, hides an error, or is left half done."""

import ast
import hashlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house import ROOMS, ROOT, parsed, python_files

CODE = ("lithify", "tests", "bench", "examples")
EXECUTES_DATA = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve"}
MAY_EVALUATE = {ROOT / "tests/suites/codec_suite.py"}
"""Params promise that their repr builds them again, and only evaluating it shows that."""
# The brackets keep these patterns from finding themselves.
UNFINISHED = re.compile(r"\b(T[O]DO|F[I]XME|X[X]X|H[A]CK)\b")
BARE_IGNORE = re.compile(r"#\s*type:\s*i[g]nore(?!\[)")
LINK = re.compile(r"\]\(([^)#][^)\s]*)\)")
COMMITTED_BYTES_MAX = 512 * 1024
MAY_BE_LARGE = {ROOT / "lithify/codecs/text" / name for name in ("learnt.bin", "languages.bin", "network.bin")}
"""What other texts taught is part of a format: every release needs it (lithify/codecs/text/MODEL.md)."""
MEASURED_DATA = ROOT.parent / "shared" / "data"
"""Files to measure with may lie beside the checkout; their licences do not let us pass them on."""
HEAVY = {
    *("alembic", "croniter", "fastapi", "httpx", "llvmlite", "numba", "numpy", "prometheus_client", "puremagic"),
    *("pydantic", "pydantic_settings", "pyppmd", "rich", "sqlalchemy", "starlette", "structlog", "uvicorn"),
    "zstandard",
}


def test_every_file_keeps_the_habits() -> None:
    broken = [f"{path.relative_to(ROOT)}: {habit}" for path in python_files(*CODE) for habit in broken_habits(path)]
    assert broken == []


def broken_habits(path: Path) -> Iterator[str]:
    """One sentence for each habit that the file breaks."""
    evaluators = {"exec"} if path in MAY_EVALUATE else {"eval", "exec"}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if found := UNFINISHED.search(line):
            yield f"line {number} leaves something undone: {found[0]}"
        if BARE_IGNORE.search(line):
            yield f"line {number} silences the type checker without saying which complaint"
    for node in ast.walk(parsed(path)):
        place = getattr(node, "lineno", 0)
        if imported := {name.partition(".")[0] for name in imported_names(node)} & EXECUTES_DATA:
            yield f"line {place} imports {imported.pop()}, which executes what it reads"
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) in evaluators:
            yield f"line {place} executes a string"
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            yield f"line {place} catches everything without a name"


def imported_names(node: ast.AST) -> list[str]:
    """The modules that an import statement names."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from marshal import loads",
        "import shelve as s",
        "eval('1')",
        "exec('')",
        "try:\n    pass\nexcept:\n    pass",
        "# T\u004fDO: later",
        "x = 1  # type: i\u0067nore",
    ],
)
def test_a_planted_habit_is_caught(tmp_path: Path, line: str) -> None:
    path = tmp_path / "planted.py"
    path.write_text(f"{line}\n")
    assert len(list(broken_habits(path))) == 1


def test_the_linter_looks_at_every_file_once() -> None:
    command = [sys.executable, "-m", "ruff", "check", "--show-files", str(ROOT)]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    looked_at = sorted(Path(name) for name in shown if name.endswith(".py"))
    assert looked_at == sorted(python_files(*CODE))


@pytest.mark.parametrize("room", ROOMS)
def test_the_top_level_shows_every_room_as_a_link(room: str) -> None:
    assert Path("lithify") / room == (ROOT / room).readlink()
    assert (ROOT / "lithify" / room).is_dir()


def test_the_standard_library_keeps_the_name_codecs() -> None:
    assert not (ROOT / "lithify" / "codecs" / "__init__.py").exists()


def kept_files() -> list[Path]:
    """What git keeps or would keep."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("this is no git checkout")
    paths = (ROOT / name for name in listed.stdout.decode().split("\0") if name)
    return [path for path in paths if path.is_file() and not path.is_symlink()]


def test_nothing_large_is_kept_in_the_repository() -> None:
    assert [
        str(path) for path in kept_files() if path.stat().st_size > COMMITTED_BYTES_MAX and path not in MAY_BE_LARGE
    ] == []


def test_no_measured_data_is_kept_in_the_repository() -> None:
    if not MEASURED_DATA.is_dir():
        pytest.skip("no data to measure with lies beside this checkout")
    sizes = {path.stat().st_size for path in MEASURED_DATA.rglob("*") if path.is_file()}
    suspects = {digest(path): path for path in kept_files() if path.stat().st_size in sizes}
    data = {digest(path) for path in MEASURED_DATA.rglob("*") if path.is_file()} if suspects else set()
    assert [str(path) for found, path in suspects.items() if found in data] == []


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def test_every_link_in_a_document_leads_somewhere() -> None:
    dead = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in kept_files()
        if page.suffix == ".md"
        for target in LINK.findall(page.read_text(encoding="utf-8"))
        if "://" not in target and not (page.parent / target.partition("#")[0]).exists()
    ]
    assert dead == []


@pytest.mark.parametrize("room", ["api", "codecs", "store", "workers"])
def test_the_readme_of_a_room_names_every_file_in_it(room: str) -> None:
    folder = ROOT / "lithify" / room
    readme = (folder / "README.md").read_text(encoding="utf-8")
    files = [path.name for path in folder.glob("*.py") if path.name != "__init__.py"]
    assert [name for name in files if f"`{name}`" not in readme] == []


def test_every_file_that_the_map_of_the_tests_names_is_there() -> None:
    tests = ROOT / "tests"
    named = re.findall(r"`([\w/]+(?:\.py|/))`", (tests / "README.md").read_text(encoding="utf-8"))
    assert len(named) > 10
    assert [name for name in named if not (tests / name).exists()] == []


@pytest.mark.parametrize(
    "statement",
    [
        "import lithify, lithify.errors, lithify.limits, lithify.crashpoints",
        "from lithify.api.cli import program; program.main(['--help'], standalone_mode=False)",
        "from lithify.api.cli import program; program.main(['put', '--help'], standalone_mode=False)",
    ],
)
def test_starting_up_imports_nothing_heavy(statement: str) -> None:
    code = f"import sys\n{statement}\nprint('imported', *sorted(name for name in sys.modules if '.' not in name))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = done.stdout.splitlines()[-1].split()
    assert imported[0] == "imported"
    assert set(imported) & HEAVY == set()
