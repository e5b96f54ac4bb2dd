"""Checkpoints of other projects: recognized by names and shapes, and computed as their authors define them.

The judges are the published definitions, written down as lists of layers and applied with torch's functions
to the checkpoint's own tensors: nothing of our networks is in them.
"""

import json

import pytest
import torch
from torch.nn import functional as F

import restorecli
from restorecli.core.foreign import recognize
from restorecli.core.foreign.layouts import LAYOUTS
from restorecli.core.models.catalog import create_model
from restorecli.core.shipped import find_shipped
from restorecli.errors import WeightsError
from restorecli.restoration.context import Context
from restorecli.restoration.description import describe_file
from restorecli.restoration.image import ImageRestorer


def filters(shapes, *, bias=True, gain=2.0, seed=0):
    """Random tensors of convolutions by name: {name: (out, in, height, width)}."""
    random = torch.Generator().manual_seed(seed)
    tensors = {}
    for name, shape in shapes.items():
        fan = shape[1] * shape[2] * shape[3]
        tensors[f"{name}.weight"] = torch.randn(shape, generator=random) * (gain / fan) ** 0.5
        if bias:
            tensors[f"{name}.bias"] = torch.randn(shape[0], generator=random) * 0.05
    return tensors


def conv(tensors, name, x, **more):
    size = tensors[f"{name}.weight"].shape[-1]
    more = {"padding": size // 2, **more}
    return F.conv2d(x, tensors[f"{name}.weight"], tensors.get(f"{name}.bias"), **more)


def stack(channels_in, channels_out, width, depth, prefix="model"):
    """The published names of a plain stack: every second module is a ReLU without tensors."""
    widths = [channels_in, *[width] * (depth - 1), channels_out]
    return {f"{prefix}.{2 * i}": (widths[i + 1], widths[i], 3, 3) for i in range(depth)}


def run_stack(tensors, x, depth, prefix="model", dilations=None):
    for i in range(depth):
        dilation = 1 if dilations is None else dilations[i]
        x = conv(tensors, f"{prefix}.{2 * i}", x, padding=dilation, dilation=dilation)
        x = x.relu() if i < depth - 1 else x
    return x


IRCNN = (1, 2, 3, 4, 3, 2, 1)


def dncnn(channels):
    tensors = filters(stack(channels, channels, 8, 5))
    return tensors, lambda x, sigma: x - run_stack(tensors, x, 5)


def dncnn_batch_norm():
    """KAIR's network before its norms are merged: convolution, norm, ReLU in the middle; eps 1e-4."""
    shapes = {
        "model.0": (8, 3, 3, 3),
        "model.2": (8, 8, 3, 3),
        "model.5": (8, 8, 3, 3),
        "model.8": (3, 8, 3, 3),
    }
    tensors = filters(shapes)
    random = torch.Generator().manual_seed(3)
    for place in (3, 6):
        tensors |= {
            f"model.{place}.{name}": torch.rand(8, generator=random) + 0.5
            for name in ("weight", "running_var")
        }
        tensors |= {
            f"model.{place}.{name}": torch.randn(8, generator=random) for name in ("bias", "running_mean")
        }
        tensors[f"model.{place}.num_batches_tracked"] = torch.tensor(7)

    def define(x, sigma):
        y = conv(tensors, "model.0", x).relu()
        for place in (2, 5):
            norm = [
                tensors[f"model.{place + 1}.{n}"] for n in ("running_mean", "running_var", "weight", "bias")
            ]
            y = F.batch_norm(conv(tensors, f"model.{place}", y), *norm, eps=1e-4).relu()
        return x - conv(tensors, "model.8", y)

    return tensors, define


def ircnn():
    tensors = filters(stack(1, 1, 8, 7))
    return tensors, lambda x, sigma: x - run_stack(tensors, x, 7, dilations=IRCNN)


def ircnn_levels():
    """25 tables in one file; the one of index ceil(sigma / 2) - 1 is for an image."""
    tables = {str(i): filters(stack(3, 3, 4, 7), seed=i) for i in range(25)}

    def define(x, sigma):
        index = min(max(-(-sigma // 2) - 1, 0), 24)
        return x - run_stack(tables[str(int(index))], x, 7, dilations=IRCNN)

    return tables, define


def ffdnet(channels):
    tensors = filters(stack(4 * channels + 1, 4 * channels, 8, 5))

    def define(x, sigma):
        """Every channel becomes four: the pixels of even and odd rows and columns."""
        parts = [x[:, c : c + 1, i::2, j::2] for c in range(channels) for i in range(2) for j in range(2)]
        level = torch.full_like(parts[0], sigma / 255)
        y = run_stack(tensors, torch.cat([*parts, level], 1), 5)
        whole = torch.empty_like(x)
        for k in range(4 * channels):
            c, i, j = k // 4, k % 4 // 2, k % 2
            whole[:, c, i::2, j::2] = y[:, k]
        return whole

    return tensors, define


def drunet_shapes(channels, blocks):
    widths = (4, 8, 16, 32)
    shapes = {"m_head": (widths[0], channels + 1, 3, 3), "m_tail": (channels, widths[0], 3, 3)}
    for level in range(3):
        fine, coarse = widths[level], widths[level + 1]
        places = [(f"m_down{level + 1}.{b}.res", f"m_up{level + 1}.{b + 1}.res") for b in range(blocks)]
        shapes |= {f"{place}.{i}": (fine, fine, 3, 3) for pair in places for place in pair for i in (0, 2)}
        shapes[f"m_down{level + 1}.{blocks}"] = (coarse, fine, 2, 2)
        shapes[f"m_up{level + 1}.0"] = (coarse, fine, 2, 2)
    body = [f"m_body.{b}.res.{i}" for b in range(blocks) for i in (0, 2)]
    return shapes | dict.fromkeys(body, (widths[3], widths[3], 3, 3))


def drunet(channels=1, blocks=2):
    shapes = drunet_shapes(channels, blocks)
    tensors = filters(shapes, bias=False, gain=0.7)

    def residual(name, x):
        return x + conv(tensors, f"{name}.res.2", conv(tensors, f"{name}.res.0", x).relu())

    def define(x, sigma):
        y = conv(tensors, "m_head", torch.cat([x, torch.full_like(x[:, :1], sigma / 255)], 1))
        kept = [y]
        for level in (1, 2, 3):
            for block in range(blocks):
                y = residual(f"m_down{level}.{block}", y)
            y = conv(tensors, f"m_down{level}.{blocks}", y, stride=2, padding=0)
            kept.append(y)
        for block in range(blocks):
            y = residual(f"m_body.{block}", y)
        for level in (3, 2, 1):
            y = F.conv_transpose2d(y + kept[level], tensors[f"m_up{level}.0.weight"], stride=2)
            for block in range(blocks):
                y = residual(f"m_up{level}.{block + 1}", y)
        return conv(tensors, "m_tail", y + kept[0])

    return tensors, define


RRDB_NAMES = {
    "new": (
        "conv_first",
        "body.{}.rdb{}.conv{}",
        "conv_body",
        ("conv_up1", "conv_up2"),
        "conv_hr",
        "conv_last",
    ),
    "old": (
        "conv_first",
        "RRDB_trunk.{}.RDB{}.conv{}",
        "trunk_conv",
        ("upconv1", "upconv2"),
        "HRconv",
        "conv_last",
    ),
    "first": (
        "model.0",
        "model.1.sub.{}.RDB{}.conv{}.0",
        "model.1.sub.2",
        ("model.3", "model.6"),
        "model.8",
        "model.10",
    ),
}


def rrdb(names, fold=1):
    """Residual dense blocks, 0.2 of each branch; two doublings by repetition; pixels are folded."""
    first, dense, body_end, ups, high, last = RRDB_NAMES[names]
    shapes = {first: (8, 3 * fold**2, 3, 3), body_end: (8, 8, 3, 3), high: (8, 8, 3, 3), last: (3, 8, 3, 3)}
    shapes |= dict.fromkeys(ups, (8, 8, 3, 3))
    for block in range(2):
        for part in (1, 2, 3):
            for layer in range(1, 6):
                out = 4 if layer < 5 else 8
                shapes[dense.format(block, part, layer)] = (out, 8 + 4 * (layer - 1), 3, 3)
    tensors = filters(shapes)

    def define(x, sigma):
        if fold > 1:
            x = F.pixel_unshuffle(x, fold)
        y = begun = conv(tensors, first, x)
        for block in range(2):
            start = y
            for part in (1, 2, 3):
                seen = [y]
                for layer in range(1, 6):
                    z = conv(tensors, dense.format(block, part, layer), torch.cat(seen, 1))
                    seen.append(F.leaky_relu(z, 0.2) if layer < 5 else z)
                y = y + 0.2 * seen[-1]
            y = start + 0.2 * y
        y = begun + conv(tensors, body_end, y)
        for up in ups:
            y = F.leaky_relu(conv(tensors, up, y.repeat_interleave(2, 2).repeat_interleave(2, 3)), 0.2)
        return conv(tensors, last, F.leaky_relu(conv(tensors, high, y), 0.2))

    return tensors, define


def rdn(scale):
    steps = {2: [2], 3: [3], 4: [2, 2]}[scale]
    shapes = {"sfe1": (6, 3, 3, 3), "sfe2": (6, 6, 3, 3), "gff.0": (6, 12, 1, 1), "gff.1": (6, 6, 3, 3)}
    shapes |= {f"upscale.{2 * i}": (6 * s**2, 6, 3, 3) for i, s in enumerate(steps)} | {
        "output": (3, 6, 3, 3)
    }
    for block in range(2):
        shapes |= {f"rdbs.{block}.layers.{i}.conv": (4, 6 + 4 * i, 3, 3) for i in range(3)}
        shapes[f"rdbs.{block}.lff"] = (6, 18, 1, 1)
    tensors = filters(shapes)

    def define(x, sigma):
        shallow = conv(tensors, "sfe1", x)
        y, local = conv(tensors, "sfe2", shallow), []
        for block in range(2):
            seen = y
            for i in range(3):
                seen = torch.cat([seen, conv(tensors, f"rdbs.{block}.layers.{i}.conv", seen).relu()], 1)
            y = y + conv(tensors, f"rdbs.{block}.lff", seen)
            local.append(y)
        y = conv(tensors, "gff.1", conv(tensors, "gff.0", torch.cat(local, 1))) + shallow
        for i, step in enumerate(steps):
            y = F.pixel_shuffle(conv(tensors, f"upscale.{2 * i}", y), step)
        return conv(tensors, "output", y)

    return tensors, define


def red_net(half):
    """Sides are halved and doubled; every second convolution has a skip, ReLU before and after it."""
    shapes = {f"conv_layers.{i}.0": (6, 3 if i == 0 else 6, 3, 3) for i in range(half)}
    shapes |= {f"deconv_layers.{i}.0": (6, 6, 3, 3) for i in range(half - 1)}
    tensors = filters(shapes) | {
        "deconv_layers." + str(half - 1) + ".weight": torch.randn(6, 3, 3, 3) * 0.1,
        "deconv_layers." + str(half - 1) + ".bias": torch.randn(3) * 0.05,
    }
    skips = {10: [2, 4, 6, 8], 15: [2, 4, 6, 8, 10, 12, 14], 5: []}[half]

    def define(x, sigma):
        y, kept = x, {}
        for i in range(half):
            y = conv(tensors, f"conv_layers.{i}.0", y, stride=2 if i == 0 else 1).relu()
            kept[i + 1] = y
        for i in range(half - 1):
            name = f"deconv_layers.{i}.0"
            y = F.conv_transpose2d(y, tensors[f"{name}.weight"], tensors[f"{name}.bias"], padding=1).relu()
            if half - 1 - i in skips:
                y = (y + kept[half - 1 - i]).relu()
        name = f"deconv_layers.{half - 1}"
        last = (tensors[f"{name}.weight"], tensors[f"{name}.bias"])
        return x + F.conv_transpose2d(y, *last, stride=2, padding=1, output_padding=1)

    return tensors, define


CASES = {
    "dncnn-gray": (lambda: dncnn(1), "dncnn"),
    "dncnn-rgb": (lambda: dncnn(3), "dncnn"),
    "dncnn-batch-norm": (dncnn_batch_norm, "dncnn"),
    "ircnn": (ircnn, "ircnn"),
    "ircnn-25": (ircnn_levels, "ircnn"),
    "ffdnet-gray": (lambda: ffdnet(1), "ffdnet"),
    "ffdnet-rgb": (lambda: ffdnet(3), "ffdnet"),
    "drunet": (drunet, "drunet"),
    "rrdb-new": (lambda: rrdb("new"), "esrgan"),
    "rrdb-new-x2": (lambda: rrdb("new", 2), "esrgan"),
    "rrdb-new-x1": (lambda: rrdb("new", 4), "esrgan"),
    "rrdb-old": (lambda: rrdb("old"), "esrgan"),
    "rrdb-first": (lambda: rrdb("first"), "esrgan"),
    "rdn-2": (lambda: rdn(2), "rdn"),
    "rdn-3": (lambda: rdn(3), "rdn"),
    "rdn-4": (lambda: rdn(4), "rdn"),
    "red-net-10": (lambda: red_net(5), "red-net"),
    "red-net-20": (lambda: red_net(10), "red-net"),
    "red-net-30": (lambda: red_net(15), "red-net"),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("sigma", [3.0, 41.0])
def test_a_published_checkpoint_is_recognized_and_computes_what_its_authors_define(case, sigma, tmp_path):
    build, model = CASES[case]
    tensors, define = build()
    torch.save(tensors, tmp_path / "weights.pth")
    restorer = restorecli.load(tmp_path / "weights.pth", device="cpu")
    assert restorer.spec.name == f"{model} (weights.pth)"
    channels = restorer.spec.channels
    x = torch.rand(channels, 32, 40, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = define(x[None], sigma)[0].clamp(0, 1).numpy()
    got, _ = ImageRestorer(restorer).restore(x.numpy(), Context(sigma=sigma))
    assert got.shape == expected.shape
    assert abs(expected - 0.5).mean() < 0.5, "a judge that clips everything judges nothing"
    torch.testing.assert_close(torch.from_numpy(got), torch.from_numpy(expected), atol=1e-4, rtol=0)


def test_the_level_decides_where_a_network_takes_one(tmp_path):
    for case in ("ircnn-25", "ffdnet-rgb", "drunet"):
        torch.save(CASES[case][0]()[0], tmp_path / "weights.pth")
        restorer = restorecli.load(tmp_path / "weights.pth", device="cpu")
        assert restorer.spec.needs == {"sigma?"}
        x = torch.rand(restorer.spec.channels, 16, 16).numpy()
        low, high = (ImageRestorer(restorer).restore(x, Context(sigma=s))[0] for s in (4.0, 45.0))
        assert abs(low - high).max() > 1e-3


@pytest.mark.parametrize(
    "wrap",
    [
        lambda t: {"params_ema": t, "params": {}},
        lambda t: {"params": t},
        lambda t: {"state_dict": {f"module.{k}": v for k, v in t.items()}, "epoch": 3},
        lambda t: {"model_state_dict": {f"net.{k}": v for k, v in t.items()}},
        lambda t: {"state_dict": {f"module._orig_mod.{k}": v for k, v in t.items()}},
    ],
)
def test_wrappers_are_opened_and_prefixes_taken_off(wrap, tmp_path):
    tensors, _ = rrdb("new")
    torch.save(wrap(tensors), tmp_path / "w.pth")
    assert restorecli.load(tmp_path / "w.pth", device="cpu").spec.scale == 4


def test_a_safetensors_file_without_a_card_is_recognized_too(tmp_path):
    from safetensors.torch import save_file

    save_file(ffdnet(3)[0], tmp_path / "w.safetensors")
    assert restorecli.load(tmp_path / "w.safetensors", device="cpu").spec.name == "ffdnet (w.safetensors)"


def test_our_own_tensors_without_a_card_are_recognized(tmp_path):
    torch.save(create_model("unet").state_dict(), tmp_path / "w.pth")
    assert recognize(create_model("sca-unet", channels=1).state_dict()).arguments == {"channels": 1}
    assert restorecli.load(tmp_path / "w.pth", device="cpu").spec.name == "unet (w.pth)"


def test_a_file_is_described_without_its_name(tmp_path):
    tensors, _ = ffdnet(3)
    torch.save(tensors, tmp_path / "w.pth")
    found = describe_file(tmp_path / "w.pth")
    assert (found.network, found.origin, found.takes_sigma) == ("ffdnet", "FFDNet of KAIR", True)
    assert (found.channels, found.scale, found.receptive_field) == (3, 1, None)
    assert found.arguments == {"channels": 3, "width": 8, "depth": 5}
    assert found.parameters == sum(tensor.numel() for tensor in tensors.values())
    assert json.loads(json.dumps(found.to_dict()))["licence"] == "not known"


def test_a_file_of_ours_is_described_by_its_card():
    shipped = find_shipped("dncnn.gray-blind").path
    found = describe_file(shipped)
    assert (found.network, found.channels) == ("dncnn", 1)
    assert found.scores


def test_what_is_unknown_is_refused_with_the_nearest_network_and_what_it_lacks(tmp_path, monkeypatch):
    tensors, _ = drunet()
    less = {name: tensor for name, tensor in tensors.items() if not name.startswith("m_tail")}
    torch.save(less, tmp_path / "w.pth")
    with pytest.raises(WeightsError) as caught:
        restorecli.load(tmp_path / "w.pth", device="cpu")
    assert "DRUNet of KAIR" in caught.value.got
    assert "m_tail.weight" in caught.value.got
    torch.save({"a.weight": torch.zeros(3)}, tmp_path / "w.pth")
    with pytest.raises(WeightsError, match="not known which network") as caught:
        restorecli.load(tmp_path / "w.pth", device="cpu")
    assert "nearest" not in caught.value.got


def test_a_shape_that_does_not_fit_is_named(tmp_path):
    tensors, _ = dncnn(3)
    tensors["model.4.weight"] = torch.zeros(8, 9, 3, 3)
    torch.save(tensors, tmp_path / "w.pth")
    with pytest.raises(WeightsError, match=r"layers.4.weight: expected \(8, 8, 3, 3\), got \(8, 9, 3, 3\)"):
        restorecli.load(tmp_path / "w.pth", device="cpu")


def test_layouts_do_not_hide_each_other():
    """Every layout is reached by a case of its own, here or beside."""
    origins = {recognize_case(case).origin for case in CASES}
    elsewhere = {"SCA-UNet of its authors", "NAFNet of its authors", "Restormer of its authors"}
    assert origins == {layout.origin for layout in LAYOUTS} - elsewhere


def recognize_case(case):
    tensors = CASES[case][0]()[0]
    flat = {}
    for name, value in tensors.items():
        flat |= {f"{name}.{k}": v for k, v in value.items()} if isinstance(value, dict) else {name: value}
    return recognize(flat)


@pytest.mark.parametrize("network", [dncnn_batch_norm, lambda: dncnn(3)])
def test_a_stack_without_one_of_its_convolutions_is_refused(network) -> None:
    tensors, _ = network()
    whole = recognize(tensors)
    assert whole is not None
    assert whole.model == "dncnn"
    inner = sorted(name for name in tensors if tensors[name].ndim == 4)[2]
    del tensors[inner]
    with pytest.raises(WeightsError, match="lack a convolution") as caught:
        recognize(tensors)
    assert inner in str(caught.value)
