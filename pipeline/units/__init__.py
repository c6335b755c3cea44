"""Names of units and people as offices type them: when are two of them one?

A unit's name is read into its parts (`UnitName`), abbreviations written out from a sheet that offices edit.
Case, marks, punctuation and the order of the parts do not matter; a name that says what the unit is called
now ("nay là …") or was called before ("trước đây là …") is two names of one unit.
"""

from pipeline.units.names import UnitName
from pipeline.units.people import people
from pipeline.units.register import Register, Unit, Unknown, parse_register, registered
from pipeline.units.sameness import (
    in_scope,
    same_unit,
    same_workplace,
    unit_key,
    unit_phrases,
)
from pipeline.units.sheet import Row, UnitSheet, parse

__all__ = (
    "Register",
    "Row",
    "Unit",
    "UnitName",
    "UnitSheet",
    "Unknown",
    "in_scope",
    "parse",
    "parse_register",
    "people",
    "registered",
    "same_unit",
    "same_workplace",
    "unit_key",
    "unit_phrases",
)
