"""What damage does an image have? Measured, decided by a fitted table, with what helps against it.

`view` picks what of an image is looked at. `measurements` collects what one file for each kind of damage
measures there (`noise`, `blur`, `blocks`, `impulses`, `levels`, `tones`, `lines` ...), as plain numbers.
`decide` turns them into the chance of each damage, by a logistic model whose table was fitted on
photographs (`restorecli.bench` fits it). `strengths` says how strong a damage is, `remedies` what to do
about it, in which order, and what cannot be undone. All of it comes back as a `Diagnosis` (`result`);
`diagnosing` does it for one image, `large` for one of any size, `files` for files and folders. Nothing here
restores or learns.
"""

from restorecli.diagnosis.diagnosing import FileInfo, diagnose
from restorecli.diagnosis.result import Diagnosis, Finding, Step, Strength

__all__ = ["Diagnosis", "FileInfo", "Finding", "Step", "Strength", "diagnose"]
