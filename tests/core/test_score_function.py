"""The unordered-set and double-control-variate estimators, and VarGrad: identities, distributions, extremes.

Every statistical test fails a right estimator once in 1 / ALPHA seeds; the seeds are fixed.
"""

from __future__ import annotations

from itertools import combinations, permutations

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from scipy import stats
from test_relaxed import bumpy, extreme, filled_from, markov
from torch.func import grad, jacrev, vmap

from bench.contract.referee import networks
from bench.contract.referee import problem as lstm_problem
from bench.contract.referee import uniforms as noise_for
from bench.contract.verdict import ALPHA
from discgan_core import estimators, exact, game, training
from discgan_core.accuracy import flatten
from discgan_core.estimators.unordered_set import perturbed_given, stochastic_beams, weights
from discgan_core.gradients import Problem, draw_gradients, update_gradient, variance_gradient
from discgan_core.interface import State
from discgan_core.models.discriminator import DiscriminatorReward
from discgan_core.models.generator import LSTMPolicy
from discgan_core.sequences import all_sequences, log_likelihood, mean_of_others, one_hot

NAMES = ["unordered_set", "double_control_variate"]
V, LENGTH = 3, 4


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def uniforms(rng, *shape):
    return torch.from_numpy(rng.uniform(1e-12, 1 - 1e-12, size=shape))


def table(rng, length=LENGTH, vocabulary=V, follow=1.0):
    """Make theta of a Markov policy; at `follow` zero its tokens are independent."""
    return {
        "first": torch.from_numpy(rng.normal(size=(length, vocabulary))),
        "follow": follow * torch.from_numpy(rng.normal(size=(vocabulary, vocabulary))),
    }


def markov_problem(reward):
    return Problem(lambda theta, noise: markov(theta), lambda noise: reward)


def draws_of(estimator, problem, theta, rng, draws=6, size=(V, LENGTH), state=None):
    """Give per-draw gradients and their noise."""
    noise = noise_for(estimator, *size, draws * estimator.samples_per_draw, rng)
    state = state or estimator.init(problem.policy(theta, {}), rng)
    return draw_gradients(estimator, problem, theta, noise, state)[0], noise


def everything(policy):
    """List all sequences with their log-probabilities."""
    tokens = all_sequences(policy.length, policy.vocabulary)
    return tokens, log_likelihood(policy.logits(tokens).log_softmax(-1), tokens).sum(1)


def codes(tokens, vocabulary):
    """Number sequences [..., T] as `all_sequences` lists them."""
    return (tokens * vocabulary ** torch.arange(tokens.shape[-1] - 1, -1, -1)).sum(-1)


# Stochastic beam search


def test_a_given_maximum_is_met_and_the_order_kept(rng):
    z, m = torch.from_numpy(rng.gumbel(size=(200, 5))), torch.from_numpy(rng.gumbel(size=200))
    moved = perturbed_given(z, m)
    assert torch.equal(moved.amax(-1), m)
    assert torch.equal(moved.argsort(-1), z.argsort(-1))
    torch.testing.assert_close(perturbed_given(z, z.amax(-1)), z)
    plain = -((-m[:, None]).exp() - (-z.amax(-1, keepdim=True)).exp() + (-z).exp()).log()
    torch.testing.assert_close(moved, plain, rtol=1e-6, atol=1e-6)
    assert (perturbed_given(z, torch.full_like(m, -torch.inf)) == -torch.inf).all()


def test_all_sequences_perturbed_are_independent_gumbel_variables(rng):
    policy = markov(table(rng, length=3, vocabulary=2))
    log_p = everything(policy)[1]
    found = stochastic_beams(policy.logits, uniforms(rng, 5000, 8, 3, 2))
    order = codes(found.tokens, 2).argsort(-1)
    perturbed = perturbed_given(found.perturbed, torch.from_numpy(rng.gumbel(size=5000)))
    noise = (perturbed - found.log_p).gather(1, order)
    torch.testing.assert_close(found.log_p.gather(1, order), log_p.expand(5000, -1))
    for place in noise.unbind(1):
        assert stats.kstest(place.numpy(), "gumbel_r").pvalue > ALPHA
    ranks = stats.spearmanr(noise.numpy()).statistic - np.eye(8)
    assert np.abs(ranks).max() < 5 / np.sqrt(5000)


@pytest.mark.parametrize(("count", "vocabulary", "length"), [(2, 2, 3), (3, 3, 2)])
def test_sets_are_drawn_as_often_as_without_replacement(count, vocabulary, length, rng):
    policy = markov(table(rng, length, vocabulary))
    p = everything(policy)[1].exp().numpy()
    found = stochastic_beams(policy.logits, uniforms(rng, 20_000, count, length, vocabulary))
    drawn = np.sort(codes(found.tokens, vocabulary).numpy())
    assert (np.diff(drawn) > 0).all(), "a sequence is twice in a set"
    sets = list(combinations(range(len(p)), count))
    chances = np.array([chance(p[list(s)]) for s in sets])
    assert chances.sum() == pytest.approx(1)
    expected, seen = chances * len(drawn), np.array([(drawn == s).all(1).sum() for s in sets])
    rare = expected <= expected.min() + 5  # together, for the approximation's sake
    pooled = [np.append(x[~rare], x[rare].sum()) for x in (seen, expected)]
    assert stats.chisquare(*pooled).pvalue > ALPHA


def chance(p, out=()):
    """Give the chance that drawing without replacement from all but `out` gives the rest of a set of p."""
    left, gone = [i for i in range(len(p)) if i not in out], p[list(out)].sum()
    total = 0.0
    for order in permutations(left):
        before = gone + np.concatenate([[0], np.cumsum(p[list(order)])[:-1]])
        total += (p[list(order)] / (1 - before)).prod()
    return total


@pytest.mark.parametrize("scale", [1.0, 100.0])
def test_what_is_cut_off_is_known_however_little_it_is(scale, rng):
    theta = {name: scale * value.float() for name, value in table(rng).items()}
    found = stochastic_beams(markov(theta).logits, uniforms(rng, 50, 4, LENGTH, V).float())
    every = everything(markov({name: value.double() for name, value in theta.items()}))[1]
    inside = (codes(found.tokens, V)[..., None] == torch.arange(V**LENGTH)).any(1)
    rest = every.where(~inside, -torch.inf).logsumexp(-1)
    assert (rest < -30).any() or scale == 1
    torch.testing.assert_close(found.log_rest.logsumexp(-1).double(), rest, rtol=1e-5, atol=1e-4)


# The weights of the unordered-set estimator


@pytest.mark.parametrize("count", [2, 3, 4, 6])
def test_weights_are_the_paper_s_ratios(count, rng):
    p = rng.dirichlet(np.ones(count + 3))[:count]
    rest = torch.full((1, count), np.log((1 - p.sum()) / count), dtype=torch.float64)
    first, second = (w[0].numpy() for w in weights(torch.from_numpy(np.log(p))[None], rest))
    for s in range(count):
        w = p[s] * chance(p, [s]) / chance(p)
        assert first[s] == pytest.approx(w * (1 - p[s]), rel=1e-9)
        for o in set(range(count)) - {s}:
            baseline = p[o] * chance(p, [s, o]) / chance(p, [s])
            assert second[s, o] * (1 - p[s]) == pytest.approx(baseline, rel=1e-9)
    assert np.diag(second).tolist() == [0] * count
    assert (first / (1 - p)).sum() == pytest.approx(1)
    assert second.sum(1) == pytest.approx(1)


def test_a_set_of_all_sequences_gives_the_exact_gradient(rng):
    theta, aim = table(rng, 2, 2), markov_problem(bumpy)
    found, _ = draws_of(estimators.make("unordered_set"), aim, theta, rng, size=(2, 2))
    truth = grad(lambda th: exact.expected_reward(markov(th), bumpy))(theta)
    for name, value in found.items():
        torch.testing.assert_close(value, truth[name].expand_as(value))


def test_the_mean_over_all_sets_is_the_gradient_and_the_variance_less_than_with_replacement(rng):
    count, theta = 3, table(rng, 3, 2)
    tokens, log_p = everything(markov(theta))
    f = bumpy(one_hot(tokens, 2, torch.float64))
    scores = flatten(jacrev(lambda th: everything(markov(th))[1])(theta), 1)
    truth = (log_p.exp() * f) @ scores

    sets = torch.combinations(torch.arange(8), count)
    p = log_p.exp()[sets]
    chances = torch.tensor([chance(row) for row in p.numpy()])
    rest = ((1 - p.sum(1, keepdim=True)) / count).log().expand(-1, count)
    first, second = weights(log_p[sets], rest)
    advantages = f[sets] - (second * f[sets][:, None]).sum(-1)
    draws = ((first * advantages)[..., None] * scores[sets]).sum(1)
    torch.testing.assert_close(chances @ draws, truth)

    tuples = torch.cartesian_prod(*[torch.arange(8)] * count)
    advantages = f[tuples] - mean_of_others(f[tuples])
    with_replacement = (advantages[..., None] * scores[tuples]).mean(1)
    often = log_p[tuples].sum(1).exp()
    torch.testing.assert_close(often @ with_replacement, truth)
    spreads = [w @ (g - truth).square().sum(1) for w, g in ((chances, draws), (often, with_replacement))]
    assert spreads[0] < 0.8 * spreads[1]


def test_sets_of_a_policy_that_starts_from_noise_start_as_their_first_row(rng):
    theta, judge = networks(V, rng)
    estimator = estimators.make("unordered_set", samples=3)
    aim = Problem(lambda th, noise: game.lstm(th, LENGTH, noise), lambda _: DiscriminatorReward(judge))
    hidden = len(theta["lstm.bias"]) // 4
    noise = {**noise_for(estimator, V, LENGTH, 6, rng), "latent": uniforms(rng, 6, 2 * hidden)}
    of_first = noise["latent"][::3].repeat_interleave(3, 0)
    alike = Problem(lambda th, _: LSTMPolicy(th, LENGTH, of_first), aim.reward)
    plain = {"gumbel": noise["gumbel"]}
    expected, _ = update_gradient(estimator, alike, theta, plain, State())
    ours, _ = update_gradient(estimator, aim, theta, noise, State())
    others, _ = update_gradient(
        estimator, aim, theta, {**noise, "latent": noise["latent"].roll(1, 0)}, State()
    )
    for name, value in expected.items():
        torch.testing.assert_close(ours[name], value)
    assert (flatten(others) - flatten(ours)).norm() > 0.01 * flatten(ours).norm()


def test_it_says_how_many_samples_and_sequences_it_takes():
    for samples in (1, 7):
        with pytest.raises(ValueError, match=f"samples is {samples}, and must be"):
            estimators.make("unordered_set", samples=samples)
    with pytest.raises(ValueError, match="samples is 1"):
        estimators.make("double_control_variate", samples=1)
    supports = estimators.make("unordered_set").supports
    assert [supports(*size) for size in [(1, 3), (1, 4), (2, 2), (1, 2)]] == [False, True, True, False]


# Double control variates


def linear(weight):
    """Reward every token for itself."""
    return lambda x: (x * weight).sum((1, 2))


def test_of_independent_tokens_and_a_linear_reward_every_draw_is_the_exact_gradient(rng):
    theta, reward = table(rng, follow=0.0), linear(torch.from_numpy(rng.normal(size=(LENGTH, V))))
    found, _ = draws_of(
        estimators.make("double_control_variate", alpha=1.0), markov_problem(reward), theta, rng
    )
    truth = grad(lambda th: exact.expected_reward(markov(th), reward))(theta)
    torch.testing.assert_close(found["first"], truth["first"].expand_as(found["first"]))


@pytest.mark.parametrize(("alpha", "reward"), [(0.0, bumpy), (0.8, "null")])
def test_without_control_variates_it_is_leave_one_out_reinforce(alpha, reward, rng):
    theta, aim = table(rng), markov_problem(bumpy)
    if reward == "null":
        values = torch.from_numpy(rng.random(8))
        null = game.null({}, {"reward": values})
        aim = markov_problem(lambda x: null(x) + 0 * x.sum((1, 2)))
    ours = estimators.make("double_control_variate", alpha=alpha)
    found, noise = draws_of(ours, aim, theta, rng)
    expected, _ = draw_gradients(estimators.make("reinforce_loo"), aim, theta, noise, State())
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value)
    assert found["first"].abs().max() > 1e-3


def test_the_variance_s_gradient_is_its_finite_difference_in_every_session(rng):
    estimator, sessions = (
        estimators.make("double_control_variate", samples=4),
        [networks(V, rng) for _ in "ab"],
    )
    theta, judge = (training.stack(models) for models in zip(*sessions, strict=True))
    noise = training.stack([noise_for(estimator, V, LENGTH, 12, rng) for _ in "ab"])

    def gradient(theta, judge, noise, alpha):
        state = State({"alpha": alpha})
        return variance_gradient(estimator, lstm_problem(judge, LENGTH), theta, noise, state)["alpha"]

    def mean_square(theta, judge, noise, alpha):
        state = State({"alpha": alpha})
        draws, _ = draw_gradients(estimator, lstm_problem(judge, LENGTH), theta, noise, state)
        return flatten(draws, 1).square().sum(1).mean()

    alpha, step = torch.tensor([0.3, -0.7], dtype=torch.float64), 0.1
    slopes = vmap(gradient)(theta, judge, noise, alpha)
    ends = [vmap(mean_square)(theta, judge, noise, alpha + sign * step) for sign in (1, -1)]
    torch.testing.assert_close(slopes, (ends[0] - ends[1]) / (2 * step))  # exact: a square of alpha
    assert (slopes.abs() > 1e-6).all()


def test_alpha_finds_its_best_value(rng):
    theta, reward = table(rng, follow=0.0), linear(torch.from_numpy(rng.normal(size=(LENGTH, V))))
    estimator, aim = estimators.make("double_control_variate", learning_rate=0.05), markov_problem(reward)
    state = estimator.init(markov(theta), rng)
    for _ in range(40):
        noise = noise_for(estimator, V, LENGTH, 32, rng)
        state = estimator.adapt(state, update_gradient(estimator, aim, theta, noise, state)[1])
    assert abs(float(state.learned["alpha"]) - 1) < 0.15


# Both


@pytest.mark.parametrize("name", NAMES)
def test_a_constant_reward_has_no_gradient(name, rng):
    reward = lambda x: 0.0 * x.sum((1, 2)) + 3.0  # noqa: E731
    found, _ = draws_of(estimators.make(name), markov_problem(reward), table(rng), rng)
    for value in found.values():
        torch.testing.assert_close(value, torch.zeros_like(value))


@pytest.mark.parametrize("name", NAMES)
def test_a_session_is_the_same_in_a_stack_as_alone(name, rng):
    estimator, sessions = estimators.make(name), [networks(V, rng) for _ in "ab"]
    noises = [noise_for(estimator, V, LENGTH, 16, rng) for _ in sessions]
    states = [estimator.init(LSTMPolicy(theta, LENGTH), rng) for theta, _ in sessions]

    def one(theta, judge, noise, state):
        gradient, feedback = update_gradient(estimator, lstm_problem(judge, LENGTH), theta, noise, state)
        return gradient, feedback.variance_gradient

    stacked = [training.stack(trees) for trees in (*zip(*sessions, strict=True), noises, states)]
    together = vmap(one)(*stacked)
    for index, ((theta, judge), noise, state) in enumerate(zip(sessions, noises, states, strict=True)):
        for found, alone in zip(together, one(theta, judge, noise, state), strict=True):
            for key, value in alone.items():
                torch.testing.assert_close(found[key][index], value)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=30, deadline=None)
@given(extreme())
def test_rewards_and_gradients_stay_finite(name, drawn):
    theta, pool, _ = drawn
    length, vocabulary = theta["first"].shape
    estimator, policy = estimators.make(name), markov(theta)
    assume(estimator.supports(length, vocabulary))
    state = estimator.init(policy, np.random.default_rng(0))
    shapes = estimator.noise(length, vocabulary)
    noise = {
        key: filled_from(pool, (3 * estimator.samples_per_draw, *shape)) for key, shape in shapes.items()
    }
    gradient, feedback = update_gradient(estimator, markov_problem(bumpy), theta, noise, state)
    found = {"rewards": feedback.estimate.info["rewards"], **gradient, **feedback.variance_gradient}
    assert {"rewards", "first", "follow", *state.learned} == set(found)
    for what, values in found.items():
        assert values.isfinite().all(), f"{what} of {name}"
    if name == "unordered_set":
        sets = stochastic_beams(policy.logits, noise["gumbel"].unflatten(0, (-1, 4)))
        numbers = codes(sets.tokens, vocabulary).sort(-1).values
        assert (numbers.diff(dim=-1) > 0).all(), "a sequence is twice in a set"


# VarGrad


def test_vargrad_is_leave_one_out_reinforce_draw_by_draw(rng):
    """Richter et al. descend half the variance of log p_theta - f over a draw's samples, held fixed."""
    theta, estimator = table(rng), estimators.make("reinforce_loo", samples=5)

    def log_p(theta, x):
        tokens = x.argmax(-1)
        return log_likelihood(markov(theta).logits(tokens).log_softmax(-1), tokens).sum(1)

    def vargrad(theta, x, f):
        return -(log_p(theta, x) - f(x)).var() / 2

    of_both, noise = draws_of(estimator, markov_problem(lambda x: bumpy(x) - log_p(theta, x)), theta, rng)
    of_f, _ = draw_gradients(estimator, markov_problem(bumpy), theta, noise, State())
    for index, tokens in enumerate(markov(theta).sample(noise["tokens"]).split(5)):
        x = one_hot(tokens, V, torch.float64)
        whole = grad(vargrad)(theta, x, bumpy)
        without = grad(vargrad)(theta, x, lambda x: x.new_zeros(len(x)))
        for name in theta:
            torch.testing.assert_close(of_both[name][index], whole[name])
            torch.testing.assert_close(of_f[name][index], whole[name] - without[name])
    assert of_f["first"].abs().max() > 0.1
