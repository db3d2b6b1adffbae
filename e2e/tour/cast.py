"""Who takes part, and the words they use. All of them are invented."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Member:
    """One account of the tour."""

    slug: str
    given: str
    family: str
    roles: tuple[str, ...] = ()

    @property
    def email(self) -> str:
        return f"{self.given}.{self.family}@example.org".lower()


ANNA = Member("anna", "Anna", "Berger")
BEN = Member("ben", "Ben", "Berger")
EVE = Member("eve", "Eve", "Stranger")
ADA = Member("ada", "Ada", "Kowalski", ("administrator",))
DORA = Member("dora", "Dora", "Lindner", ("coordinator",))
TESS = Member("tess", "Tess", "Amari", ("triage_clinician",))
CHEN = Member("chen", "Mei", "Chen", ("specialist",))
QUINN = Member("quinn", "Quinn", "Osei", ("quality_reviewer",))
STAFF = (DORA, TESS, CHEN, QUINN)
WEISS_EMAIL = "praxis.weiss@example.org"

BORN = ("14", "3", "1965")
QUESTIONS = (
    "Is a spinal fusion necessary now, or can I safely wait another six months?",
    "Are there treatments without an operation that I have not tried yet?",
)
# Words of the story that must never leave by mail, and that only some people may see at some time.
CANARIES = ("wistful-otter-goal", "copper-lantern-history", "velvet-anchor-diagnosis", "marble-thicket-worry")
GOAL = "I want to walk my dog for an hour again (wistful-otter-goal)."
WORRY = "That the pain stays after the operation (marble-thicket-worry)."
HISTORY = "High blood pressure, gallbladder 2009 (copper-lantern-history)."
FIRST_DIAGNOSIS = "Disc herniation L4/L5 (velvet-anchor-diagnosis)"
FIRST_TREATMENT = "Spinal fusion L4/L5 (TLIF)"
