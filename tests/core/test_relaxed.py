"""Estimators that feed relaxed tokens back: against plain loops, by what they promise, and at extremes.

Every statistical test fails a right estimator once in 1 / ALPHA seeds; the seeds are fixed.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from torch.func import grad, vmap

from bench.contract.referee import double
from bench.contract.verdict import ALPHA, compare, hotelling
from bench.experiments import grammar
from discgan_core import estimators, exact, game, relaxed, tasks, training
from discgan_core.accuracy import flatten
from discgan_core.estimators.gapped_straight_through import perturbation
from discgan_core.gradients import Problem, draw_gradients, update_gradient
from discgan_core.interface import State
from discgan_core.models import generator
from discgan_core.models.from_logits import FromLogits
from discgan_core.models.generator import LSTMPolicy, init_generator, init_with_cell
from discgan_core.randomness import TINY, Streams, noise_for
from discgan_core.sequences import gumbel_given, gumbel_with, inverse_cdf, one_hot, soften

V, HIDDEN, LENGTH, BATCH = 3, 4, 4, 6
OPTIONS = {
    "gumbel_softmax": {"temperature": 0.7},
    "straight_through": {"temperature": 0.7},
    "gumbel_rao": {"temperature": 0.7, "samples": 3},
    "reinmax": {"temperature": 1.3},
    "gapped_straight_through": {"temperature": 0.7, "gap": 0.9},
}
HARD = [name for name in OPTIONS if name != "gumbel_softmax"]
RELAXERS = ["rebar", "relax", "rebar_sequence", "relax_sequence"]
STARTS = [(0, False), (1, False), (2, False), (0, True), (1, True)]
"""How many of h_0 and c_0 are noise, and whether c_0 is learned otherwise."""
COUNTED = State(carried=torch.zeros(()))
EXTREMES = [TINY, 1 - 2 * TINY]


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def uniforms(rng, *shape):
    return torch.from_numpy(rng.uniform(1e-12, 1 - 1e-12, size=shape))


def bumpy(x):
    """Reward sequences and prefixes smoothly, every token and place differently, neighbours together."""
    _, length, vocabulary = x.shape
    weights = torch.arange(length * vocabulary, dtype=x.dtype).reshape(length, vocabulary).cos()
    pairs = (x[:, 1:, 0] * x[:, :-1, -1]).sum(1)
    along = (x * weights).sum((1, 2))
    return along + along.square() / 2 + pairs


def lstm(rng, latent=0, cell=False):
    """Make a policy's parameters, and the noise that its samples start from."""
    init = init_with_cell if cell else init_generator
    return double(init(V, HIDDEN, rng), 3.0), {"latent": uniforms(rng, BATCH, latent * HIDDEN)}


def lstm_problem(reward=bumpy):
    return Problem(lambda theta, noise: game.lstm(theta, LENGTH, noise), lambda noise: reward)


def noise_of(estimator, rng, batch=BATCH, length=LENGTH, vocabulary=V):
    return {name: uniforms(rng, batch, *shape) for name, shape in estimator.noise(length, vocabulary).items()}


def markov(theta):
    """Make a policy of logits theta["first"] [T, V], plus theta["follow"] [V, V] of the token before."""

    def relaxed_logits(x):
        before = torch.cat([torch.zeros_like(x[:, :1]), x[:, :-1]], 1)
        return theta["first"] + before.to(theta["follow"].dtype) @ theta["follow"]

    length, vocabulary = theta["first"].shape
    return FromLogits(
        lambda tokens: relaxed_logits(one_hot(tokens, vocabulary, theta["first"].dtype)),
        length,
        vocabulary,
        relaxed_logits,
    )


# Extremes


@st.composite
def extreme(draw):
    """Draw logits, uniforms and a temperature, all as far out as they go."""
    length, vocabulary = draw(st.integers(1, 4)), draw(st.integers(2, 8))
    sizes = st.floats(-1e4, 1e4, width=32)
    theta = {
        "first": torch.from_numpy(draw(arrays(np.float32, (length, vocabulary), elements=sizes))),
        "follow": torch.from_numpy(draw(arrays(np.float32, (vocabulary, vocabulary), elements=sizes))),
    }
    elements = st.sampled_from(EXTREMES) | st.floats(*EXTREMES, width=32)
    pool = draw(arrays(np.float32, 29, elements=elements))  # no multiple of any V: numbers meet all places
    temperature = draw(st.sampled_from([0.01, 1.0, 100.0]) | st.floats(0.01, 100))
    return theta, pool, temperature


def filled_from(pool, shape):
    return torch.from_numpy(np.resize(pool, shape).copy())


@pytest.mark.parametrize("name", [*OPTIONS, *RELAXERS])
@settings(max_examples=20, deadline=None)
@given(extreme())
def test_rewards_and_gradients_stay_finite(name, drawn):
    theta, pool, temperature = drawn
    learning = {"learning_rate": 0.01} if name in RELAXERS else {}
    estimator = estimators.make(name, temperature=temperature, **learning)
    length, vocabulary = theta["first"].shape
    state = estimator.init(markov(theta), np.random.default_rng(0))
    state = state._replace(learned={name: value + 0.05 for name, value in state.learned.items()})
    shapes = estimator.noise(length, vocabulary)
    noise = {name: filled_from(pool, (3, *shape)) for name, shape in shapes.items()}
    problem = Problem(lambda theta, noise: markov(theta), lambda noise: bumpy)
    gradient, feedback = update_gradient(estimator, problem, theta, noise, state)
    found = {"rewards": feedback.estimate.info["rewards"], **gradient, **feedback.variance_gradient}
    assert {"rewards", "first", "follow", *state.learned} == set(found)
    for what, values in found.items():
        assert values.isfinite().all(), f"{what} of {name} at temperature {temperature}"


@settings(max_examples=60, deadline=None)
@given(extreme())
def test_views_and_relaxed_tokens_stay_finite(drawn):
    theta, pool, temperature = drawn
    length, vocabulary = theta["first"].shape
    view, updates = game.relaxed(temperature, temperature), torch.zeros(())
    noise = {"z": filled_from(pool, (3, length, vocabulary))}
    tokens = torch.arange(3 * length).reshape(3, length) % vocabulary
    shown = [view.real(tokens, vocabulary, noise, updates), view.fake(markov(theta), noise, updates)]

    log_probs = theta["first"].log_softmax(-1).expand(3, -1, -1).requires_grad_()
    sampled = inverse_cdf(log_probs, noise["z"][..., 0])
    for draw in (gumbel_with, gumbel_given):
        z = draw(log_probs, sampled, noise["z"])
        y = soften(z, temperature)
        (slope,) = torch.autograd.grad(y[..., 0].sum(), log_probs)
        assert z.isfinite().all()
        assert slope.isfinite().all()
        shown.append(y)
    for x in shown:
        assert x.isfinite().all()
        torch.testing.assert_close(x.sum(-1), torch.ones(x.shape[:-1]))


# Against a plain loop


def plain_token(name, log_p, tokens, noise, t, temperature=1.0, samples=1, gap=1.0):
    """Give y_t, or what lends its gradient to it, from each paper's own formulas."""
    hard = one_hot(tokens, V, log_p.dtype)
    if name == "gumbel_softmax":
        return ((log_p - (-noise["z"][:, t].log()).log()) / temperature).softmax(-1)
    if name == "reinmax":  # Liu et al., algorithm 2
        middle = (hard + (log_p / temperature).softmax(-1)) / 2
        return 2 * ((middle.log() - log_p).detach() + log_p).softmax(-1) - log_p.softmax(-1) / 2
    if name == "gapped_straight_through":  # Fan et al., section 4
        greatest = log_p.max(-1, keepdim=True).values
        push = (greatest - log_p) * hard - (log_p + gap - greatest).relu() * (1 - hard)
        return ((log_p + push.detach()) / temperature).softmax(-1)
    v = noise["z_given"][:, t] if name == "gumbel_rao" else noise["z"][:, t, None]
    total = 0.0
    for e in (-v.log()).unbind(1):
        chosen = (e * hard).sum(-1, keepdim=True)
        z = torch.where(hard > 0, -chosen.log(), -(e / log_p.exp() + chosen).log())
        total = total + ((log_p + (z - log_p).detach()) / temperature).softmax(-1)
    return total / v.shape[1]


def plain_step(theta, x, h, c):
    """Take one step of an LSTM as it is written in books."""
    a = x @ theta["lstm.input"].T + h @ theta["lstm.recurrent"].T + theta["lstm.bias"]
    i, f, o, g = a.chunk(4, 1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


def plain_sequences(name, theta, noise):
    """Feed every token back by itself; x [N, T, V]."""
    none, latent = torch.zeros(BATCH, HIDDEN, dtype=torch.float64), noise["latent"]
    h = latent[:, :HIDDEN] if latent.shape[1] else none
    c = latent[:, HIDDEN:] if latent.shape[1] > HIDDEN else theta.get("start.cell", none[0]).expand(BATCH, -1)
    x, sequence = torch.zeros(BATCH, V, dtype=torch.float64), []
    for t in range(LENGTH):
        h, c = plain_step(theta, x, h, c)
        log_p = (h @ theta["out.weight"].T + theta["out.bias"]).log_softmax(-1)
        if name == "gumbel_softmax":
            x = plain_token(name, log_p, torch.zeros(BATCH).long(), noise, t, **OPTIONS[name])
        else:
            tokens = (noise["tokens"][:, t, None] >= log_p.exp().cumsum(-1)).sum(-1)
            y = plain_token(name, log_p, tokens, noise, t, **OPTIONS[name])
            x = one_hot(tokens, V, y.dtype) + y - y.detach()
        sequence.append(x)
    return torch.stack(sequence, 1)


def compare_with_plain_loop(name, estimator, latent=0, cell=False):
    """Fail unless rewards and gradients are those of the loop above."""
    rng = np.random.default_rng(1)
    theta, start = lstm(rng, latent, cell)
    noise = {**noise_of(estimator, rng), **start}
    gradient, feedback = update_gradient(estimator, lstm_problem(), theta, noise, COUNTED)
    leaves = {key: value.clone().requires_grad_() for key, value in theta.items()}
    rewards = bumpy(plain_sequences(name, leaves, noise))
    used = {key: leaf for key, leaf in leaves.items() if key != "start.cell" or latent < 2}
    expected = torch.autograd.grad(rewards.mean(), list(used.values()))
    torch.testing.assert_close(feedback.estimate.info["rewards"], rewards.detach())
    for key, value in zip(used, expected, strict=True):
        torch.testing.assert_close(gradient[key], value, msg=lambda text, key=key: f"{key}: {text}")


@pytest.mark.parametrize(("latent", "cell"), STARTS)
@pytest.mark.parametrize("name", OPTIONS)
def test_each_is_what_a_plain_loop_computes(name, latent, cell):
    compare_with_plain_loop(name, estimators.make(name, **OPTIONS[name]), latent, cell)


def test_gumbel_softmax_against_finite_differences(rng):
    theta, start = lstm(rng, latent=1, cell=True)
    estimator = estimators.make("gumbel_softmax", temperature=0.7)
    noise = {**noise_of(estimator, rng), **start}

    def function(*leaves):
        policy = game.lstm(dict(zip(theta, leaves, strict=True)), LENGTH, noise)
        return estimator.estimate(policy, bumpy, noise, COUNTED, None).surrogate

    assert torch.autograd.gradcheck(function, [value.requires_grad_() for value in theta.values()])


@pytest.mark.parametrize(("latent", "cell"), [(0, False), (1, True), (2, False)])
@pytest.mark.parametrize("name", OPTIONS)
def test_the_mean_of_single_draws_is_the_batch_s_gradient_in_every_session(name, latent, cell, rng):
    estimator = estimators.make(name, **OPTIONS[name])
    sessions = [lstm(rng, latent, cell) for _ in range(2)]
    noises = [{**noise_of(estimator, rng), **start} for _, start in sessions]
    stacked = [training.stack(trees) for trees in ([theta for theta, _ in sessions], noises)]
    one = lambda theta, noise: draw_gradients(estimator, lstm_problem(), theta, noise, COUNTED)[0]  # noqa: E731
    draws = vmap(one)(*stacked)
    for session, ((theta, _), noise) in enumerate(zip(sessions, noises, strict=True)):
        expected, _ = update_gradient(estimator, lstm_problem(), theta, noise, COUNTED)
        for key, value in expected.items():
            torch.testing.assert_close(draws[key][session].mean(0), value)


# The generator


@pytest.mark.parametrize(("latent", "cell"), STARTS)
def test_unrolled_with_hard_tokens_the_lstm_gives_the_logits_it_samples_from(latent, cell, rng):
    theta, start = lstm(rng, latent, cell)
    policy, seen = LSTMPolicy(theta, LENGTH, start["latent"]), []
    draws = uniforms(rng, BATCH, LENGTH)
    tokens = policy.sample(draws)

    def token(t, logits):
        seen.append(logits)
        return one_hot(tokens[:, t], V, logits.dtype)

    assert torch.equal(policy.unroll(BATCH, token), one_hot(tokens, V, torch.float64))
    logits = policy.logits(tokens)
    torch.testing.assert_close(torch.stack(seen, 1), logits, atol=1e-14, rtol=1e-14)
    assert torch.equal(tokens, inverse_cdf(logits.log_softmax(-1), draws))
    if latent == 0 and not cell:
        torch.testing.assert_close(LSTMPolicy(theta, LENGTH).logits(tokens), logits, atol=0, rtol=0)


@pytest.mark.parametrize("half", [0, 1])
def test_every_row_starts_from_its_own_noise(half, rng):
    theta, _ = lstm(rng)
    latent = torch.zeros(3, 2 * HIDDEN, dtype=torch.float64)
    latent[1, half * HIDDEN] = 0.5
    first = LSTMPolicy(theta, LENGTH, latent).logits(torch.zeros(3, LENGTH, dtype=torch.long))[:, 0]
    assert torch.equal(first[0], first[2])
    assert (first[0] - first[1]).abs().max() > 1e-3


@pytest.mark.parametrize("latent", [0, 1])
@pytest.mark.parametrize("name", [*OPTIONS, "reinforce", "rebar"])
def test_a_learned_cell_is_learned(name, latent, rng):
    theta, start = lstm(rng, latent, cell=True)
    estimator = estimators.make(name)
    state = estimator.init(lstm_problem().policy(theta, {}), rng)
    noise = {**noise_of(estimator, rng), **start}
    gradient, _ = update_gradient(estimator, lstm_problem(), theta, noise, state)
    assert (gradient["start.cell"].abs() > 1e-6).all()


# Hard tokens forwards


def compare_with_hard_samples(name, estimator):
    """Fail unless what is rewarded is exactly what the policy samples."""
    rng = np.random.default_rng(2)
    theta, start = lstm(rng, latent=2)
    noise = {**noise_of(estimator, rng), **start}
    policy, judged = game.lstm(theta, LENGTH, noise), []
    reward = lambda x: (judged.append(x), bumpy(x))[1]  # noqa: E731
    info = estimator.estimate(policy, reward, noise, COUNTED, None).info
    hard = one_hot(policy.sample(noise["tokens"]), V, torch.float64)
    assert torch.equal(judged[0], hard), f"{name} judges other sequences than it samples"
    torch.testing.assert_close(info["rewards"], bumpy(hard), atol=0, rtol=1e-14)


@pytest.mark.parametrize("name", HARD)
def test_forwards_tokens_are_hard_and_the_policy_s_own(name):
    compare_with_hard_samples(name, estimators.make(name, **OPTIONS[name]))


# ReinMax


WEIGHTS = torch.tensor(
    [[0.9, -1.3, 0.4, 2.0], [0.1, 0.8, -0.6, 0.3], [1.1, -0.2, -1.7, 0.5], [0, 1, 0.2, -1]]
)
LOGITS = {"logits": torch.tensor([0.3, -1.0, 0.8, 0.1], dtype=torch.float64)}
REWARDS = {
    "linear": lambda x: x[:, 0] @ WEIGHTS[0].to(x.dtype),
    "quadratic": lambda x: torch.einsum("ni,ij,nj->n", x[:, 0], WEIGHTS.to(x.dtype), x[:, 0]),
    "cubic": lambda x: (x[:, 0] @ WEIGHTS[0].to(x.dtype)) ** 3,
}


def one_token(reward):
    """Ask for a single token, whose logits are the parameters."""
    policy = lambda theta, noise: FromLogits(  # noqa: E731
        lambda tokens: theta["logits"].expand(*tokens.shape, -1),
        1,
        4,
        lambda x: theta["logits"].expand(len(x), 1, -1),
    )
    return Problem(policy, lambda noise: REWARDS[reward])


def truth_of(problem):
    expected = lambda theta: exact.expected_reward(problem.policy(theta, {}), problem.reward({}))  # noqa: E731
    return grad(expected)(LOGITS)["logits"]


def mean_over_all_tokens(estimator, problem):
    """Give the exact mean of an estimator without noise of its own: each token counts by its probability."""
    p = LOGITS["logits"].softmax(-1)
    middle = p.cumsum(-1) - p / 2
    draws, _ = draw_gradients(estimator, problem, LOGITS, {"tokens": middle[:, None]}, COUNTED)
    return p @ draws["logits"]


def compare_with_truth_up_to_second_order(name, estimator):
    """Fail unless the mean is the exact gradient, for all that Heun's method integrates exactly."""
    for reward in ("linear", "quadratic"):
        problem = one_token(reward)
        found = mean_over_all_tokens(estimator, problem)
        torch.testing.assert_close(
            found, truth_of(problem), msg=lambda text, r=reward: f"{name}, {r}: {text}"
        )


def verdict(name, reward, draws=20_000):
    rng, problem, estimator = np.random.default_rng(3), one_token(reward), estimators.make(name)
    noise = noise_of(estimator, rng, draws, 1, 4)
    sample = draw_gradients(estimator, problem, LOGITS, noise, COUNTED)[0]["logits"].numpy()
    return compare(sample, truth_of(problem).numpy(), 1, rng)


def test_reinmax_is_exact_up_to_second_order():
    compare_with_truth_up_to_second_order("reinmax", estimators.make("reinmax", temperature=1.0))


def test_reinmax_is_exact_no_further():
    for temperature, reward in ((1.0, "cubic"), (1.5, "quadratic")):
        problem = one_token(reward)
        found = mean_over_all_tokens(estimators.make("reinmax", temperature=temperature), problem)
        assert (found - truth_of(problem)).norm() > 0.01 * truth_of(problem).norm()


def test_of_a_quadratic_reward_reinmax_is_unbiased_and_straight_through_is_not():
    assert verdict("reinmax", "quadratic").p_value > ALPHA
    for name in ("straight_through", "gumbel_rao", "gapped_straight_through", "gumbel_softmax"):
        assert verdict(name, "quadratic").p_value < ALPHA, f"{name} shows no bias"


# Gumbel-Rao


def test_gumbel_rao_of_one_sample_is_straight_through(rng):
    theta, start = lstm(rng, latent=1)
    single, plain = (
        estimators.make("gumbel_rao", temperature=0.6, samples=1),
        estimators.make("straight_through", temperature=0.6),
    )
    noise = {**noise_of(plain, rng), **start}
    given_noise = {**noise, "z_given": noise["z"][:, :, None]}
    ours, _ = draw_gradients(single, lstm_problem(), theta, given_noise, COUNTED)
    theirs, _ = draw_gradients(plain, lstm_problem(), theta, noise, COUNTED)
    for key, value in theirs.items():
        torch.testing.assert_close(ours[key], value)


def test_gumbel_rao_has_straight_through_s_mean_and_less_variance(rng):
    problem, count = one_token("cubic"), 20_000
    tokens, found = uniforms(rng, count, 1), []
    for name, options in (("straight_through", {}), ("gumbel_rao", {"samples": 8})):
        estimator = estimators.make(name, temperature=0.5, **options)
        noise = {**noise_of(estimator, rng, count, 1, 4), "tokens": tokens}
        found.append(draw_gradients(estimator, problem, LOGITS, noise, COUNTED)[0]["logits"].numpy())
    assert hotelling(found[1] - found[0]) > ALPHA
    assert found[1].var(0).sum() < 0.9 * found[0].var(0).sum()


# The gap


@settings(max_examples=200, deadline=None)
@given(
    logits=st.lists(st.floats(-1e4, 1e4), min_size=2, max_size=8),
    place=st.integers(0, 7),
    gap=st.floats(0.01, 100),
)
def test_the_chosen_token_leads_by_the_gap_and_no_other_is_moved_in_vain(logits, place, gap):
    log_probs = torch.tensor(logits, dtype=torch.float64).log_softmax(-1)[None]
    token = torch.tensor([place % len(logits)])
    moved = (log_probs + perturbation(log_probs, token, gap))[0]
    greatest, tiny = log_probs.max(), 1e-10
    others = torch.arange(len(logits)) != token
    assert moved.argmax() == token
    assert (moved[~others] - moved[others] >= gap - tiny).all()
    torch.testing.assert_close(moved[token], greatest[None], atol=tiny, rtol=0)
    torch.testing.assert_close(
        moved[others], log_probs[0, others].clamp(max=greatest - gap), atol=tiny, rtol=0
    )


# Temperatures


def at(schedule, *updates):
    return [float(relaxed.temperature_at(schedule, torch.tensor(float(n)))) for n in updates]


def test_schedules_begin_pass_their_middle_and_end():
    assert at(relaxed.linear(5, 1, 10), 0, 5, 10, 11, 1000) == [5, 3, 1, 1, 1]
    assert at(relaxed.linear(1, 3, 4), 0, 1, 4, 9) == [1, 1.5, 3, 3]
    expected = [4, 2, 1, 1]
    assert at(relaxed.exponential(4, 1, 10), 0, 5, 10, 99) == pytest.approx(expected)
    assert at(0.3, 0, 5, 10) == [0.3] * 3


@pytest.mark.parametrize("name", OPTIONS)
def test_the_temperature_in_force_is_the_schedule_s_at_the_updates_counted(name, rng):
    theta, start = lstm(rng)
    annealed = estimators.make(name, temperature=relaxed.linear(5, 1, 2))
    noise = {**noise_of(annealed, rng), **start}
    policy, found = lstm_problem().policy(theta, start), []
    state = annealed.init(policy, rng)
    for updates, tau in enumerate([5.0, 3.0, 1.0, 1.0]):
        assert float(state.carried) == updates
        constant = estimators.make(name, temperature=tau)
        gradient, feedback = update_gradient(annealed, lstm_problem(), theta, noise, state)
        expected, _ = update_gradient(constant, lstm_problem(), theta, noise, constant.init(policy, rng))
        for key, value in expected.items():
            torch.testing.assert_close(gradient[key], value)
        found.append(flatten(gradient))
        state = annealed.adapt(state, feedback)
    assert (found[0] - found[2]).norm() > 0.05 * found[2].norm()


def test_training_counts_updates_for_the_estimator_and_for_what_is_shown():
    """Every moment of training shows the sequences that its own temperature gives."""
    tau = relaxed.linear(5, 1, 2)
    rules = game.Game(game.log_odds, game.relaxed(tau, tau), latent=2)
    task = tasks.make("cfg", 5)
    schedule = replace(grammar.PRESETS["smoke"].schedule(5), updates=3, batch=32, generated=32, warmup=0)
    start, data = training.pretrain(task, schedule, Streams("t", [0, 1]), rules)
    estimator = estimators.make("gumbel_softmax", temperature=tau)
    loop = training.adversarial(start, data, task, estimator, schedule, Streams("u", [0, 1]), rules)
    for updates, (players, now) in enumerate(zip(loop, [5.0, 3.0, 1.0, 1.0], strict=True)):
        assert players.state.carried.tolist() == players.updates.tolist() == [updates, updates]
        constant = rules._replace(view=game.relaxed(now, now))
        both = (training.shown(players, data[:, :32], 32, Streams("v", [0, 1]), g) for g in (rules, constant))
        for ours, expected in zip(*both, strict=True):
            torch.testing.assert_close(ours, expected)


# What the discriminator is shown


@pytest.mark.parametrize(("vocabulary", "right"), [(6, 0.9), (2, 0.9), (6, 0.5)])
def test_a_smoothed_token_is_the_right_one_as_often_as_it_says(vocabulary, right, rng):
    count, tau = 5000, relaxed.linear(5, 0.1, 10)
    tokens = torch.from_numpy(rng.integers(vocabulary, size=(count, 4)))
    noise = {"z": uniforms(rng, count, 4, vocabulary)}
    view = game.relaxed(tau, tau, right)
    early, late = (view.real(tokens, vocabulary, noise, torch.tensor(n)) for n in (0.0, 10.0))
    symbols = early.argmax(-1)
    correct = int((symbols == tokens).sum())
    assert stats.binomtest(correct, tokens.numel(), right).pvalue > ALPHA
    wrong = ((symbols - tokens) % vocabulary)[symbols != tokens]
    assert stats.chisquare(np.bincount(wrong, minlength=vocabulary)[1:]).pvalue > ALPHA or vocabulary == 2
    assert torch.equal(late.argmax(-1), symbols)
    assert late.amax(-1).mean() > early.amax(-1).mean()
    for x in (early, late):
        torch.testing.assert_close(x.sum(-1), torch.ones_like(x[..., 0]))


def test_the_discriminator_is_shown_what_the_generator_is_rewarded_for(rng):
    theta, start = lstm(rng, latent=2)
    tau, state = relaxed.linear(5, 1, 10), State(carried=torch.tensor(5.0))
    estimator = estimators.make("gumbel_softmax", temperature=tau)
    noise = {**noise_of(estimator, rng), **start}
    policy = game.lstm(theta, LENGTH, noise)
    shown = game.relaxed(tau, tau).fake(policy, noise, state.carried)
    rewards = estimator.estimate(policy, bumpy, noise, state, None).info["rewards"]
    assert torch.equal(bumpy(shown), rewards)


# A policy of one's own


def test_a_policy_without_relaxed_logits_is_told_what_it_lacks():
    policy = FromLogits(lambda tokens: torch.zeros(*tokens.shape, V), LENGTH, V)
    for name in OPTIONS:
        estimator = estimators.make(name)
        noise = noise_for(estimator, policy, 2)
        with pytest.raises(ValueError, match="give `relaxed_logits` too"):
            estimator.estimate(policy, bumpy, noise, COUNTED, None)


def test_a_policy_from_logits_gives_what_its_formula_does(rng):
    shapes = {"first": (LENGTH, V), "follow": (V, V)}
    theta = {key: torch.from_numpy(rng.normal(size=shape)) for key, shape in shapes.items()}
    estimator = estimators.make("gumbel_softmax", temperature=0.4)
    noise = noise_of(estimator, rng)

    def by_hand(theta):
        g, rows = -(-noise["z"].log()).log(), []
        for t in range(LENGTH):
            logits = theta["first"][t] + (rows[-1] @ theta["follow"] if rows else 0)
            rows.append(((logits + g[:, t]) / 0.4).softmax(-1))
        return bumpy(torch.stack(rows, 1)).mean()

    problem = Problem(lambda theta, noise: markov(theta), lambda noise: bumpy)
    gradient, feedback = update_gradient(estimator, problem, theta, noise, COUNTED)
    torch.testing.assert_close(feedback.estimate.surrogate.mean(), by_hand(theta))
    for key, value in grad(by_hand)(theta).items():
        torch.testing.assert_close(gradient[key], value)


# Planted errors


MUTANTS = {
    "Gumbel noise of the other sign": (
        "gumbel_softmax",
        "soften(logits + g[:, t], tau)",
        "soften(logits - g[:, t], tau)",
        compare_with_plain_loop,
    ),
    "relaxed tokens fed back without their gradient": (
        "gumbel_softmax",
        "unroll(x.T[None]",
        "unroll(x.detach().T[None]",
        compare_with_plain_loop,
    ),
    "relaxed token of another token's noise": (
        "straight_through",
        "gumbel_with(log_probs, tokens,",
        "gumbel_with(log_probs, (tokens + 1) % policy.vocabulary,",
        compare_with_plain_loop,
    ),
    "one step's noise for all": (
        "straight_through",
        'noise["z"][:, t]',
        'noise["z"][:, 0]',
        compare_with_plain_loop,
    ),
    "soft tokens forwards": ("straight_through", "+ (y - y.detach())", "+ y", compare_with_hard_samples),
    "temperature left out of the backward pass": (
        "gumbel_rao",
        "soften(z, tau)",
        "soften(z, 1.0)",
        compare_with_plain_loop,
    ),
    "second order's weight dropped": (
        "reinmax",
        "- softmax_slope(pi_0, log_probs) / 2",
        "- softmax_slope(pi_0, log_probs)",
        compare_with_truth_up_to_second_order,
    ),
    "pi_1 without the token": (
        "reinmax",
        "(one_hot(tokens, policy.vocabulary, pi_0.dtype) + soften(log_probs, tau)) / 2",
        "soften(log_probs, tau)",
        compare_with_truth_up_to_second_order,
    ),
    "the gap's push with a gradient": (
        "gapped_straight_through",
        "perturbation(log_probs.detach(),",
        "perturbation(log_probs,",
        compare_with_plain_loop,
    ),
}


@pytest.mark.parametrize("error", MUTANTS)
def test_a_planted_error_is_caught(error, monkeypatch):
    name, right, wrong, check = MUTANTS[error]
    options = {} if check is compare_with_truth_up_to_second_order else OPTIONS[name]
    check(name, estimators.make(name, **options))
    with pytest.raises(AssertionError):
        check(name, mutant(name, right, wrong, monkeypatch)(**options))


def mutant(name, right, wrong, monkeypatch):
    """Load an estimator's file, or a shared one it draws from, or the generator's, with one thing changed."""
    sources = {
        module.__name__: inspect.getsource(module)
        for module in (generator, relaxed, importlib.import_module(f"discgan_core.estimators.{name}"))
    }
    assert sum(text.count(right) for text in sources.values()) == 1, "the code to mutate has changed"
    for full_name, text in sources.items():
        module = ModuleType(full_name)
        monkeypatch.setitem(sys.modules, full_name, module)
        exec(compile(text.replace(right, wrong), full_name, "exec"), module.__dict__)
    monkeypatch.setattr(game, "LSTMPolicy", sys.modules[generator.__name__].LSTMPolicy)
    return getattr(sys.modules[f"discgan_core.estimators.{name}"], name)


def test_a_schedule_of_no_updates_is_at_its_end_from_the_first():
    for schedule in (relaxed.linear(5, 1, 0), relaxed.exponential(5, 1, 0)):
        assert [schedule(torch.tensor(float(n))).item() for n in (1, 2)] == [1, 1]
        assert schedule(torch.tensor(0.0)).isfinite()


def test_a_policy_of_one_s_own_may_be_in_double_precision():
    weights = torch.zeros(V, V, dtype=torch.float64)
    logits = lambda tokens: weights[tokens]  # noqa: E731
    policy = FromLogits(logits, LENGTH, V, lambda x: x @ weights)
    assert policy.unroll(BATCH, lambda t, found: found.softmax(-1)).dtype == torch.float64
