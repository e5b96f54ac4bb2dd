"""Which degradations can be done on the device; known without torch, so that recipes are checked fast."""

from __future__ import annotations

from restorecli.degradation.chain import Chain
from restorecli.degradation.families.noise import Speckle
from restorecli.degradation.sampler import DegradationSampler

ON_DEVICE = (
    "gaussian",
    "poisson",
    "salt-pepper",
    "speckle",
    "gaussian-blur",
    "motion-blur",
    "defocus",
    "jpeg",
)
"""Names of the catalog."""


def host_only(chain: Chain) -> str | None:
    """Return what of a chain cannot be done on the device, in words; None where all can."""
    faults = (_fault(sampler) for sampler in chain.samplers)
    return next((fault for fault in faults if fault is not None), None)


def _fault(sampler: DegradationSampler) -> str | None:
    name = sampler.degradation.name
    if name not in ON_DEVICE:
        return f"{name} is done on the host alone; on the device are {', '.join(ON_DEVICE)}"
    if any(isinstance(step, Speckle) and step.law == "gamma" for step in sampler.extremes()):
        return f"{name} with law: gamma is done on the host alone; on the device is law: gaussian"
    return None
