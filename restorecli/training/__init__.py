"""Training: from a recipe to weights with a card.

`recipe` is the schema; `check` reports every fault of a recipe at once, before anything starts. `run` starts
a `session`, which builds the parts from the catalogs and starts `loop`: `batches` makes batch number n as a
pure function of n (read once, crop, degrade), a strategy (`strategies`) turns it into losses, `optimization`
steps. `validation` measures through the same restorer and metrics that users run. `checkpoint` saves
everything, so that a resumed run ends with the same bits; `shelf` finds the recipes that ship.
"""
