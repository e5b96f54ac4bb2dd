"""PixelCNN: what may see what, the distributions over 256 levels, judging and sampling."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from torch import nn

from restorecli import create_model
from restorecli.core.models.blocks.levels import Categorical, LogisticMixture, to_levels
from restorecli.core.models.blocks.masked import MaskedRow
from restorecli.core.models.catalog import count_parameters
from restorecli.errors import UsageError

TINY = {"width": 24, "layers": 3, "condition": 6, "blocks": 1, "components": 2}

both_outputs = pytest.mark.parametrize("output", ["logistic", "categorical"])
both_kinds = pytest.mark.parametrize("channels", [1, 3])


def tiny(channels=3, output="logistic", **changes):
    """A small network with weights of which none is zero, in float64."""
    torch.manual_seed(0)
    network = create_model("pixelcnn", channels=channels, output=output, **{**TINY, **changes}).double()
    for name, parameter in network.named_parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.3)
        elif "layers" in name:
            parameter.data *= 2
    return network


def make_image(channels, height, width, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (1, channels, height, width), generator=generator).double() / 255


def in_order(values):
    """Flatten (C, H, W) to rows, pixels, colors."""
    return values.permute(1, 2, 0).flatten()


@both_outputs
@both_kinds
def test_each_color_depends_on_those_before_it_alone(channels, output):
    """The Jacobian of everything said of every color, in raster and color order."""
    network, x = tiny(channels, output), make_image(channels, 4, 5, seed=1)
    y = make_image(channels, 4, 5).requires_grad_()
    said = network.predict(y, x).joint.abs().sum(2)[0]
    rows = [in_order(torch.autograd.grad(one, y, retain_graph=True)[0][0]) for one in in_order(said)]
    seen = torch.stack(rows) != 0
    before = torch.ones_like(seen).tril(-1)
    assert not (seen & ~before).any()
    near = before & torch.ones_like(seen).triu(-channels)  # the pixel's own colors and the one before it
    place = torch.arange(seen.shape[0]) // channels
    same_row = place[:, None] // 5 == place[None] // 5
    assert (seen | ~(near & same_row)).all()


@both_kinds
def test_there_is_no_blind_spot(channels):
    """Every pixel of the rows above within reach counts, the far upper right too, and the row's left."""
    network = tiny(channels)
    reach = network.stack_reach
    y = make_image(channels, reach + 1, 2 * reach + 1).requires_grad_()
    said = network.predict(y, torch.zeros_like(y)).joint[0, :, :, -1, reach].abs().sum()
    seen = torch.autograd.grad(said, y)[0][0].abs().sum(0) > 0
    assert seen[0, -1]
    assert seen[:-1].all()
    assert seen[-1, :reach].all()
    assert not seen[-1, reach + 1 :].any()


@both_kinds
def test_the_degraded_image_is_seen_from_all_sides(channels):
    network, y = tiny(channels), make_image(channels, 7, 7)
    x = make_image(channels, 7, 7, seed=1).requires_grad_()
    prediction = network.predict(y, x)
    for parameters in (prediction.joint, prediction.alone):
        (gradient,) = torch.autograd.grad(parameters[0, 0, :, 3, 3].abs().sum(), x, retain_graph=True)
        assert (gradient[0, :, 1:6, 1:6] != 0).all()


@both_outputs
@both_kinds
def test_probabilities_of_the_256_levels_sum_to_one(channels, output):
    network, x = tiny(channels, output), make_image(channels, 3, 4, seed=1)
    joint = network.predict(make_image(channels, 3, 4), x).joint
    total = sum(network.log_probability(joint, torch.full_like(x, v / 255)).exp() for v in range(256))
    torch.testing.assert_close(total, torch.ones_like(total), atol=1e-5, rtol=0)


def one_logistic(mean, log_scale, level):
    """The log-probability of a level under one logistic."""
    parameters = torch.tensor([0.0, mean, log_scale], dtype=torch.float64).view(1, 1, 3, 1, 1)
    return float(LogisticMixture(1).log_probability(parameters, torch.full((1, 1, 1, 1), level)))


@settings(deadline=None)
@given(st.floats(-1.2, 1.2), st.floats(-5, 1), st.integers(0, 255))
def test_discretized_logistic_is_a_difference_of_distribution_functions(mean, log_scale, level):
    """Judge: SciPy's logistic distribution."""
    law = stats.logistic(mean, math.exp(log_scale))
    lower = -np.inf if level == 0 else (2 * level - 1) / 255 - 1
    upper = np.inf if level == 255 else (2 * level + 1) / 255 - 1
    on_left = lower + upper < 2 * mean
    expected = law.cdf(upper) - law.cdf(lower) if on_left else law.sf(lower) - law.sf(upper)
    assert one_logistic(mean, log_scale, level) == pytest.approx(math.log(expected), rel=1e-6, abs=1e-6)


def test_far_tails_stay_finite_and_least_scales_are_held():
    assert one_logistic(1, -7, 0) == pytest.approx(-(2 - 1 / 255) * math.exp(7), rel=1e-6)
    assert one_logistic(-1, -7, 255) == one_logistic(1, -7, 0)
    assert one_logistic(0.5, -100, 3) == one_logistic(0.5, -7, 3)
    parameters = torch.tensor([0.0, 1.0, -7.0]).view(1, 1, 3, 1, 1).requires_grad_()
    said = LogisticMixture(1).log_probability(parameters, torch.tensor([[[[0]]]]))
    said.backward()
    assert torch.isfinite(said).all()
    assert torch.isfinite(parameters.grad).all()


@both_outputs
def test_mean_is_the_sum_over_the_levels(output):
    network, x = tiny(3, output), make_image(3, 3, 4, seed=1)
    joint = network.predict(make_image(3, 3, 4), x).joint
    expected = sum(
        v / 255 * network.log_probability(joint, torch.full_like(x, v / 255)).exp() for v in range(256)
    )
    close = 0.5 / 255 if output == "logistic" else 1e-9
    torch.testing.assert_close(network.mean(joint), expected, atol=close, rtol=0)


@pytest.mark.parametrize("temperature", [1.0, 0.6])
@both_outputs
def test_draws_follow_the_probabilities(output, temperature):
    """Judge: the chi-square test; a logistic at temperature t has t times the scale."""
    torch.manual_seed(0)
    law = Categorical() if output == "categorical" else LogisticMixture(1)
    row = torch.randn(256) if output == "categorical" else torch.tensor([0.0, 0.3, -1.5])
    cold = row / temperature if output == "categorical" else row + torch.tensor([0, 0, math.log(temperature)])
    count = 20_000
    drawn = law.draw(row.expand(count, -1), torch.rand(count, 2), temperature)
    cold = cold.double().view(1, 1, -1, 1, 1).expand(256, -1, -1, -1, -1)
    expected = count * law.log_probability(cold, torch.arange(256).view(-1, 1, 1, 1)).exp().flatten().numpy()
    seen = np.bincount(drawn.numpy(), minlength=256)
    usual = expected >= 5
    pooled = [np.append(each[usual], each[~usual].sum() + 1e-9) for each in (seen, expected)]
    assert stats.chisquare(pooled[0], pooled[1] * pooled[0].sum() / pooled[1].sum()).pvalue > 1e-3


def sample_naively(network, x, temperature, generator):
    """Evaluate the whole network for every color of every pixel."""
    n, colors, height, width = x.shape
    chance = torch.rand(n, colors, height, width, 2, generator=generator)
    y = torch.zeros_like(x)
    for row in range(height):
        for column in range(width):
            for color in range(colors):
                joint = network.predict(y, x).joint[:, color, :, row, column]
                level = network.distribution.draw(joint, chance[:, color, row, column], temperature)
                y[:, color, row, column] = level.double() / 255
    return y


@pytest.mark.parametrize("temperature", [0.0, 1.0])
@both_outputs
@both_kinds
@torch.no_grad()
def test_kept_rows_draw_what_the_whole_network_draws(channels, output, temperature):
    network = tiny(channels, output)
    x = torch.cat([make_image(channels, 6, 6, seed) for seed in (1, 2)])
    kept = network.sample(x, temperature, torch.Generator().manual_seed(5))
    naive = sample_naively(network, x, temperature, torch.Generator().manual_seed(5))
    torch.testing.assert_close(kept, naive, atol=1e-12, rtol=0)
    assert len(kept.unique()) > 4
    if temperature:
        assert not torch.equal(kept, network.sample(x, temperature, torch.Generator().manual_seed(6)))


@both_kinds
def test_bits_of_a_network_that_knows_nothing_are_eight(channels):
    network = create_model("pixelcnn", channels=channels, output="categorical", **TINY)
    bits = network.likelihood(torch.rand(3, channels, 5, 7), torch.rand(3, channels, 5, 7))
    torch.testing.assert_close(bits, torch.full((3,), 8.0))


@both_outputs
def test_likelihood_is_the_sum_over_the_colors_in_bits(output):
    network, y, x = tiny(3, output), make_image(3, 3, 4), make_image(3, 3, 4, seed=1)
    joint = network.predict(y, x).joint
    probability = network.log_probability(joint, y).exp()
    expected = -float(probability.log2().sum().detach()) / y.numel()
    assert float(network.likelihood(y, x)) == pytest.approx(expected)


def test_likelihood_rounds_to_whole_levels():
    network, y, x = tiny(), make_image(3, 3, 4), make_image(3, 3, 4, seed=1)
    torch.testing.assert_close(network.likelihood(y + 0.4 / 255, x), network.likelihood(y, x))
    assert to_levels(torch.tensor([-0.1, 0.0, 0.4999 / 255, 0.5001 / 255, 1.0, 1.1])).tolist() == [
        *(0, 0, 0, 1, 255, 255)
    ]


@pytest.mark.parametrize("refinements", [1, 2])
def test_stated_field_is_what_gradients_reach(refinements):
    network = tiny(1, refinements=refinements)
    radius = network.receptive_field // 2
    assert radius == 3 + refinements * 6
    x = torch.rand(1, 1, 2 * radius + 5, 2 * radius + 5, dtype=torch.float64).requires_grad_()
    place = radius + 2
    (gradient,) = torch.autograd.grad(network(x)[0, 0, place, place], x)
    reach = int((gradient[0, 0].nonzero() - place).abs().max())
    assert radius - 1 <= reach <= radius


def test_jacobi_steps_are_means_given_the_last_guess():
    one, two = tiny(), tiny(refinements=2)
    x = make_image(3, 5, 6)
    first = one.mean(one.predict(x, x).alone)
    second = one.mean(one.predict(first, x).joint)
    torch.testing.assert_close(one(x), second)
    torch.testing.assert_close(two(x), one.mean(one.predict(second, x).joint))


def test_documented_number_of_parameters():
    with torch.device("meta"):
        assert count_parameters(create_model("pixelcnn")) == 6_232_788


def test_masks_of_a_row():
    """Groups 0 to 2 of outputs against two features of each group, and one known beforehand."""
    groups = [0, 0, 1, 1, 2, 2, -1]
    strict = MaskedRow(groups, [0, 1, 2], 2, strict=True).mask[:, :, 0]
    weak = MaskedRow(groups, [0, 1, 2], 2).mask[:, :, 0]
    assert strict[..., :2].all()
    assert strict[..., 2].tolist() == [[0, 0, 0, 0, 0, 0, 1], [1, 1, 0, 0, 0, 0, 1], [1, 1, 1, 1, 0, 0, 1]]
    assert weak[..., 2].tolist() == [[1, 1, 0, 0, 0, 0, 1], [1, 1, 1, 1, 0, 0, 1], [1] * 7]


@pytest.mark.parametrize("temperature", [-0.1, 2.5, float("nan")])
def test_impossible_temperatures_are_refused(temperature):
    with pytest.raises(ValueError, match="from 0 to 2"):
        tiny(1).sample(make_image(1, 2, 2), temperature)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"width": 100}, "multiple of 3"),
        ({"output": "softmax"}, "output must be"),
        ({"refinements": 100}, "refinements must be"),
        ({"components": 0}, "components: 1 to"),
    ],
)
def test_impossible_sizes_are_refused(arguments, words):
    with pytest.raises(UsageError) as caught:
        create_model("pixelcnn", **arguments)
    assert words in str(caught.value)
