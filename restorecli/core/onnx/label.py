"""What an exported file says of itself: one JSON object in the metadata of ONNX."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from restorecli.core.card_reading import Card
from restorecli.core.restorer import RestorerSpec
from restorecli.errors import WeightsError

FORMAT = "restorecli-onnx-1"
KEY = "restorecli"

_SPEC = ("channels", "scale", "multiple", "receptive_field")


@dataclass(frozen=True, slots=True)
class GraphLabel:
    """What an exported file says of itself.

    Attributes:
        spec: What a caller must know, but for the name, which is the file's.
        card: Of the weights.
        footprints: Bytes that images of 1 and of 3 channels take: (per pixel, per pixel squared).
    """

    spec: RestorerSpec
    card: Card
    footprints: Mapping[int, tuple[float, float]]


def write_label(label: GraphLabel, graph: bytes) -> str:
    """Return the label of a graph as text; length and SHA-256 of the graph are added, which show damage."""
    described = {
        "format": FORMAT,
        "spec": {name: getattr(label.spec, name) for name in _SPEC},
        "footprints": {str(kind): list(parts) for kind, parts in label.footprints.items()},
        "graph": {"bytes": len(graph), "sha256": hashlib.sha256(graph).hexdigest()},
        "card": asdict(label.card),
    }
    return json.dumps(described, ensure_ascii=False)


def read_label(metadata: Mapping[str, str], raw: bytes, path: Path) -> GraphLabel:
    """Return what an exported file says of itself.

    Args:
        metadata: The file's metadata.
        raw: All its bytes.
        path: Where it lies, for messages.

    Raises:
        WeightsError: It has no label of ours, or a damaged one, or the graph is not what was written.
    """
    if KEY not in metadata:
        raise WeightsError(
            "This ONNX file does not describe itself.",
            expected="a file that `restorecli export` wrote",
            got="a graph without channels, scale and range",
            file=path,
            hint="restorecli export MODEL -o FILE.onnx",
        )
    try:
        content = json.loads(metadata[KEY])
        label, sealed = _parsed(content, path), content["graph"]
        whole = hashlib.sha256(raw[: sealed["bytes"]]).hexdigest() == sealed["sha256"]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise WeightsError(
            "What this ONNX file says of itself cannot be read.",
            expected=FORMAT,
            got=f"{type(error).__name__}: {error}",
            file=path,
        ) from error
    if not whole:
        raise WeightsError(
            "This ONNX file is damaged: its checksum does not match.", file=path, hint="export it again"
        )
    return label


def _parsed(content: Mapping[str, Any], path: Path) -> GraphLabel:
    if content["format"] != FORMAT:
        raise ValueError(f"format {content['format']!r}")
    card = Card(**{**content["card"], "value_range": tuple(content["card"]["value_range"])})
    channels, scale, multiple = (_size(content["spec"][name]) for name in _SPEC[:3])
    field = content["spec"]["receptive_field"]
    spec = RestorerSpec(path.stem, channels, scale, multiple, None if field is None else _size(field))
    if spec.channels not in (1, 3):
        raise ValueError(f"channels {spec.channels}")
    return GraphLabel(spec, card, {kind: _footprint(content["footprints"][str(kind)]) for kind in (1, 3)})


def _size(value: object) -> int:
    if type(value) is not int or not 1 <= value <= 2**20:
        raise ValueError(f"{value!r} is no size")
    return value


def _footprint(parts: Sequence[object]) -> tuple[float, float]:
    linear, quadratic = parts
    if not isinstance(linear, float) or not isinstance(quadratic, float) or linear <= 0 or quadratic < 0:
        raise ValueError(f"{parts!r} is no footprint")
    return linear, quadratic
