"""The hand-written recurrence against torch's own LSTM, and its batching rules against plain loops."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import grad, vmap

from discgan_core.models.discriminator import DiscriminatorReward, init_discriminator
from discgan_core.models.generator import LSTMPolicy, init_generator
from discgan_core.models.lstm import init_lstm, lstm
from discgan_core.rewards import along
from discgan_core.sequences import inverse_cdf, one_hot

INPUTS, HIDDEN, LENGTH, BATCH = 5, 4, 6, 3


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def params(rng):
    return {name: value.double() for name, value in init_lstm(INPUTS, HIDDEN, rng).items()}


def random(rng, *shape):
    return torch.from_numpy(rng.normal(size=shape))


def readout(params, x):
    """Use every output, so that every gradient is exercised."""
    h, c = lstm(params, x)
    return h.sin().sum() + c.cos().sum()


def test_it_computes_what_torch_computes(params, rng):
    x = random(rng, BATCH, LENGTH, INPUTS)
    theirs = nn.LSTM(INPUTS, HIDDEN, batch_first=True).double()
    # torch orders the gates i, f, g, o
    i, f, o, g = torch.arange(4 * HIDDEN).chunk(4)
    order = torch.cat([i, f, g, o])
    with torch.no_grad():
        theirs.weight_ih_l0.copy_(params["lstm.input"][order])
        theirs.weight_hh_l0.copy_(params["lstm.recurrent"][order])
        theirs.bias_ih_l0.copy_(params["lstm.bias"][order])
        theirs.bias_hh_l0.zero_()
    ours = lstm(params, x)[0].permute(2, 0, 1)
    torch.testing.assert_close(ours, theirs(x)[0])


def test_first_and_second_derivatives(params, rng):
    names = list(params)
    inputs = [random(rng, 2, 3, INPUTS), *(p.clone() for p in params.values())]
    inputs = [value.requires_grad_() for value in inputs]

    def function(x, *weights):
        return readout(dict(zip(names, weights, strict=True)), x)

    assert torch.autograd.gradcheck(function, inputs)
    assert torch.autograd.gradgradcheck(function, inputs)


def test_gradients_of_each_sample_and_session(params, rng):
    sessions, samples = 3, 7
    stacked = {name: torch.stack([p + 0.1 * s for s in range(sessions)]) for name, p in params.items()}
    x = random(rng, sessions, samples, 2, LENGTH, INPUTS)
    batched = vmap(vmap(grad(readout), in_dims=(None, 0)))(stacked, x)
    for s in range(sessions):
        one = {name: value[s] for name, value in stacked.items()}
        for n in range(samples):
            for name, value in grad(readout)(one, x[s, n]).items():
                torch.testing.assert_close(batched[name][s, n], value)


def test_derivative_of_squared_sample_gradients(params, rng):
    """What RELAX needs: through per-sample gradients to what weighs them, and to the inputs."""
    x, phi = random(rng, 4, 2, LENGTH, INPUTS), random(rng, HIDDEN, 1)

    def loss(phi, x):
        def one(x):
            gradient = grad(lambda p: (lstm(p, x)[0] * phi).sum())(params)
            return sum(g.square().sum() for g in gradient.values())

        return vmap(one)(x).mean()

    def plain(phi, x):
        total = 0.0
        for sample in x:
            leaves = [p.clone().requires_grad_() for p in params.values()]
            value = (lstm(dict(zip(params, leaves, strict=True)), sample)[0] * phi).sum()
            gradient = torch.autograd.grad(value, leaves, create_graph=True)
            total = total + sum(g.square().sum() for g in gradient)
        return total / len(x)

    leaves = phi.clone().requires_grad_(), x.clone().requires_grad_()
    expected = torch.autograd.grad(plain(*leaves), leaves)
    for ours, theirs in zip(grad(loss, argnums=(0, 1))(phi, x), expected, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_sampling_inverts_the_policy_s_own_distribution(rng):
    theta = {name: 3 * value.double() for name, value in init_generator(INPUTS, HIDDEN, rng).items()}
    policy = LSTMPolicy(theta, LENGTH)
    uniforms = torch.from_numpy(rng.random((500, LENGTH)))
    tokens = policy.sample(uniforms)
    expected = inverse_cdf(policy.logits(tokens).log_softmax(-1), uniforms)
    assert torch.equal(tokens, expected)
    assert len(tokens.unique()) == INPUTS


def test_prefixes_judged_together_are_those_judged_one_by_one(rng):
    phi = {name: 3 * value.double() for name, value in init_discriminator(INPUTS, HIDDEN, rng).items()}
    reward = DiscriminatorReward(phi)
    x = one_hot(torch.from_numpy(rng.integers(INPUTS, size=(BATCH, LENGTH))), INPUTS, torch.float64)
    relaxed = random(rng, 2, BATCH, LENGTH, INPUTS).softmax(-1)
    together = along(reward, x, relaxed)
    apart = along(lambda sequences: reward(sequences), x, relaxed)
    for one, other in zip(together, apart, strict=True):
        torch.testing.assert_close(one, other)
