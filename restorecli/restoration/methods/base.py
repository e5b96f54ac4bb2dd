"""The base of every method that restores without trained weights: frozen parameters and one function."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from restorecli.degradation.parameters import Value, WithParameters, parameter, parameters_of
from restorecli.errors import ImageError
from restorecli.images.image import Pixels
from restorecli.restoration.context import Context

__all__ = ["Method", "Value", "parameter"]


@dataclass(frozen=True)
class Method(WithParameters):
    """One way to restore an image without weights, with all its parameters fixed.

    A subclass is a frozen dataclass whose fields are made with `parameter`, as degradations are; values are
    checked here, whoever builds it. The same values, image and context give the same result.

    Attributes:
        name: The name in the catalog and on the command line; of a class outside restorecli that gives none,
            its place "package.module:Name".
        summary: What it does, in one line.
        reference: Where it comes from.
        needs: What it must know ("operator", "mask") or uses where it is known ("sigma?", "operator?",
            "mask?").
        keeps_gray: Whether a flat gray image comes back as it is; False for what brightens, for one.
    """

    summary: ClassVar[str]
    reference: ClassVar[str]
    needs: ClassVar[frozenset[str]] = frozenset()
    keeps_gray: ClassVar[bool] = True

    @property
    def receptive_field(self) -> int | None:
        """Side of the square that one restored pixel depends on; None for the whole image.

        A method that uses the mask sees the whole image: masks are not cut into tiles.
        """
        return None

    @property
    def affine(self) -> bool:
        """Whether restoring `a * pixels + b` is the same as restoring and then multiplying and adding.

        Values far outside [0, 1] are then restored like all others; otherwise they are left as they are.
        """
        return False

    def scale_for(self, context: Context) -> int:
        """Return by how much the sides grow; 1 too where nothing says it, and then `restore` raises."""
        del context
        return 1

    @abstractmethod
    def restore(self, pixels: Pixels, context: Context) -> Pixels:
        """Return a restored copy of an image.

        Args:
            pixels: (C, H, W) float32, C = 1 or 3, any H and W, nominally in [0, 1] (noise may leave it).
            context: What is known about the image.

        Returns:
            (C, scale H, scale W) float32; the caller clips it to [0, 1].

        Raises:
            ImageError: This image cannot be restored, e.g. because something needed is not known.
        """

    def parameters(self) -> dict[str, Value]:
        """Return every parameter and its value, in the order of declaration."""
        return {name: getattr(self, name) for name in parameters_of(type(self))}

    def fingerprint(self) -> Mapping[str, Value]:
        """Return what results depend on beside parameters, e.g. the digest of weights that it uses."""
        return {}


def unknown(what: str, hint: str) -> ImageError:
    """Return the error for an image about which something that a method needs is not known."""
    return ImageError(
        f"Nothing says {what}.", expected="a manifest of `restorecli degrade`, or an option", hint=hint
    )
