"""Tokens for unit vectors, embeddings, going on from a prefix, reading to the end, rollouts of all that."""

from __future__ import annotations

import inspect
import sys
from types import ModuleType

import numpy as np
import pytest
import torch
from test_relaxed import bumpy
from torch.func import grad, vmap

from bench.contract.referee import double
from discgan_core import rewards
from discgan_core.meter import Calls, Meter, MeteredPolicy, MeteredReward
from discgan_core.models import forward, generator
from discgan_core.models.discriminator import DiscriminatorReward, init_discriminator
from discgan_core.models.discriminator import init_embedded_discriminator as embedded_discriminator
from discgan_core.models.from_logits import FromLogits
from discgan_core.models.generator import LSTMPolicy, init_embedded_generator, init_generator
from discgan_core.models.lstm import EMBEDDING, generate, lstm, read
from discgan_core.rewards import action_values, all_action_values, completions
from discgan_core.sequences import inverse_cdf, one_hot
from discgan_core.training import stack

V, HIDDEN, LENGTH, BATCH, CHOICES = 5, 4, 6, 3, 2
KINDS = ["plain", "embedding", "latent"]


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def uniforms(rng, *shape):
    return torch.from_numpy(rng.uniform(1e-12, 1 - 1e-12, size=shape))


def some_tokens(rng, *shape, low=0):
    return torch.from_numpy(rng.integers(low, V, size=shape))


def policy_of(kind, rng, batch=BATCH, policy=LSTMPolicy):
    init = init_embedded_generator if kind == "embedding" else init_generator
    latent = uniforms(rng, batch, 2 * HIDDEN) if kind == "latent" else None
    return policy(double(init(V, HIDDEN, rng), 3.0), LENGTH, latent)


def reward_of(kind, rng):
    init = embedded_discriminator if kind == "embedding" else init_discriminator
    return DiscriminatorReward(double(init(V, HIDDEN, rng), 3.0))


def setting(kind, seed=0):
    """Make a policy, a reward, and what action values are of."""
    rng = np.random.default_rng(seed)
    policy, reward = policy_of(kind, rng), reward_of(kind, rng)
    tokens, choices = some_tokens(rng, BATCH, LENGTH), some_tokens(rng, BATCH, LENGTH, CHOICES)
    return policy, reward, tokens, choices, uniforms(rng, BATCH, CHOICES, completions(LENGTH))


def plain(reward):
    """Hide all that a reward can do but judge vectors."""
    return lambda x: reward(x)


# Inputs


def readout(params, x):
    """Use every output, so that every gradient is exercised."""
    h, c = lstm(params, x)
    return h.sin().sum() + c.cos().sum()


def steepness(params, x):
    return sum(g.square().sum() for g in grad(readout)(params, x).values())


@pytest.mark.parametrize("function", [readout, grad(readout), grad(steepness)])
@pytest.mark.parametrize("kind", ["plain", "embedding"])
def test_tokens_are_read_as_their_unit_vectors_are(kind, function, rng):
    params, x = policy_of(kind, rng).params, some_tokens(rng, BATCH, LENGTH)
    params = {name: value for name, value in params.items() if not name.startswith("out.")}
    torch.testing.assert_close(function(params, x), function(params, one_hot(x, V, torch.float64)))


def test_tokens_are_read_alike_by_many_sessions_and_samples(rng):
    sessions = stack([policy_of("plain", rng).params for _ in range(2)])
    x = some_tokens(rng, 2, 4, BATCH, LENGTH)
    each = vmap(vmap(grad(readout), in_dims=(None, 0)))
    for ours, theirs in zip(
        each(sessions, x).values(), each(sessions, one_hot(x, V, torch.float64)).values(), strict=True
    ):
        torch.testing.assert_close(ours, theirs)


def test_an_embedding_is_a_table_of_vectors(rng):
    params, x = policy_of("embedding", rng).params, some_tokens(rng, BATCH, LENGTH, low=-1)
    assert (x < 0).any()

    def by_hand(params):
        table = {v: params[EMBEDDING][v] for v in range(V)} | {-1: torch.zeros(HIDDEN).double()}
        vectors = torch.stack([torch.stack([table[v] for v in row]) for row in x.tolist()])
        return readout({name: value for name, value in params.items() if name != EMBEDDING}, vectors)

    expected = grad(by_hand)(params)
    found = grad(readout)(params, x)
    assert found[EMBEDDING].abs().sum() > 0
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, msg=lambda text, name=name: f"{name}: {text}")


def test_no_token_is_the_zero_vector(rng):
    params = policy_of("plain", rng).params
    none = torch.full((BATCH, 2), -1)
    for ours, theirs in zip(lstm(params, none), lstm(params, torch.zeros(BATCH, 2, V).double()), strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("kind", ["plain", "embedding"])
@pytest.mark.parametrize("vectors", [False, True])
def test_reading_to_the_end_is_the_last_state(kind, vectors, rng):
    params, x = policy_of(kind, rng).params, some_tokens(rng, BATCH, LENGTH)
    x = one_hot(x, V, torch.float64) if vectors else x
    start = tuple(torch.from_numpy(rng.normal(size=(HIDDEN, BATCH))) for _ in range(2))
    torch.testing.assert_close(read(params, x, start), lstm(params, x, start)[0][-1])


# Going on from a prefix


def compare_continuations(policy_class, kind):
    """Fail unless a sample is what is made of its own prefixes with the uniforms that were left."""
    rng = np.random.default_rng(1)
    policy, u = policy_of(kind, rng, policy=policy_class), uniforms(rng, BATCH, LENGTH)
    whole = policy.sample(u)
    assert len(whole.unique()) > 2
    for t in range(LENGTH):
        rest = policy.after(whole)(t, whole[:, t, None], u[:, None, t + 1 :])
        assert torch.equal(rest[:, 0], whole[:, t:]), f"from place {t}"


@pytest.mark.parametrize("kind", KINDS)
def test_a_sample_goes_on_from_its_prefixes_as_it_did(kind):
    compare_continuations(LSTMPolicy, kind)


def compare_with_logits(policy_class, kind):
    """Fail unless choices and what follows are what the logits of whole sequences give."""
    rng = np.random.default_rng(2)
    policy, tokens = policy_of(kind, rng, policy=policy_class), some_tokens(rng, BATCH, LENGTH)
    choices, u = some_tokens(rng, BATCH, CHOICES), uniforms(rng, BATCH, CHOICES, LENGTH)
    for t in range(LENGTH):
        found = policy.after(tokens)(t, choices, u[..., t + 1 :])
        assert torch.equal(found[..., 0], choices)
        for c in range(CHOICES):
            whole = torch.cat([tokens[:, :t], found[:, c]], 1)
            log_probs = policy.logits(whole).log_softmax(-1)
            expected = inverse_cdf(log_probs[:, t + 1 :], u[:, c, t + 1 :])
            assert torch.equal(found[:, c, 1:], expected), f"from place {t}, choice {c}"


@pytest.mark.parametrize("kind", KINDS)
def test_any_choice_is_followed_by_what_its_logits_say(kind):
    compare_with_logits(LSTMPolicy, kind)


@pytest.mark.parametrize("kind", ["plain", "embedding"])
def test_sampling_after_a_token_is_sampling_after_it(kind, rng):
    """`first` is the token before the first to be sampled; without one, nothing was."""
    params, u, first = policy_of(kind, rng).params, uniforms(rng, 500, 1), some_tokens(rng, 500)
    for before in (first, torch.full_like(first, -1)):
        h, _ = lstm(params, before[:, None])
        logits = (params["out.weight"] @ h[0]).T + params["out.bias"]
        expected = inverse_cdf(logits.log_softmax(-1), u[:, 0])
        assert torch.equal(generate(params, u, first=before)[:, 0], expected)
    assert torch.equal(generate(params, u), generate(params, u, first=torch.full_like(first, -1)))
    assert not torch.equal(generate(params, u), generate(params, u, first=first))


# Action values


@pytest.mark.parametrize("kind", KINDS)
def test_action_values_are_the_rewards_of_whole_sequences(kind):
    policy, reward, tokens, choices, noise = setting(kind)
    found = action_values(policy, reward, tokens, choices, noise)
    torch.testing.assert_close(action_values(policy, plain(reward), tokens, choices, noise), found)
    parts = noise.split(list(range(LENGTH - 1, -1, -1)), -1)
    for t, part in enumerate(parts):
        for c in range(CHOICES):
            begun = torch.cat([tokens[:, :t], choices[:, t, c, None]], 1)
            u = torch.cat([torch.full((BATCH, t + 1), 0.5), part[:, c]], 1)
            for place in range(t + 1, LENGTH):
                padded = torch.nn.functional.pad(begun, (0, LENGTH - place))
                log_probs = policy.logits(padded)[:, place].log_softmax(-1)
                begun = torch.cat([begun, inverse_cdf(log_probs, u[:, place])[:, None]], 1)
            torch.testing.assert_close(found[:, t, c], reward(one_hot(begun, V, torch.float64)))


def test_a_policy_from_logits_rolls_out_as_the_lstm_it_has_them_from():
    lstm_policy, reward, tokens, choices, noise = setting("plain")
    copy = FromLogits(lstm_policy.logits, LENGTH, V)
    expected = action_values(lstm_policy, reward, tokens, choices, noise)
    torch.testing.assert_close(action_values(copy, reward, tokens, choices, noise), expected)
    torch.testing.assert_close(
        action_values(copy, bumpy, tokens, choices, noise),
        action_values(lstm_policy, bumpy, tokens, choices, noise),
    )


def test_a_policy_from_logits_at_other_parameters_is_what_it_was_told(rng):
    theta = torch.from_numpy(rng.normal(size=(V, V)))
    made = lambda p: FromLogits(lambda s: p["w"][s], LENGTH, V, params=p, at=made)  # noqa: E731
    policy, tokens = made({"w": theta}), some_tokens(rng, BATCH, LENGTH)
    assert policy.params["w"] is theta
    assert torch.equal(policy.at({"w": 2 * theta}).logits(tokens), 2 * theta[tokens])
    with pytest.raises(ValueError, match="give `params` and `at`"):
        FromLogits(policy.logits, LENGTH, V).at({})


def test_the_values_of_all_tokens_share_what_follows(rng):
    policy, reward, tokens, *_ = setting("plain")
    noise = uniforms(rng, BATCH, 2, completions(LENGTH))
    found = all_action_values(policy, reward, tokens, noise)
    assert found.shape == (BATCH, LENGTH, V)
    for v in range(V):
        choices = torch.full((BATCH, LENGTH, 2), v)
        expected = action_values(policy, reward, tokens, choices, noise).mean(-1)
        torch.testing.assert_close(found[..., v], expected)


@pytest.mark.parametrize("kind", KINDS)
def test_sessions_and_draws_roll_out_as_each_would_alone(kind):
    sessions = [setting(kind, seed) for seed in range(5)]
    apart = [action_values(*one) for one in sessions]
    thetas, phis = (stack([one[place].params for one in sessions]) for place in (0, 1))
    latents = torch.stack([one[0].latent if kind == "latent" else torch.zeros(BATCH, 0) for one in sessions])
    given = [torch.stack([one[place] for one in sessions]) for place in (2, 3, 4)]

    def values(theta, phi, latent, tokens, choices, noise):
        policy = LSTMPolicy(theta, LENGTH, latent)
        return action_values(policy, DiscriminatorReward(phi), tokens, choices, noise)

    def draws(theta, phi, *rest):
        single = [x[:, None] for x in rest]
        return vmap(lambda *one: values(theta, phi, *one))(*single)[:, 0]

    for way in (values, draws):
        together = vmap(way)(thetas, phis, latents, *given)
        torch.testing.assert_close(together, torch.stack(apart))


@pytest.mark.parametrize(("module", "limit"), [(forward, "COLUMNS"), (rewards, "PIECE")])
def test_pieces_make_no_difference(module, limit, monkeypatch):
    sessions = [setting("plain", seed) for seed in range(5)]
    thetas, phis = (stack([one[place].params for one in sessions]) for place in (0, 1))
    given = [torch.stack([one[place] for one in sessions]) for place in (2, 3, 4)]
    values = vmap(
        lambda theta, phi, *rest: action_values(LSTMPolicy(theta, LENGTH), DiscriminatorReward(phi), *rest)
    )
    at_once = values(thetas, phis, *given)
    monkeypatch.setattr(module, limit, 1)
    torch.testing.assert_close(values(thetas, phis, *given), at_once)


def test_parts_of_a_stack_have_two_sessions_at_least(monkeypatch):
    monkeypatch.setattr(forward, "COLUMNS", 1)
    sizes = []

    def kernel(part, none):
        sizes.append(len(part))
        return part

    for sessions in range(1, 8):
        sizes.clear()
        x = torch.arange(float(sessions))[:, None, None]
        assert torch.equal(forward.few_at_a_time(kernel, x, None), x)
        assert len(sizes) == max(1, sessions // 2)
        assert min(sizes) >= min(2, sessions)


def test_values_have_no_gradient():
    _, _, tokens, choices, noise = setting("plain")
    theta, phi = (
        double(init(V, HIDDEN, np.random.default_rng(3)), 3.0)
        for init in (init_generator, init_discriminator)
    )

    def total(theta, phi):
        return action_values(
            LSTMPolicy(theta, LENGTH), DiscriminatorReward(phi), tokens, choices, noise
        ).sum()

    assert total(theta, phi) > 0
    for gradient in grad(total, argnums=(0, 1))(theta, phi):
        assert all((g == 0).all() for g in gradient.values())


def test_steps_of_rollouts_are_counted():
    policy, reward, tokens, choices, noise = setting("plain")
    meter = Meter()
    metered = MeteredPolicy(policy, meter), MeteredReward(reward, meter, torch.zeros(V).double())
    found = action_values(*metered, tokens, choices, noise)
    torch.testing.assert_close(found, action_values(policy, reward, tokens, choices, noise))
    sequences = BATCH * CHOICES / LENGTH
    drawn, judged = completions(LENGTH), completions(LENGTH + 1)
    expected = Calls(BATCH + drawn * sequences, BATCH + judged * sequences)
    assert meter.calls == pytest.approx(expected)
    other = metered[0].at({name: 2 * value for name, value in policy.params.items()})
    other.sample(uniforms(np.random.default_rng(0), BATCH, LENGTH))
    assert meter.calls.generator == pytest.approx(expected.generator + BATCH)


# Planted errors


MUTANTS = {
    "the state of the place before": ("(h[t], c[t])", "(h[t - 1], c[t - 1])"),
    "the state once it has read the token": ("self.states(tokens))", "self.states(tokens.roll(-1, 1)))"),
    "the choice is not read": ("choices.flatten())", "0 * choices.flatten())"),
    "one choice's uniforms for another": (
        "uniforms.flatten(0, 1), start",
        "uniforms.flip(1).flatten(0, 1), start",
    ),
    "one row's state for another": ("(h[t], c[t])", "(h[t].flip(1), c[t].flip(1))"),
}


@pytest.mark.parametrize("error", MUTANTS)
def test_a_planted_error_is_caught(error, monkeypatch):
    right, wrong = MUTANTS[error]
    source = inspect.getsource(generator)
    assert source.count(right) == 1, "the code to mutate has changed"
    module = ModuleType("mutant")
    monkeypatch.setitem(sys.modules, "mutant", module)
    exec(compile(source.replace(right, wrong), "mutant", "exec"), module.__dict__)
    with pytest.raises(AssertionError):
        compare_with_logits(module.LSTMPolicy, "latent")
