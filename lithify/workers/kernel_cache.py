"""Where kernels are kept between runs: a folder of this user's own, and a list of what must lie in it.

numba has a cache, and three habits of it would be wrong here. It takes a kernel for fresh if the file it stands in has
not changed, though it was compiled together with kernels and constants of other files: an upgrade could leave decoders
half old. So a folder is named by the digest of everything that kernels are made of. It believes every file: what lies
in the folder is machine code, so one file that is not as we wrote it (a power cut, rot) empties the folder. And two
processes that compile side by side may number each other's files: one of them waits.

Each codec's kernels are made when they are first wanted, and the list says whose lie there. Codecs of others lie in the
same folder: when one of those is installed, changed or removed, their kernels are made again, and ours stay. One of
them may be made of another's code, so that they go together; ours are made of nobody else's.

The folder is `$XDG_CACHE_HOME/lithify/kernels/DIGEST`, by default under `~/.cache`. Where none can be written, kernels
are made again at each start, and that is said.
"""

import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import llvmlite
import numba
import numpy as np
from llvmlite import binding as llvm
from numba.core import caching

import lithify
from lithify.codecs.codec import Codec
from lithify.codecs.registry import all_codecs, known_formats

config: Any = numba.config
_LIST = "complete.json"
_LOCK = "lock"
_KEEPING = {name: getattr(caching.Cache, name) for name in ("load_overload", "save_overload")}
"""How numba reads and writes what it keeps: it has no switch for that."""
_KEPT_FOLDERS = 8
"""Folders of other editions (releases, environments, machines that share a home), the last used, that stay."""


def make_kernels(codec: type[Codec], told: Callable[[], None] = lambda: None) -> list[str]:
    """Bring the kernels of a codec into memory; gives a sentence when they cannot be kept for the next time.

    told  called before they are made, if they must be

    Costs some tenths of a second if they are kept, up to a minute if they must be made. Raises whatever the codec's own
    code raises.
    """
    with _folder() as (folder, gaps), _kept_in(folder):
        if _are_whole(folder, codec):
            codec.warm()
        else:
            told()
            _make(folder, codec)
    return gaps


@contextmanager
def _kept_in(folder: Path) -> Iterator[None]:
    """Inside, numba reads kernels from `folder` and writes them there; outside it keeps nothing."""
    config.CACHE_DIR, config.CACHE_LOCATOR_CLASSES = str(folder), ""
    for name, method in _KEEPING.items():
        setattr(caching.Cache, name, method)
    try:
        yield
    finally:
        keep_nothing()


def _make(folder: Path, codec: type[Codec]) -> None:
    """Compile into `folder`, alone; whoever waited for us finds it done."""
    with (folder / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        whose = _whose(folder)
        if whose is None:
            _empty(folder)
        elif _others_changed(folder):
            _empty(folder, _folders_of(_our_sources()))
        edition = _others_edition()
        try:
            codec.warm()
        except Exception:
            if not _files(folder):
                raise
            whose = _emptied_for(folder, codec, whose or set())
            codec.warm()
        _write_list(folder, {*(whose or ()), codec.facts.id}, edition)


def _emptied_for(folder: Path, codec: type[Codec], whose: set[str]) -> set[str]:
    """Remove what may be why kernels could not be made, such as a file that a power cut left half written.

    Gives whose kernels are left: ours, if the codec is another's.
    """
    if _is_ours(codec.__module__):
        _empty(folder)
        return set()
    _empty(folder, _folders_of(_our_sources()))
    ours = whose & _our_ids()
    _write_list(folder, ours, _others_edition())
    return ours


@contextmanager
def _folder() -> Iterator[tuple[Path, list[str]]]:
    """A folder for kernels that only we may write; if there is none, one to be thrown away, and a sentence."""
    try:
        folder = _own_folder()
    except _Unwritable as error:
        with tempfile.TemporaryDirectory(prefix="lithify-") as thrown_away:
            yield Path(thrown_away), [f"kernels are made again at every start, which takes up to a minute: {error}"]
    else:
        yield folder, []
        os.utime(folder)
        _forget_others(folder)


class _Unwritable(Exception):
    """There is no place to keep kernels."""


def _own_folder() -> Path:
    root = None
    try:
        root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lithify" / "kernels"
        folder = root / _edition()
        for place in (root, folder):
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            if (found := place.stat()).st_uid != os.getuid() or found.st_mode & 0o022:
                raise _Unwritable(f"others may write {place}, and what lies there is run")
        tempfile.TemporaryFile(dir=folder).close()
    except (OSError, RuntimeError) as error:  # RuntimeError: nobody knows where home is
        raise _Unwritable(f"{root or 'a cache folder'} cannot be written ({error})") from error
    return folder


def _edition() -> str:
    """The digest of everything that decides how our kernels come out: our code, the tools, the processor."""
    digest = hashlib.sha256()
    tools = (numba.__version__, llvmlite.__version__, np.__version__, sys.version)
    for part in (*tools, llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()):
        digest.update(part.encode() + b"\0")
    _update(digest, _our_sources())
    return digest.hexdigest()[:32]


def _others_edition() -> str:
    """The digest of what the kernels of other people's codecs are made of beside ours."""
    digest = hashlib.sha256()
    _update(digest, _others_sources())
    return digest.hexdigest()[:32]


def _update(digest: "hashlib._Hash", paths: Iterable[Path]) -> None:
    for path in paths:
        digest.update(f"{path}\0{path.stat().st_size}\0".encode() + path.read_bytes())


def _our_sources() -> list[Path]:
    """Every file that a kernel of ours may be made of: our codecs and our limits."""
    ours = Path(lithify.__file__).parent
    return sorted({ours / "limits.py", *(ours / "codecs").rglob("*.py")})


def _others_sources() -> list[Path]:
    """The folders of other people's codecs."""
    found: set[Path] = set()
    for target in known_formats().values():
        module = target.partition(":")[0]
        if _is_ours(module) or (origin := _origin(module)) is None:
            continue
        found.update(origin.parent.rglob("*.py") if "." in module else [origin])
    return sorted(found)


def _is_ours(module: str) -> bool:
    return module.startswith("lithify.")


def _origin(module: str) -> Path | None:
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        return None  # the registry says so when the codec is asked for
    return Path(spec.origin) if spec is not None and spec.origin is not None else None


# --- what lies in a folder ------------------------------------------------------------------------------


def _files(folder: Path) -> dict[str, str]:
    """SHA-256 of each file of numba's in `folder`."""
    paths = sorted(path for path in folder.rglob("*.nb[ci]") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def _are_whole(folder: Path, codec: type[Codec]) -> bool:
    """Whether the codec's kernels lie there, and everything as it was written."""
    return codec.facts.id in (_whose(folder) or ())


def _whose(folder: Path) -> set[str] | None:
    """The codecs whose kernels can be used; None: what lies there is not as it was written, or was never finished."""
    found = _list_of(folder)
    if not found or found.get("files") != _files(folder):
        return None
    return set(found["ours"]) if _others_changed(folder) else {*found["ours"], *found["others"]}


def _others_changed(folder: Path) -> bool:
    """Whether the codecs of others were other ones when the list was written."""
    return _list_of(folder).get("others_edition") != _others_edition()


def _list_of(folder: Path) -> dict[str, Any]:
    """What the list says; nothing where there is none that we wrote."""
    try:
        found = json.loads((folder / _LIST).read_bytes())
    except (OSError, ValueError):
        return {}
    whole = isinstance(found, dict) and found.keys() == {"ours", "others", "others_edition", "files"}
    return found if whole else {}


def _write_list(folder: Path, codecs: set[str], others_edition: str) -> None:
    ours = codecs & _our_ids()
    draft = folder / f"{_LIST}.{os.getpid()}"
    found = {"ours": sorted(ours), "others": sorted(codecs - ours)}
    draft.write_text(json.dumps({**found, "others_edition": others_edition, "files": _files(folder)}))
    draft.replace(folder / _LIST)


def _our_ids() -> set[str]:
    return {codec.facts.id for codec in all_codecs() if _is_ours(codec.__module__)}


def _empty(folder: Path, keeping: Container[str] = ()) -> None:
    """Remove all kernels but those in folders of these names."""
    (folder / _LIST).unlink(missing_ok=True)
    for path in folder.iterdir():
        if path.is_dir() and path.name not in keeping:
            shutil.rmtree(path, ignore_errors=True)


def _folders_of(sources: Iterable[Path]) -> set[str]:
    """The names of the folders in which numba keeps what was made of these files."""
    locator: Any = caching._CacheLocator
    return {locator.get_suitable_cache_subpath(str(path)) for path in sources}


def _forget_others(folder: Path) -> None:
    """Remove the folders that were used longest ago; what another process removes meanwhile is removed."""
    others = [path for path in folder.parent.iterdir() if path != folder and (path / _LIST).exists()]
    for path in sorted(others, key=lambda path: -path.stat().st_mtime)[_KEPT_FOLDERS:]:
        shutil.rmtree(path, ignore_errors=True)


# --- in a child -----------------------------------------------------------------------------------------


class Nowhere(caching._CacheLocator):
    """Says where a kernel is cached, in a process that may open no files: nowhere.

    Without it numba refuses to import a module with `@njit(cache=True)` there: it finds no folder that it can write.
    The zygotes name it in NUMBA_CACHE_LOCATOR_CLASSES, and numba asks it before it asks for anything else.
    """

    def get_cache_path(self) -> str:
        return os.devnull

    def get_source_stamp(self) -> object:
        return None

    def get_disambiguator(self) -> str:
        return ""

    @classmethod
    def from_function(cls, py_func: Callable[..., Any], py_file: str) -> "Nowhere":
        keep_nothing()
        return cls()


def keep_nothing() -> None:
    """From now on numba compiles in memory, and neither reads nor writes files."""
    config.CACHE_LOCATOR_CLASSES = f"{__name__}.{Nowhere.__name__}"
    for name in _KEEPING:
        setattr(caching.Cache, name, getattr(caching.NullCache, name))
