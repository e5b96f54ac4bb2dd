"""CVAE-GAN: its divergence and draws against closed forms and torch, its code, its recognizers."""

import pytest
import torch
from torch.distributions import Normal
from torch.distributions import kl_divergence as judged

from restorecli.core.losses.variational import kl_divergence, reparameterize
from restorecli.core.models.cvae_gan import CvaeGan
from restorecli.core.recognizer import Recognizer


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def network():
    torch.manual_seed(0)
    return CvaeGan(1, width=4, latent=6).eval()


def test_the_divergence_from_itself_is_zero():
    zeros = torch.zeros(5, 8)
    assert float(kl_divergence(zeros, zeros)) == 0


def test_the_divergence_equals_torchs():
    mean, logvar = drawn(7, 5), drawn(7, 5, seed=1)
    expected = judged(Normal(mean, (0.5 * logvar).exp()), Normal(0.0, 1.0)).sum(1).mean()
    torch.testing.assert_close(kl_divergence(mean, logvar), expected)


def test_free_bits_are_counted_for_each_dimension_and_cost_no_gradient():
    mean = torch.tensor([[0.1, 3.0]], requires_grad=True)  # of 0.005 and 4.5 nats
    total = kl_divergence(mean, torch.zeros(1, 2), free=0.1)
    assert float(total.detach()) == pytest.approx(0.1 + 4.5)
    total.backward()
    assert mean.grad.tolist() == [[0.0, 3.0]]


def test_a_draw_has_the_mean_and_the_variance_that_it_is_given():
    count = 100_000
    mean, logvar = torch.tensor([-1.0, 2.0]), torch.tensor([0.0, -2.0])
    draws = reparameterize(mean.expand(count, 2), logvar.expand(count, 2), drawn(count, 2))
    error = logvar.exp().sqrt() / count**0.5
    assert ((draws.mean(0) - mean).abs() < 5 * error).all()
    torch.testing.assert_close(draws.var(0), logvar.exp(), rtol=0.03, atol=0)


def test_the_result_is_that_of_the_mean_code_and_does_not_need_the_encoder(network):
    x = torch.rand(2, 1, 16, 24)
    with torch.no_grad():
        restored = network(x)
        assert torch.equal(restored, network.decode(x, torch.zeros(2, 6)))
        for parameter in (*network.recognition.parameters(), *network.moments.parameters()):
            parameter.zero_()
        assert torch.equal(restored, network(x))


def test_samples_differ_by_the_code_alone(network):
    x = torch.rand(2, 1, 16, 24)
    with torch.no_grad():
        first, again = (network.sample(x, 3, torch.Generator().manual_seed(4)) for _ in range(2))
    assert first.shape == (3, 2, 1, 16, 24)
    assert torch.equal(first, again)
    assert float(first.std(0).min()) > 0


@pytest.mark.parametrize("level", range(4))
def test_the_code_enters_at_the_bottleneck_and_at_every_level(network, level):
    """Each of the four places alone lets the code through."""
    for number, film in enumerate(network.films):
        if number != level:
            torch.nn.init.zeros_(film.linear.weight)
    x = torch.rand(1, 1, 16, 16)
    with torch.no_grad():
        assert not torch.equal(network.decode(x, drawn(1, 6)), network.decode(x, drawn(1, 6, seed=1)))


def test_an_image_smaller_than_the_strides_is_encoded(network):
    mean, logvar = network.encode(torch.rand(1, 1, 8, 8), torch.rand(1, 1, 8, 8))
    assert mean.shape == logvar.shape == (1, 6)


def test_means_are_remembered_per_class_and_measured_in_closed_form():
    judge = Recognizer(1, 3, width=2, classes=3)
    ones = torch.ones(2, 8)
    assert float(judge.distance(ones, torch.tensor([0, 1]))) == 0  # nothing seen yet
    judge.remember(torch.stack([ones[0], 3 * ones[0]]), torch.tensor([1, 1]))
    assert judge.means[1].tolist() == [2.0] * 8
    judge.remember(4 * ones, torch.tensor([1, 1]), decay=0.5)
    assert judge.means[1].tolist() == [3.0] * 8
    assert float(judge.distance(ones, torch.tensor([0, 1]))) == pytest.approx(0.5 * 8 * 2**2)
    assert set(judge.state_dict()) >= {"means", "seen"}
