"""Specialty and jurisdiction packs: what each asks for, as versioned data with sources."""
