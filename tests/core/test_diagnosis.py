"""`check`: what is planted is found, in words; what is sound is served, and what is served can run."""

from __future__ import annotations

import time

import pytest
import torch
from torch import nn

import discgan_core
from discgan_core import estimators, rewards
from discgan_core.contexts import given
from discgan_core.interface import Need
from discgan_core.models.discriminator import DiscriminatorReward, init_discriminator
from discgan_core.models.from_logits import FromLogits
from discgan_core.models.generator import LSTMPolicy, init_generator
from discgan_core.randomness import noise_for, seeded
from discgan_core.sequences import one_hot

T, V = 5, 4
EVERY = set(estimators.available())
SAMPLES = 96
"""A multiple of every `samples_per_draw`."""


def needing(*needs):
    return {name for name in EVERY if set(needs) & set(estimators.make(name).needs)}


ROLLED_OUT = {"arsm", "disarm", "local_expectation", "rollout"}


class Net(nn.Module):
    """An embedding, an LSTM and an output layer; the input is shifted by `shift` places."""

    def __init__(self, vocabulary=V, hidden=6, shift=1, both_ways=False, middle=None):
        super().__init__()
        self.shift, self.middle = shift, middle or nn.Identity()
        self.embedding = nn.Embedding(vocabulary, hidden)
        self.lstm = nn.LSTM(hidden, hidden, batch_first=True, bidirectional=both_ways)
        self.out = nn.Linear(hidden * (1 + both_ways), vocabulary)

    def after(self, vectors):
        shifted = torch.cat([torch.ones_like(vectors[:, : self.shift]), vectors], 1)[:, : vectors.shape[1]]
        return self.out(self.middle(self.lstm(shifted)[0]))

    def forward(self, tokens):
        return self.after(self.embedding(tokens))

    def relaxed(self, x):
        return self.after(x @ self.embedding.weight)


class OverBatch(nn.Module):
    """Batch normalisation of [N, T, H] over N and T."""

    def __init__(self, hidden):
        super().__init__()
        self.normal = nn.BatchNorm1d(hidden)

    def forward(self, h):
        return self.normal(h.flatten(0, 1)).unflatten(0, h.shape[:2])


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def table():
    return torch.randn(V + 1, V, requires_grad=True)


def before(tokens):
    return torch.cat([torch.full_like(tokens[:, :1], V), tokens[:, :-1]], 1)


def bigram(theta=None, mask=0.0):
    theta = table() if theta is None else theta

    def relaxed(x):
        start = torch.zeros_like(x[:, :1])
        return torch.cat([theta[V:].expand(len(x), 1, V), x[:, :-1] @ theta[:V]], 1) + mask + 0 * start

    return FromLogits(lambda tokens: theta[before(tokens)] + mask, T, V, relaxed)


def from_net(net, length=T, vocabulary=V):
    return FromLogits(net, length, vocabulary, net.relaxed)


def smooth(x):
    """Reward of any length, within (0, 1)."""
    weights = torch.arange(x.shape[-1], device=x.device, dtype=x.dtype).cos()
    return torch.sigmoid((x @ weights).mean(1))


def argmax(x):
    return ((x.argmax(-1) == 0).to(x.dtype).mean(1) + 0.5) / 2


def said(policy, reward=smooth):
    return discgan_core.check(policy, reward)


# What is sound


MASK = torch.tensor([0.0, -torch.inf, 0.0, -torch.inf])
"""The last token is forbidden too: what rounding of a cumulative sum gives."""


class Prompted(nn.Module):
    """A bigram table for each prompt."""

    def __init__(self):
        super().__init__()
        self.theta = nn.Parameter(torch.randn(3, V + 1, V))

    def forward(self, tokens, prompt):
        return self.theta[prompt[:, None], before(tokens)]

    def relaxed(self, x, prompt):
        theta = self.theta[prompt]
        return torch.cat([theta[:, V:], x[:, :-1] @ theta[:, :V]], 1)


def prompted():
    net, prompts = Prompted(), torch.tensor([2, 0, 1])
    return FromLogits(given(net, prompts), T, V, given(net.relaxed, prompts))


def own_parameters():
    theta = {"table": table().detach()}

    def policy(theta):
        inner = bigram(theta["table"])
        return FromLogits(inner.logits, T, V, inner.relaxed_logits, theta, policy)

    return policy(theta)


SOUND = {
    "net": lambda: from_net(Net()),
    "float64": lambda: from_net(Net().double()),
    "net in eval": lambda: from_net(Net(middle=nn.Dropout()).eval()),
    "zero table": lambda: bigram(torch.zeros(V + 1, V, requires_grad=True)),
    "masked": lambda: bigram(mask=MASK),
    "masked, float64": lambda: bigram(table().detach().double().requires_grad_(), MASK.double()),
    "prompted": prompted,
    "own parameters": own_parameters,
    "LSTMPolicy": lambda: LSTMPolicy(init_generator(V, 6, seeded(None)), T),
}


@pytest.mark.parametrize("kind", SOUND)
def test_a_sound_policy_with_a_smooth_reward_serves_all(kind):
    found = said(SOUND[kind]())
    assert found.ok, str(found)
    assert set(found.served) == EVERY


@pytest.mark.parametrize("name", sorted(EVERY))
@pytest.mark.parametrize("kind", ["net", "float64", "masked", "masked, float64", "prompted"])
def test_what_is_served_gives_finite_gradients(kind, name):
    policy = SOUND[kind]()
    assert name in said(policy).served
    estimator = estimators.make(name)
    noise = noise_for(estimator, policy, SAMPLES)
    data = policy.sample(torch.rand(SAMPLES, T).clamp(1e-6, 1 - 1e-6))
    data = data if Need.DATA in estimator.needs else None
    estimate = estimator.estimate(policy, smooth, noise, estimator.init(policy, None), data)
    estimate.surrogate.mean().backward()
    leaves = discgan_core.diagnosis.causality.leaves(policy.logits(policy.sample(torch.rand(SAMPLES, T))))
    slopes = [leaf.grad for leaf in leaves if leaf.grad is not None]
    assert slopes
    assert all(slope.isfinite().all() for slope in slopes)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_types_are_told(dtype):
    found = said(bigram(table().detach().to(dtype).requires_grad_()))
    assert found.ok, str(found)
    assert f"{str(dtype)[6:]} (its probabilities are computed in float32)" in str(found)


def test_a_discriminator_of_ours_is_served_by_its_own_methods():
    reward = DiscriminatorReward(init_discriminator(V, 6, seeded(None)))
    found = said(bigram(), reward)
    assert found.ok, str(found)
    assert "reward: with a derivative, of prefixes too, positive, in (0, 1)" in str(found)


# What a reward is


def test_a_reward_without_a_derivative_serves_all_that_need_none():
    found = said(bigram(), argmax)
    assert found.ok, str(found)
    assert set(found.served) == EVERY - needing(Need.DERIVATIVE)
    assert "reward has no derivative in torch" in str(found)


JUMPS = {
    "sign": (lambda x: torch.sign(x[..., 0].mean(1) - 0.3), "is zero though the reward changes"),
    "round": (lambda x: x.round()[..., 0].mean(1), "is zero though the reward changes"),
    "straight-through": (
        lambda x: (one_hot(x.argmax(-1), V, x.dtype) + x - x.detach())[..., 0].mean(1),
        "does not add up to its differences",
    ),
    "detached": (lambda x: smooth(x) + smooth(x.flip(-1)).detach(), "does not add up to its differences"),
    "NaN at 0": (lambda x: torch.special.entr(x).sum((1, 2)) + x[..., 0].sqrt().sum(1), "is NaN or infinite"),
}


@pytest.mark.parametrize("kind", JUMPS)
def test_a_derivative_that_is_none_is_found(kind):
    reward, words = JUMPS[kind]
    found = said(bigram(), reward)
    assert [words in finding for finding in found.findings] == [True], str(found)
    assert not set(found.served) & needing(Need.DERIVATIVE)


@pytest.mark.parametrize(
    "reward",
    [
        lambda x: (x[..., 0] + 1e-6).log().mean(1),
        lambda x: torch.sigmoid(60 * (x[..., 0].mean(1) - 0.4)),
        lambda x: (x[..., 0].mean(1) - 0.4).relu(),
        lambda x: x[..., 0].max(1).values,
        lambda x: 0 * x.sum((1, 2)),
    ],
    ids=["logarithm", "steep", "kink", "maximum", "constant"],
)
def test_a_derivative_that_is_one_is_let_be(reward):
    found = said(bigram(), reward)
    assert found.ok, str(found)
    assert needing(Need.DERIVATIVE) <= set(found.served)


def test_a_reward_of_whole_sequences_only():
    weights = torch.randn(T, V)
    found = said(bigram(), lambda x: (x.flatten(1) @ weights.flatten()).exp())
    assert found.ok, str(found)
    assert set(found.served) == EVERY - needing(Need.PREFIXES) - needing(Need.PROBABILITY)
    assert "reward is not of prefixes (reward(float32 [24, 1, 4]) raised RuntimeError" in str(found)


def test_a_reward_that_is_not_positive():
    found = said(bigram(), lambda x: smooth(x) - 0.5)
    assert found.ok, str(found)
    assert set(found.served) == EVERY - needing(Need.POSITIVE) - needing(Need.PROBABILITY)


# What is wrong with a reward


def trained_mode():
    torch.manual_seed(1)
    net = nn.Sequential(nn.Flatten(), nn.Linear(T * V, 8), nn.Dropout(), nn.Linear(8, 1), nn.Flatten(0))
    return lambda x: net(x)


def changing(x):
    x[..., 0] = 0
    return x.mean((1, 2))


def failing(x):
    raise KeyError("colour")


FAULTY_REWARDS = {
    "[N, 1]": (
        lambda x: smooth(x)[:, None],
        "gives float32 [24, 1]; it must give floating-point numbers [24]",
    ),
    "[N, 1], advice": (lambda x: smooth(x)[:, None], "give f.squeeze(-1)"),
    "scalar": (lambda x: smooth(x).mean(), "one for each sequence, no mean or sum over the batch"),
    "[N, t]": (lambda x: x[..., 0], "gives float32 [24, 5]; it must give floating-point numbers [24]"),
    "list": (lambda x: smooth(x).tolist(), "gives a list"),
    "integers": (lambda x: x.argmax(-1).sum(1), "gives int64 [24]"),
    "infinite": (lambda x: x[..., 0].mean(1).log(), "it must be finite"),
    "over the batch": (lambda x: smooth(x) - smooth(x).mean(), "depends on the other rows of its batch"),
    "by size": (lambda x: smooth(x) / len(x), "depends on the number of rows"),
    "over the batch, small": (
        lambda x: 1e-6 * (smooth(x) - 0.1 * smooth(x).mean()),
        "depends on the other rows of its batch",
    ),
    "dropout": (
        trained_mode(),
        "differs between two calls with the same sequences: dropout is on? call .eval()",
    ),
    "in place": (changing, "changes the sequences that it is given"),
    "raises": (failing, "reward(float32 [24, 5, 4]) raised KeyError: 'colour'"),
}


@pytest.mark.parametrize("kind", FAULTY_REWARDS)
def test_a_faulty_reward_is_told(kind):
    reward, words = FAULTY_REWARDS[kind]
    found = said(bigram(), reward)
    assert [words in finding for finding in found.findings] == [True], str(found)
    assert not found.served
    assert "serves no estimator until that is mended" in str(found)


class Methods:
    """A sound reward with one method of its own that is not."""

    def __init__(self, name, method):
        setattr(self, name, method)

    def __call__(self, x):
        return smooth(x)


METHODS = {
    "of_tokens": lambda tokens: tokens.float().mean(1),
    "along": lambda x, relaxed: (smooth(x), relaxed[..., 0]),
    "after": lambda tokens: lambda t, rest: rest.float().mean(-1),
    "log_odds": lambda x: torch.sin(40 * smooth(x)),
}


@pytest.mark.parametrize("name", METHODS)
def test_a_method_that_does_not_agree_is_told(name):
    found = said(bigram(), Methods(name, METHODS[name]))
    (finding,) = found.findings
    assert finding.startswith(f"reward.{name}(")


def test_methods_that_agree_are_let_be():
    class Reward:
        def __call__(self, x):
            return smooth(x)

        def of_tokens(self, tokens):
            return smooth(one_hot(tokens, V, torch.float32))

        def along(self, x, relaxed):
            return rewards.along(smooth, x, relaxed)

        def after(self, tokens):
            return rewards.after(smooth, tokens, torch.empty(0, V))

        def log_odds(self, x):
            return smooth(x).logit()

    assert said(bigram(), Reward()).ok


# What is wrong with a policy


def reading_on():
    return from_net(Net(both_ways=True))


def inner(change):
    theta = table()
    return FromLogits(lambda tokens: change(theta[before(tokens)]), T, V)


def blind(policy):
    """Relaxed logits that read hard tokens off."""
    policy.relaxed_logits = lambda x: policy.logits(x.argmax(-1))
    return policy


def otherwise(policy):
    plain = policy.relaxed_logits
    policy.relaxed_logits = lambda x: 2 * plain(x)
    return policy


def with_method(policy, name, method):
    setattr(policy, name, method)
    return policy


def nothing_after(tokens):
    return lambda t, choices, uniforms: torch.zeros(*choices.shape, T - t, dtype=torch.long)


def uniformly_after(tokens):
    def go_on(t, choices, uniforms):
        return torch.cat([choices[..., None], (uniforms * V).long()], -1)

    return go_on


FAULTY_POLICIES = {
    "[N, V, T]": (lambda: inner(lambda x: x.transpose(1, 2)), "give logits.transpose(1, 2)"),
    "[T, N, V]": (lambda: inner(lambda x: x.transpose(0, 1)), "give logits.transpose(0, 1)"),
    "[N, T]": (lambda: inner(lambda x: x[..., 0]), "gives float32 [24, 5]"),
    "numpy": (lambda: inner(lambda x: x.detach().numpy()), "gives a ndarray"),
    "integers": (lambda: inner(lambda x: x.long()), "gives int64 [24, 5, 4]; it must give floating-point"),
    "NaN": (lambda: inner(lambda x: x * torch.nan), "are NaN or +inf at t = 0"),
    "all forbidden": (lambda: inner(lambda x: x - torch.inf), "are all -inf at t = 0"),
    "own token": (lambda: from_net(Net(shift=0)), "policy.logits[:, t] depend on token t itself"),
    "own token, place": (lambda: from_net(Net(shift=0)), "(seen at t = 0, 1, 2, 3, 4)"),
    "own token, advice": (lambda: from_net(Net(shift=0)), "shift the input by one"),
    "later tokens": (reading_on, "policy.logits before t depend on token t (seen at t = 1, 2, 3)"),
    "dropout": (lambda: from_net(Net(middle=nn.Dropout())), "dropout is on? call .eval()"),
    "batch": (lambda: from_net(Net(middle=OverBatch(6))), "depend on the other rows of its batch"),
    "logarithm of 0": (
        lambda: inner(lambda x: (x.exp() * MASK.exp()).log()),
        "by its parameters are NaN or infinite",
    ),
    "own random": (
        lambda: with_method(bigram(), "sample", lambda u: torch.randint(V, u.shape)),
        "policy.sample gives other tokens for the same uniforms",
    ),
    "greedy": (
        lambda: with_method(bigram(), "sample", lambda u: torch.zeros_like(u, dtype=torch.long)),
        "policy.sample gives token 0",
    ),
    "floats": (lambda: with_method(bigram(), "sample", lambda u: u.round()), "int64 [24, 5]"),
    "out of range": (
        lambda: with_method(bigram(), "sample", lambda u: (u * V).long() + 1),
        "they must be 0 to 3",
    ),
    "forbidden": (
        lambda: with_method(bigram(mask=MASK), "sample", lambda u: (u * V).long()),
        "which has probability 0",
    ),
    "relaxed otherwise": (lambda: otherwise(bigram()), "policy.logits of their tokens differ, at t = 0"),
    "relaxed, hard": (lambda: blind(bigram()), "policy.relaxed_logits has no derivative"),
    "after, choices": (
        lambda: with_method(bigram(), "after", nothing_after),
        "does not begin with the choices",
    ),
    "after, uniformly": (lambda: with_method(bigram(), "after", uniformly_after), "policy.after gives token"),
    "raises": (lambda: inner(failing), "policy.logits(tokens [24, 5]) raised KeyError: 'colour'"),
}


@pytest.mark.parametrize("kind", FAULTY_POLICIES)
def test_a_faulty_policy_is_told(kind):
    policy, words = FAULTY_POLICIES[kind]
    found = said(policy())
    assert words in found.findings[0], str(found)
    assert not set(found.served) >= EVERY


def test_a_policy_that_knows_its_own_token_has_probabilities_that_do_not_sum_to_one():
    theta = table()
    found = said(FromLogits(lambda tokens: theta[tokens], T, V))
    sums = theta[:V].log_softmax(-1).diagonal().exp().sum() ** T
    assert f"probabilities of all 4^5 sequences add up to {sums:.4g}, not 1" in str(found).replace(
        "\n    ", " "
    )


@pytest.mark.parametrize("start", ["random", "zeros"])
def test_logits_are_turned_where_both_sizes_are_the_same(start):
    theta = torch.zeros(V + 1, V, requires_grad=True) if start == "zeros" else table()
    found = said(FromLogits(lambda tokens: theta[before(tokens)].transpose(1, 2), V, V))
    assert "are [N, V, T], not [N, T, V] (T and V are 4): give logits.transpose(1, 2)" in found.findings[0]


def test_an_own_token_is_found_where_parameters_start_at_zero():
    theta = torch.zeros(V, V, requires_grad=True)
    found = said(FromLogits(lambda tokens: theta[tokens], T, V))
    assert "depend on token t itself (seen at t = 0, 1, 2, 3, 4)" in found.findings[0]


class Own:
    """A user's own class, with what it takes to be asked and to sample."""

    length, vocabulary = T, V

    def __init__(self):
        self.plain = bigram()

    def logits(self, tokens):
        return self.plain.logits(tokens)

    def sample(self, uniforms):
        return self.plain.sample(uniforms)


def test_methods_that_a_policy_has_not_are_told_with_who_cannot_run():
    found = said(Own())
    assert found.ok, str(found)
    assert set(found.served) == EVERY - needing(Need.RELAXED) - ROLLED_OUT
    assert "policy has no method `after`: arsm, disarm, local_expectation, rollout cannot run" in str(found)


def test_a_policy_that_cannot_sample_serves_those_that_do_not():
    policy = Own()
    policy.sample = None
    found = said(policy)
    assert "policy.sample(uniforms [24, 5]) raised TypeError" in found.findings[0]
    assert "exact" in found.served
    assert "reinforce" not in found.served


@pytest.mark.parametrize("name", ["logits", "length", "vocabulary"])
def test_what_is_no_policy_is_told(name):
    parts = {"logits": bigram().logits, "length": T, "vocabulary": V}
    del parts[name]
    assert f"policy has no `{name}`" in str(said(type("Parts", (), parts)()))


class Stuck(Own):
    """Its `at` changes nothing."""

    def __init__(self):
        super().__init__()
        self.params = {"theta": table()}

    def at(self, params):
        return self


class Moving(Stuck):
    """Its `at` changes it itself."""

    def logits(self, tokens):
        return self.params["theta"][before(tokens)]

    def sample(self, uniforms):
        return FromLogits(self.logits, T, V).sample(uniforms)

    def at(self, params):
        self.params = params
        return self


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (Stuck, "has the same logits whatever params are"),
        (Moving, "`at` must give a policy, and change none"),
    ],
)
def test_an_at_that_gives_no_other_policy_is_told(policy, words):
    assert words in said(policy()).findings[0]


# What it leaves as it is, and what it costs


def test_parameters_and_generators_stay_as_they_are():
    net = Net()
    kept, state = [p.detach().clone() for p in net.parameters()], torch.get_rng_state()
    said(from_net(net))
    assert torch.equal(state, torch.get_rng_state())
    for parameter, was in zip(net.parameters(), kept, strict=True):
        assert parameter.grad is None
        assert torch.equal(parameter, was)


@pytest.mark.parametrize("calls", range(12))
def test_what_raises_now_and_then_is_a_finding(calls):
    policy, left = bigram(), [calls, calls]

    def once(of, which):
        def asked(x):
            left[which] -= 1
            return failing(x) if left[which] < 0 else of(x)

        return asked

    found = said(FromLogits(once(policy.logits, 0), T, V), once(smooth, 1))
    assert sum("KeyError" in finding for finding in found.findings) >= 1, str(found)


@pytest.mark.parametrize("length", [0, 2.5, None])
def test_sizes_that_are_none_are_told(length):
    policy = Own()
    policy.length = length
    assert "length is" in said(policy).findings[0]


def test_logits_without_a_gradient_are_told():
    policy = bigram()
    assert "carry no gradient" in str(said(FromLogits(lambda x: policy.logits(x).detach(), T, V)))
    assert "carry no gradient" not in str(said(policy))


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 1), (1, 24), (24, 3), (3, 24)], ids=str)
def test_sizes_at_the_edge(size):
    found = said(from_net(Net(size[1]), *size))
    assert found.ok, str(found)


def test_contexts_of_both():
    scale = torch.tensor([1.0, 0.5])
    reward = given(lambda x, c: smooth(x) * c, scale)
    found = said(prompted(), reward)
    assert found.ok, str(found)
    assert set(found.served) == EVERY


@pytest.mark.parametrize(("length", "vocabulary", "seconds"), [(20, 50, 10), (20, 50_000, 60)])
def test_it_takes_seconds(length, vocabulary, seconds):
    start = time.process_time()  # others may be at work on the machine
    found = said(from_net(Net(vocabulary), length, vocabulary))
    assert time.process_time() - start < seconds
    assert found.ok, str(found)
    assert "exact" not in found.served
