"""Degrade images, train the networks that undo it, restore whole folders, and prove by how much.

One image in memory, as PIL image, NumPy array or torch tensor::

    import restorecli

    print(restorecli.diagnose(image))
    better = restorecli.restore_image(image)
    noisy = restorecli.degrade_image(image, ["gaussian"], seed=1)
    print(restorecli.score(better, image))

Folders, by the four verbs of the command line, and the two ways to a network::

    restorecli.degrade("photos", "degraded", noise=["gaussian"])
    restorecli.restore("degraded", "restored", model="sca-unet")
    print(restorecli.evaluate("restored").overall)

    network = restorecli.create_model("sca-unet")     # a torch module, untrained
    restorer = restorecli.load("sca-unet.gaussian")   # trained; NCHW in [0, 1] in, the same out

Metrics are functions of `restorecli.evaluation`, and what can be caught stands in `restorecli.errors`.

Functions are verbs (`restorecli.degrade`) and packages are nouns (`restorecli.degradation`), so that neither
hides the other.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)  # the names: __init__.pyi
