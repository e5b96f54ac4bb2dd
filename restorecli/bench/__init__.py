"""Measured speed and quality: every number in the manual can be made again here.

`images` gives the pairs that everything is measured on. Timings compare ours with other libraries in turns
within one run and print ratios: `timing` takes turns, `machine` knows the limits of this machine,
`evaluation` (beside `metric_peers`) and `restoration` are what is timed, `costs` and `complexity` count.
Experiments train small networks side by side: `trials` says what is tried, `running` does it, for `models`,
`dither` and `ablations` (`parts`). What ships is scored again by `methods` (damage by `tasks`), `weights`
and `auto`. `diagnosis_fit` makes the table of the room `diagnosis` from `diagnosis_examples`.

Each returns a frozen result; the command line shows it as a table or as JSON.
"""
