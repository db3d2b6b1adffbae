"""Slides with zoom: the page, and the viewer that the specialist's desk shows beside the writing."""
