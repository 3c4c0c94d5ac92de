"""`lithify work`: a worker on the local archive."""

import signal
import time
from types import FrameType
from typing import TYPE_CHECKING

import click

from lithify.api.commands.session import Session, open_archive
from lithify.api.commands.values import TEXT
from lithify.errors import BadArgument

if TYPE_CHECKING:
    from lithify.workers.loop import Worker

_PATIENCE_SECONDS = 1.0


@click.command()
@click.option("--queues", type=TEXT, help="Queues to serve, by comma. [env: LITHIFY_QUEUES]")
@click.option("--slots", type=click.IntRange(1, 256), help="Jobs side by side. [env: LITHIFY_SLOTS]")
@click.option("--until-idle", is_flag=True, help="End when nothing is left to do.")
@click.pass_obj
def work(session: Session, queues: str | None, slots: int | None, until_idle: bool) -> None:
    """Encode, prove and publish what waits; scrub and sweep when it is time.

    Of the queue gpu only those jobs are taken whose language model is in the folder LITHIFY_MODELS.

    SIGTERM or Ctrl-C ends it: what is being done is finished or handed back. What a worker had that was killed comes
    free after half a minute; --until-idle does not wait for that.
    """
    settings = session.local_settings("work")
    from lithify.api import logs
    from lithify.workers.loop import QUEUES, Worker

    wanted = [name.strip() for name in (queues or settings.queues).split(",")]
    unknown = sorted(set(wanted) - set(QUEUES))
    if unknown:
        raise BadArgument(f"there is no queue {unknown[0]!r}; there are {', '.join(QUEUES)}")
    logs.configure(settings.log_level)
    with open_archive(settings) as archive:
        worker = Worker(archive, wanted, slots or settings.slots)
        _stop_on_signals(worker)
        worker.run(until_idle=until_idle)


def _stop_on_signals(worker: "Worker") -> None:
    asked: list[float] = []

    def stop(_number: int, _frame: FrameType | None) -> None:
        # Whoever asks again later is not patient any more; `timeout` and some shells send everything twice at once.
        if not asked:
            asked.append(time.monotonic())  # first: the other signal may come in the middle of stopping
            worker.stop()
        elif time.monotonic() - asked[0] > _PATIENCE_SECONDS:
            raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
