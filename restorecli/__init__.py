"""Degrade images, train the networks that undo it, restore whole folders, and prove by how much.

The four verbs of the command line are functions here, beside the two ways to a network::

    import restorecli

    restorecli.degrade("photos", "degraded", noise=["gaussian"])
    restorecli.restore("degraded", "restored", model="sca-unet")
    print(restorecli.evaluate("restored").overall)

    network = restorecli.create_model("sca-unet")     # a torch module, untrained
    restorer = restorecli.load("sca-unet.gaussian")   # trained; NCHW in [0, 1] in, the same out
"""

# The rooms that share a verb's name are imported first: a package is bound to its parent's attribute only
# once, when it is first loaded, so the functions bound below keep the names `degrade`, `evaluate`, ...
from restorecli import degrade as _degrade_room  # noqa: F401
from restorecli import evaluate as _evaluate_room  # noqa: F401
from restorecli import restore as _restore_room  # noqa: F401
from restorecli import train as _train_room  # noqa: F401
from restorecli.verbs import create_model, degrade, evaluate, load, restore, train
from restorecli.version import __version__

__all__ = ["__version__", "create_model", "degrade", "evaluate", "load", "restore", "train"]
