"""The verbs of opinions, one file a noun: blind read, opinion, quality, report, addendum."""
