"""`consilium worker`: one process that runs jobs, keeps time for the periodic ones and gives back lost ones."""

import signal
import uuid
from argparse import Namespace
from datetime import timedelta

from consilium.ops.command import start_django


def worker(arguments: Namespace) -> int:
    start_django()
    from consilium.core.jobs.worker import Worker, release

    if arguments.replaces:
        release(arguments.replaces)
    queues = tuple(name for name in arguments.queues.split(",") if name)
    name = arguments.name or uuid.uuid4().hex[:16]
    running = Worker(name, queues=queues, lease=timedelta(seconds=arguments.lease))
    signal.signal(signal.SIGTERM, running.stop)
    signal.signal(signal.SIGINT, running.stop)
    running.loop()
    return 0
