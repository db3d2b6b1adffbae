"""Who is acting: a small immutable value that every verb takes as `by=`.

Built once per request from the account, its memberships *now* and the session's strength, so a
suspension or an ended membership bites at the next request (trust.md, threat 8).
"""

from dataclasses import dataclass, field
from uuid import UUID


@dataclass(frozen=True)
class Principal:
    """The actor of a verb.

    kind: "user", "guest" (a scoped link), "system" or "anonymous".
    id: the account's or the link's UUID; None for system and anonymous.
    roles: roles held in `organisation_id` (not on a case).
    strong: a second step was passed in this session.
    fresh: the second step was repeated within `settings.STEP_UP_LIMIT` (needed to sign, release, export, delegate).
    on_behalf_of: the person a proxy acts for.
    """

    kind: str
    id: UUID | None = None
    roles: frozenset[str] = field(default_factory=frozenset)
    organisation_id: UUID | None = None
    strong: bool = False
    fresh: bool = False
    active: bool = True

    @property
    def ref(self) -> str:
        """Pseudonymous reference, e.g. `user:6f1c…`; `system` and `anonymous` stand for themselves."""
        return f"{self.kind}:{self.id}" if self.id else self.kind

    @property
    def is_user(self) -> bool:
        return self.kind == "user"


SYSTEM = Principal(kind="system", strong=True, fresh=True)
ANONYMOUS = Principal(kind="anonymous", active=False)
