"""`consilium dimse`: the process that takes images by DICOM C-STORE until it is told to stop."""

import signal
import threading
from argparse import Namespace

from consilium.ops.command import Problem, say, start_django

USUAL = "127.0.0.1:11112"


def dimse(arguments: Namespace) -> int:
    """Refuse or listen until SIGTERM or SIGINT."""
    start_django()
    from django.conf import settings

    from consilium.gateways.dimse.server import Gateway
    from consilium.ops import preflight

    bind = arguments.bind or settings.DIMSE_BIND or USUAL
    host, port = preflight.split(bind)
    reasons = [*preflight.dimse(bind), *preflight.key_problems(), *preflight.database_problems()]
    if reasons or (reasons := list(preflight.occupied(host, port))):
        raise Problem(*reasons)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_signal: stopped.set())
    gateway = Gateway(host, port)
    gateway.start()
    say(f"DICOM images are taken at {host}:{gateway.port}, AE title {settings.DIMSE_AE_TITLE}.")
    stopped.wait()
    gateway.stop()
    return 0
