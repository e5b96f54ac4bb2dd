"""Which device computes, in which precision, and how memory is kept on it."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import cache

import torch

from restorecli.errors import UsageError

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

MAX_PSNR_LOSS = 0.02
"""PSNR in dB that a faster precision may cost where nobody asked for it."""


def pick_device(name: str | None = None) -> torch.device:
    """Return the device to compute on: CUDA, then MPS, then CPU, unless one is named.

    Args:
        name: A torch device name ("cuda", "cuda:1", "mps", "cpu"), or None for the best one here.

    Raises:
        UsageError: The named device does not exist here.
    """
    if name is None or name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        if device.type not in ("cuda", "mps", "cpu"):
            raise RuntimeError(f"{device.type} is not supported")
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UsageError(
            f"The device {name!r} cannot be used here.",
            expected="cuda, cuda:N, mps or cpu, present on this machine",
            got=str(error).splitlines()[0],
            hint="leave --device out to take the best device here, or use --device cpu",
        ) from error
    return device


@cache
def _cpu_gains_from_bfloat16() -> bool:
    """Tell whether this CPU multiplies bfloat16 in hardware (AVX512-BF16 or AMX); elsewhere it is slower."""
    capability = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(capability is not None and capability())


def training_precision(name: str, device: torch.device) -> torch.dtype:
    """Resolve "auto" for training: bfloat16 autocast where the device gains from it, else float32."""
    if name != "auto":
        return precision(name)
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
    if device.type == "cpu" and _cpu_gains_from_bfloat16():
        return torch.bfloat16
    return torch.float32


def restoring_precision(name: str, device: torch.device, losses: Mapping[str, float]) -> torch.dtype:
    """Resolve "auto" for restoring: bfloat16 where it costs next to nothing and the device gains from it.

    Args:
        name: "auto", "fp32", "bf16" or "fp16".
        device: Where to compute.
        losses: PSNR in dB that each precision loses with these weights, as their card says; what was not
            measured is not taken.
    """
    allowed = losses.get("bf16", math.inf) < MAX_PSNR_LOSS
    return training_precision("auto", device) if name == "auto" and allowed else precision(name)


def precision(name: str) -> torch.dtype:
    """Return the dtype of "fp32", "bf16" or "fp16"; "auto" is fp32, since restored digits come first.

    Raises:
        UsageError: Another name.
    """
    if name == "auto":
        return torch.float32
    if name not in PRECISIONS:
        raise UsageError("Unknown precision.", expected="auto, " + ", ".join(PRECISIONS), got=name)
    return PRECISIONS[name]


def warm_up(device: torch.device) -> threading.Thread | None:
    """Begin to load what a CUDA device needs for its first convolution, while weights and images are read.

    Returns:
        The thread that does so; None for other devices, and after the first time in a process.
    """
    if device.type != "cuda" or device in _WARM:
        return None
    _WARM.add(device)
    thread = threading.Thread(
        target=_first_convolution, args=(device,), name="restorecli-warm-up", daemon=True
    )
    thread.start()
    return thread


_WARM: set[torch.device] = set()


def _first_convolution(device: torch.device) -> None:
    with suppress(RuntimeError, AssertionError):  # whoever computes next meets the same, and says so
        torch.conv2d(torch.zeros(1, 8, 8, 8, device=device), torch.zeros(8, 8, 3, 3, device=device))
        torch.cuda.synchronize(device)


@contextmanager
def tuned(device: torch.device, *, wanted: bool) -> Iterator[None]:
    """Let cuDNN try its algorithms on every shape of convolution that it has not met, and keep the fastest.

    Args:
        device: On others than CUDA this does nothing.
        wanted: Whether the shapes will come often enough to pay for that; False leaves the setting as it is.
    """
    if device.type != "cuda" or not wanted:
        yield
        return
    before, torch.backends.cudnn.benchmark = torch.backends.cudnn.benchmark, True
    try:
        yield
    finally:
        torch.backends.cudnn.benchmark = before


def autocast(device: torch.device, dtype: torch.dtype) -> AbstractContextManager[object]:
    """Return the autocast context for `dtype` on `device`; for float32 one that does nothing."""
    if dtype == torch.float32:
        return nullcontext()
    return torch.autocast(device.type, dtype=dtype)
