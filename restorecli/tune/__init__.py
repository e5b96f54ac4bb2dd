"""Picking a method's parameters on pairs of degraded and clean images.

`pairs` reads at most eight pairs, of which `crops` takes the middles; `search` walks along one parameter
after another within the bounds that the method states, and `tuning` returns what was tried and what was
best by mean PSNR. Behind `restore --tune`; nothing is learned that the method could not be told.
"""
