"""A convolutional network that works on overlapping patches, each by itself."""

from __future__ import annotations

from torch import Tensor, nn

from restorecli.core.models import limits
from restorecli.core.models.blocks.patches import PatchGrid, Window
from restorecli.core.models.dncnn import DnCnn


class PatchCnn(nn.Module):
    """The patch-based CNN: patches are cut, restored as a batch, and joined under a window.

    The CNN inside is DnCNN's plain residual one without batch norm (the report names none); with the identity
    in its place the whole is the identity. Patches of 64 every 48 pixels.

    Args:
        channels: 3 for RGB or 1 for gray.
        patch: Side of the patches.
        stride: Step between patches; at most `patch`.
        window: "hann", "triangular" or "flat".
        depth: Convolutions of the CNN.
        width: Channels inside.

    Raises:
        ValueError: The sides do not fit, the window is unknown or the depth below 2.
    """

    scale = 1

    def __init__(
        self,
        channels: int = 3,
        patch: int = 64,
        stride: int = 48,
        window: Window = "hann",
        depth: int = 17,
        width: int = 64,
    ) -> None:
        super().__init__()
        limits.patch_cnn(patch, stride, window, depth)
        self.channels = channels
        self.multiple = stride
        self.grid = PatchGrid(patch, stride, window=window)
        self.cnn: nn.Module = DnCnn(channels, depth, width, batch_norm=False)
        # What a patch's own border does to a pixel depends on the pixel's place in the grid alone, which
        # begins anew at every multiple of the stride.
        self.receptive_field: int | None = 2 * min(self.grid.reach, depth) + 1

    def forward(self, x: Tensor) -> Tensor:
        """Map degraded (N, C, H, W) in [0, 1], sides multiples of the stride, to restored of its shape."""
        patches = self.grid.unfold(x)
        restored = self.cnn(patches.flatten(0, 1)).reshape(patches.shape)
        return self.grid.fold(restored, *x.shape[-2:])
