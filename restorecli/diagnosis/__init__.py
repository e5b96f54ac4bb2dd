"""What damage does an image have? Measured, decided by a fitted table, with what helps against it.

`measuring` holds what is measured, a file for each kind of damage (`noise`, `blur`, `blocks`, `levels`,
`tones`, `lines` ...); its `view` picks what of an image is looked at, its `measurements` collects all as
plain numbers. `deciding` turns them into the chance of each damage, by a logistic model and a small network
that were fitted on photographs (`restorecli.bench` fits them), and names what counts as found. `faint` has
models of their own for damage that no single measurement tells. `second_look` judges what a network against
scratches or rain takes away. `strengths` says how strong a damage is, `remedies` what to do about it, in
which order, and what cannot be undone. All of it comes back as a `Diagnosis` (`result`); `diagnosing` does it
for one image, `behind_marks` for what scratches hid, `large` for one of any size, `files` for files and
folders. Nothing here restores or learns.
"""

from restorecli.diagnosis.diagnosing import FileInfo, diagnose
from restorecli.diagnosis.result import Diagnosis, Finding, Step, Strength

__all__ = ["Diagnosis", "FileInfo", "Finding", "Step", "Strength", "diagnose"]
