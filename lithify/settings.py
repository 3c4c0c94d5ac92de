"""What an operator may set, read from `LITHIFY_*` in the environment; every default works on one machine.

Imported only by the doors: the other rooms are handed values.
"""

import os
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from lithify import limits


class Settings(BaseSettings):
    """One field per setting; docs/settings.md describes each, and a test keeps the two together."""

    model_config = SettingsConfigDict(env_prefix="LITHIFY_", env_ignore_empty=True, extra="forbid", frozen=True)

    archive: Path = Field(
        default_factory=lambda: Path.home() / ".local/share/lithify",
        description="folder of the local archive",
    )
    url: str | None = Field(default=None, description="server to talk to instead of a local archive")
    key: str | None = Field(default=None, description="API key sent to that server", repr=False)
    host: str = Field(default="127.0.0.1", description="address `serve` listens on; loopback unless you say otherwise")
    port: int = Field(default=8377, ge=0, le=65535, description="port `serve` listens on; 0 picks a free one")
    effort: Literal["fast", "default", "max"] = Field(
        default="default", description="effort of collections that have no policy of their own"
    )
    slots: int = Field(
        default_factory=lambda: os.cpu_count() or 1,
        ge=1,
        le=256,
        description="jobs a worker runs side by side",
    )
    queues: str = Field(
        default="logs,text,arrays,media,general,gpu,upkeep",
        description="queues a worker serves, by comma; of gpu, only jobs whose language model it has",
    )
    child_memory_bytes: int = Field(
        default=limits.CHILD_MEMORY_BYTES, ge=256 * limits.MIB, description="memory a codec's process may use"
    )
    child_wall_seconds: float = Field(
        default=limits.CHILD_WALL_SECONDS,
        gt=0,
        allow_inf_nan=False,
        description="longest a codec may work on one part; on a whole original of more as long, if it gets no further",
    )
    grace_seconds: float = Field(
        default=limits.GRACE_SECONDS,
        ge=0,
        allow_inf_nan=False,
        description="time between condemning a blob and removing it",
    )
    checkpoint_seconds: float = Field(
        default=limits.CHECKPOINT_SECONDS,
        gt=0,
        allow_inf_nan=False,
        description="longest that appended bytes wait before they are durable and readable",
    )
    repack_seconds: float = Field(
        default=limits.REPACK_SECONDS,
        ge=0,
        allow_inf_nan=False,
        description="time without another append before an object's densest form is looked for",
    )
    models: Path | None = Field(
        default=None, description="folder of language models: those that texts are told by, and that frames need"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="what the log shows")
