"""Whoever deflates: libraries that are installed, and programs that may be."""

import importlib
import importlib.util
import shutil
import subprocess
import tempfile
import zlib
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import imagecodecs

Encoder = Callable[[bytes], bytes]
"""Plain bytes to a raw deflate stream, perhaps with something behind it."""

_NODE = (
    "const z=require('zlib'),c=[];process.stdin.on('data',d=>c.push(d));"
    "process.stdin.on('end',()=>process.stdout.write(z.deflateRawSync(Buffer.concat(c),{level:%d})))"
)
_GO = """package main
import ("compress/flate"; "io"; "os"; "strconv")
func main() {
    level, _ := strconv.Atoi(os.Args[1]); plain, _ := io.ReadAll(os.Stdin)
    out, _ := flate.NewWriter(os.Stdout, level); out.Write(plain); out.Close()
}
"""
_JAVA = """import java.util.zip.*;
public class Deflating { public static void main(String[] told) throws Exception {
    var out = new DeflaterOutputStream(System.out, new Deflater(Integer.parseInt(told[0]), true), 65536);
    out.write(System.in.readAllBytes()); out.close();
} }
"""


def encoders_at_hand() -> dict[str, Encoder]:
    """By name; programs only where they are installed."""
    found: dict[str, Encoder] = {f"zlib {level}": partial(_zlib, level=level) for level in range(1, 10)}
    found["zlib 9, memory 9"] = partial(_zlib, level=9, memory=9)
    found["zlib 6, filtered"] = partial(_zlib, level=6, strategy=zlib.Z_FILTERED)
    found["zlib 6, window 2^12"] = partial(_zlib, level=6, window=12)
    found |= {f"zlib-ng {level}": partial(_zlib_ng, level=level) for level in range(1, 10)}
    found |= {f"libdeflate {level}": partial(_libdeflate, level=level) for level in range(1, 13)}
    found["zopfli"] = _zopfli
    if importlib.util.find_spec("isal"):
        found |= {f"ISA-L {level}": partial(_isal, level=level) for level in range(4)}
    if shutil.which("go"):
        found |= {f"Go {level}": partial(_go, level=level) for level in (1, 2, 3, 4, 5, 6, 9)}
    if shutil.which("javac"):
        found |= {f"Java {level}": partial(_java, level=level) for level in (1, 6, 9)}
    for program, levels in (("gzip", (1, 6, 9)), ("pigz", (1, 6, 9, 11))):
        if shutil.which(program):
            found |= {f"{program} {level}": partial(_piped, [program, f"-{level}", "-c"]) for level in levels}
    if shutil.which("7z"):
        found |= {
            f"7-Zip {level}": partial(_piped, ["7z", "a", "-tgzip", f"-mx={level}", "-si", "-so", "x"])
            for level in (1, 5, 9)
        }
    if shutil.which("node"):
        found |= {f"node {level}": partial(_node, level=level) for level in (1, 6, 9)}
    return found


def _zlib(plain: bytes, *, level: int, memory: int = 8, strategy: int = 0, window: int = 15) -> bytes:
    deflater = zlib.compressobj(level, zlib.DEFLATED, -window, memory, strategy)
    return deflater.compress(plain) + deflater.flush()


def _zlib_ng(plain: bytes, *, level: int) -> bytes:
    return bytes(imagecodecs.zlibng_encode(plain, level=level))[2:]


def _libdeflate(plain: bytes, *, level: int) -> bytes:
    return bytes(imagecodecs.deflate_encode(plain, level=level, raw=True))


def _zopfli(plain: bytes) -> bytes:
    return bytes(imagecodecs.zopfli_encode(plain))[2:]


def _isal(plain: bytes, *, level: int) -> bytes:
    deflater = importlib.import_module("isal.isal_zlib").compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    return bytes(deflater.compress(plain) + deflater.flush())


@cache
def _built(name: str, source: str, *compiler: str) -> Path:
    """The folder of a program that was compiled there."""
    folder = Path(tempfile.mkdtemp(prefix="encoder-"))
    (folder / name).write_text(source, encoding="utf-8")
    subprocess.run([*compiler, name], cwd=folder, check=True)
    return folder


def _go(plain: bytes, *, level: int) -> bytes:
    program = _built("deflating.go", _GO, "go", "build", "-o", "deflating") / "deflating"
    return subprocess.run([program, str(level)], input=plain, capture_output=True, check=True).stdout


def _java(plain: bytes, *, level: int) -> bytes:
    folder = _built("Deflating.java", _JAVA, "javac")
    command = ["java", "-cp", str(folder), "Deflating", str(level)]
    return subprocess.run(command, input=plain, capture_output=True, check=True).stdout


def _piped(command: list[str], plain: bytes) -> bytes:
    """The deflate stream in the gzip file that a program writes."""
    file = subprocess.run(command, input=plain, capture_output=True, check=True).stdout
    named = 8
    start = 10
    if file[3] & named:
        start = file.index(b"\0", start) + 1
    return file[start:-8]


def _node(plain: bytes, *, level: int) -> bytes:
    return subprocess.run(["node", "-e", _NODE % level], input=plain, capture_output=True, check=True).stdout
