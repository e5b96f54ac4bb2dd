"""What damage does an image have? Measured, decided by a fitted table, with what helps against it.

`measure` (one file for each kind of damage) -> `decide` (a logistic model: chances) -> `strengths` and
`remedies` (how strong, what to do, what is gone) -> `Diagnosis`. Nothing here restores or learns.
"""

from restorecli.diagnosis.diagnosing import FileInfo, diagnose
from restorecli.diagnosis.result import Diagnosis, Finding, Step, Strength

__all__ = ["Diagnosis", "FileInfo", "Finding", "Step", "Strength", "diagnose"]
