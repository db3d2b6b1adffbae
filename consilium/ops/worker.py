"""`consilium worker`: one process that runs jobs, keeps time for the periodic ones and gives back lost ones."""

import os
import signal
import uuid
from argparse import Namespace
from datetime import timedelta

from consilium.ops.command import start_django


def worker(arguments: Namespace) -> int:
    os.nice(arguments.nice)
    start_django()
    from consilium.core.jobs.worker import Worker, release
    from consilium.core.memory import spare_the_collector

    if arguments.replaces:
        release(arguments.replaces)
    queues = _queues(arguments.queues)
    name = arguments.name or uuid.uuid4().hex[:16]
    running = Worker(name, queues=queues, lease=timedelta(seconds=arguments.lease))
    signal.signal(signal.SIGTERM, running.stop)
    signal.signal(signal.SIGINT, running.stop)
    spare_the_collector()
    running.loop()
    return 0


def _queues(listed: str) -> tuple[str, ...]:
    """The named queues; names with a minus before them: all but those; none: all."""
    from django.conf import settings

    names = [name for name in listed.split(",") if name]
    without = {name[1:] for name in names if name.startswith("-")}
    wanted = [name for name in names if not name.startswith("-")]
    if without and not wanted:
        wanted = [name for name in settings.TASKS["default"]["QUEUES"] if name not in without]
    return tuple(wanted)
