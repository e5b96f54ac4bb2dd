"""Deep Image Prior: a network that has seen nothing but the image it restores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from restorecli.errors import ImageError
from restorecli.images.image import Pixels
from restorecli.restoration.context import Context
from restorecli.restoration.methods.base import Method, parameter

if TYPE_CHECKING:
    import torch

    from restorecli.restoration.methods.per_image.fitting import Target
    from restorecli.restoration.methods.per_image.skip_network import SkipNetwork
    from restorecli.restoration.methods.per_image.stopping import Rule

_SCALES = 5
_MIN_SIDE = 2 << _SCALES  # of what the network sees: 2 pixels at the deepest scale


@dataclass(frozen=True)
class Dip(Method):
    """Deep Image Prior: a network fitted, from noise, to the degraded image, but not to its noise.

    It minimizes the mean squared error of A f(z) against the image over the weights of f, at pixels that
    are not lost. A is what is known to have blurred or reduced the image, else the identity; z is fixed
    noise, to which every step adds a little. The result is the running average of outputs at the step that
    `stop` finds best: "variance" watches how much outputs change (see `stopping`), "held-out" leaves out a
    share of the pixels and watches the error there, "never" does all steps. Nothing sees the reference.

    Size "full" has 2,217,831 parameters for a color image, "small" (8 to 128 channels, skips at the two
    deepest scales) about a quarter of that and a small part of the work. Without a GPU "full" takes hours
    for an image of 512 x 512. The same seed gives the same image on the same CPU; a GPU's sums vary.
    """

    name = "dip"
    summary = "Deep Image Prior: a network fitted to this one image alone (slow)"
    reference = (
        "Ulyanov, Vedaldi and Lempitsky, Deep Image Prior, CVPR 2018; early stopping: Wang et al., TMLR 2023"
    )
    needs: ClassVar = frozenset({"operator?", "mask?", "sigma?"})

    size: str = parameter("full", choices=("full", "small"), help="network")
    steps: int = parameter(3000, low=1, high=1_000_000, help="steps at most")
    rate: float = parameter(0.01, low=1e-6, high=1, help="learning rate (Adam)")
    jitter: float = parameter(
        1 / 30, low=0, high=1, help="noise that the input gets anew at every step (std)"
    )
    average: float = parameter(0.99, low=0, high=0.9999, help="weight of the past in the averaged output")
    stop: str = parameter("variance", choices=("variance", "held-out", "never"), help="what ends it early")
    held: float = parameter(0.05, unit="share of pixels", low=0.001, high=0.5, help="pixels held out")
    window: int = parameter(100, unit="steps", low=2, high=10_000, help="over which variance is watched")
    patience: int = parameter(1000, unit="steps", low=1, high=1_000_000, help="wait for a better step")
    upsampling: str = parameter("bilinear", choices=("bilinear", "nearest"), help="on the network's way up")
    skips: int = parameter(4, unit="channels", low=0, high=128, help="of the network's skips; 0 for none")
    keep: bool = parameter(True, help="pixels that a mask leaves stay as they are, if no noise is known")
    seed: int = parameter(0, low=0, high=2**31, help="of weights and noise")

    def scale_for(self, context: Context) -> int:
        """Return the operator's factor."""
        return 1 if context.operator is None else context.operator.factor

    def restore(self, pixels: Pixels, context: Context) -> Pixels:
        """Return the fitted image; see the base class."""
        import torch  # seconds, which lists of methods have not

        # Whoever restores has switched gradients off, for networks that are trained already.
        with torch.inference_mode(mode=False), torch.enable_grad():
            restored = self._fit(pixels, context)
        return self._with_known(restored, pixels, context)

    def _fit(self, pixels: Pixels, context: Context) -> Pixels:
        import torch

        from restorecli.core.device import pick_device
        from restorecli.restoration.methods.per_image.fitting import Schedule, fit, input_noise

        device = pick_device(context.device)
        generator = torch.Generator().manual_seed(self.seed)
        network = self.network(len(pixels), generator).to(device)
        target, rule = self._target(pixels, context, generator, device)
        canvas = tuple(max(side, _MIN_SIDE) for side in target.size)
        noise = input_noise(self._inputs, (canvas[0], canvas[1]), generator).to(device)
        schedule = Schedule(self.steps, self.rate, self.jitter, self.average, self.patience)
        fitted = fit(network, noise, target, schedule, rule, generator, context.on_progress)
        context.note({"step": fitted.step, "steps": fitted.steps, "blown": fitted.blown})
        restored: Pixels = fitted.image[0].cpu().numpy()
        return restored

    def network(self, channels: int, generator: torch.Generator) -> SkipNetwork:
        """Return a fresh network for images of 1 or 3 channels."""
        import torch

        from restorecli.restoration.methods.per_image.skip_network import SkipNetwork, initialize

        full = self.size == "full"
        widths = (128,) * _SCALES if full else (8, 16, 32, 64, 128)
        skips = (self.skips,) * _SCALES if full else (0, 0, 0, self.skips, self.skips)
        with torch.device("meta"):  # so that nothing is drawn from the program's common generator
            network = SkipNetwork(channels, self._inputs, widths, skips, self.upsampling)
        network.to_empty(device="cpu")
        initialize(network, generator)
        return network

    @property
    def _inputs(self) -> int:
        return 32 if self.size == "full" else 3

    def _target(
        self, pixels: Pixels, context: Context, generator: torch.Generator, device: torch.device
    ) -> tuple[Target, Rule]:
        import torch

        from restorecli.restoration.methods.per_image.fitting import Target
        from restorecli.restoration.methods.per_image.stopping import HeldOut, MovingVariance, Never

        known = np.ones(pixels.shape[1:], bool) if context.mask is None else ~context.mask
        if not known.any():
            raise ImageError("Nothing is left of this image.", expected="pixels outside the mask", got="none")
        weight = torch.from_numpy(known).float()
        held = weight * (torch.rand(weight.shape, generator=generator) < self.held)
        scale = self.scale_for(context)
        size = (pixels.shape[1] * scale, pixels.shape[2] * scale)
        image = torch.from_numpy(np.ascontiguousarray(pixels, np.float32))[None].to(device)
        if self.stop != "held-out" or not 0 < float(held.sum()) < float(weight.sum()):
            rule: Rule = MovingVariance(self.window, generator) if self.stop == "variance" else Never()
            return Target(image, weight.to(device), context.operator, size), rule
        apart = held.to(device)
        target = Target(image, (weight - held).to(device), context.operator, size)
        return target, HeldOut(lambda output: float(target.error(output, apart)))

    def _with_known(self, restored: Pixels, pixels: Pixels, context: Context) -> Pixels:
        """Put back what was never lost, where that is wanted and true."""
        if context.mask is None or context.operator is not None or not self.keep or context.sigma:
            return restored
        return np.where(context.mask, restored, pixels)
