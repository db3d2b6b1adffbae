"""Exactly-once effects: the row that says "done" commits together with what was done."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, transaction

from consilium.core import clock


@contextmanager
def once(key: str) -> Iterator[bool]:
    """Open a transaction and yield True the first time `key` is seen, False ever after.

    The effect belongs inside the block: it commits with its row, or neither does. A second process that
    arrives meanwhile waits for the first one's commit (unique key) and then gets False. For an effect
    outside the database (a mail) do it last in the block; a crash right after it repeats it, so give it an
    identity of its own that receivers recognise (a Message-ID made from the key).
    """
    from consilium.core.models.jobs import Effect

    with transaction.atomic():
        try:
            with transaction.atomic():
                Effect.objects.create(key=key, at=clock.now())
            first = True
        except IntegrityError:
            first = False
        yield first
