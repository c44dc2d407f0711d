"""The lists of a legal demand: files and text in, entries out. Nothing is guessed silently, and nothing is looked up."""

from withhold.demands.intake.entries import Bucket, Column, Entry, Kind, Note, Provenance, Role
from withhold.demands.intake.intake import Intake
from withhold.demands.intake.reading import read_lists, read_text_list

__all__ = [
    "Bucket",
    "Column",
    "Entry",
    "Intake",
    "Kind",
    "Note",
    "Provenance",
    "Role",
    "read_lists",
    "read_text_list",
]
