"""Mail through the outbox: fixed texts, no health data, each message once.

    email.send("your_turn", to=user.email, language="de", key="your_turn:<event>", reference="7K3M-29QF")

Queued in the caller's transaction; sent by a worker. `key` makes it one message however often it is asked
for, and gives it its Message-ID. The texts are rows of `texts.py`.
"""

from consilium.channels.email.outbox import compose, send

__all__ = ["compose", "send"]
