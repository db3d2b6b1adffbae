"""Specialty and jurisdiction packs: what a specialty or a country asks for, as versioned data with sources."""
