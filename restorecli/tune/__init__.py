"""Picking a method's parameters on pairs of degraded and clean images.

`pairs` reads at most eight pairs, `search` walks along one parameter after another, and `tuning` returns what
was tried and what was best by mean PSNR. Behind `restore --tune`.
"""
