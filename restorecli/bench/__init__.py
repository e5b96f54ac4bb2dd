"""Measured speed: ours and others' on the same data in one run, beside what the machine can do."""
