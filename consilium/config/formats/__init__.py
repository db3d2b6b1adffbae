"""Dates as people here write them; a language without a module of its own keeps Django's."""
