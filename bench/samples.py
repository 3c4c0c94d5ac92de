"""Bytes to measure with, made here: lines that look like a service's log, and noise."""

import os
import random

_VERBS = ("GET", "GET", "GET", "HEAD", "POST", "PUT")
_PATHS = ("/", "/v1/objects/web/access.log", "/v1/report", "/healthz", "/static/app.js", "/v1/jobs/%d", "/search?q=%x")
_AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.1 Safari/605.1.15",
    "curl/8.11.0",
    "kube-probe/1.31",
)


def log_lines(length: int, seed: int) -> bytes:
    """About `length` bytes of an access log, cut at exactly that."""
    chance = random.Random(seed)
    lines: list[bytes] = []
    size, second = 0, chance.randrange(80_000)
    while size < length:
        second += chance.random() < 0.3
        path = chance.choice(_PATHS)
        path = path % chance.getrandbits(20) if "%" in path else path
        line = (
            f"10.{chance.randrange(4)}.{chance.randrange(256)}.{chance.randrange(256)} - - "
            f"[21/Nov/2026:{second // 3600 % 24:02d}:{second // 60 % 60:02d}:{second % 60:02d} +0000] "
            f'"{chance.choice(_VERBS)} {path} HTTP/1.1" {chance.choice((200, 200, 200, 304, 404))} '
            f'{int(chance.lognormvariate(7, 1.5))} "-" "{chance.choice(_AGENTS)}" {chance.random():.4f}\n'
        ).encode()
        lines.append(line)
        size += len(line)
    return b"".join(lines)[:length]


def noise(length: int, seed: int) -> bytes:
    """Bytes that nothing makes smaller."""
    del seed  # nobody needs to see the same noise twice
    return os.urandom(length)
