"""Masks, half types, zero and equal rewards, contexts, end marks, types, devices: the right value, of all."""

import itertools
from functools import partial

import numpy as np
import pytest
import torch
from agreement import (
    ALL,
    DATA,
    DERIVATIVE,
    UNBIASED,
    T,
    V,
    before,
    draws_of,
    policy,
    problem,
    require_agreement,
    smooth,
    table,
    truth,
    uniforms,
)
from hypothesis import given as drawing
from hypothesis import settings
from hypothesis import strategies as st

from discgan_core import contexts, endings, estimators, gradients, randomness
from discgan_core.gradients import Problem, update_gradient
from discgan_core.interface import State
from discgan_core.models.from_logits import FromLogits
from discgan_core.models.generator import LSTMPolicy, init_generator
from discgan_core.policies import log_probs_of_all
from discgan_core.sequences import all_sequences, inverse_cdf

TOP = 1 - 2.0**-24
"""The largest uniform there is in float32."""


# --- what is forbidden


def masks():
    """The last token is forbidden everywhere, and one more after the first place."""
    found = torch.zeros(T, V, dtype=torch.bool)
    found[:, -1] = found[1:, 0] = True
    return found


@pytest.mark.parametrize("name", UNBIASED)
def test_with_forbidden_tokens_the_gradient_is_the_enumerated_one(name):
    aim = problem(mask=masks())
    require_agreement(estimators.make(name), aim, table(), truth(aim, table()))


@pytest.mark.parametrize("name", ALL)
def test_with_forbidden_tokens_all_is_finite(name):
    aim = problem(mask=masks())
    if name in DATA:
        rng = np.random.default_rng(0)
        data, size = torch.from_numpy(rng.integers(V, size=(64, T))), estimators.make(name).samples_per_draw
        noise = uniforms(estimators.make(name), 64 // size * size, rng)
        found, feedback = update_gradient(estimators.make(name), aim, table(), noise, State(), data)
        assert all(value.isfinite().all() for value in feedback.estimate.info.values())
        assert found["table"].isfinite().all()
    else:
        assert np.isfinite(draws_of(estimators.make(name), aim, table(), draws=64)).all()


@pytest.mark.parametrize("name", [name for name in DERIVATIVE if name not in UNBIASED])
def test_a_forbidden_token_is_as_good_as_none(name):
    """Biased estimators have the same gradient as with the vocabulary that is left."""
    mask = torch.zeros(T, V, dtype=torch.bool)
    mask[:, -1] = True
    low = problem(mask=None)
    far = {"table": table()["table"].clone()}
    far["table"][:, -1] = -1e4  # so unlikely that nothing is left of it
    one = draws_of(estimators.make(name), problem(mask=mask), table(), draws=16)
    other = draws_of(estimators.make(name), low, far, draws=16)
    kept = np.arange((V + 1) * V).reshape(V + 1, V)[:, :-1].ravel()
    np.testing.assert_allclose(one[:, kept], other[:, kept], atol=1e-9)


def test_the_unordered_set_of_more_sequences_than_are_allowed_is_exact():
    mask = torch.zeros(T, V, dtype=torch.bool)
    mask[:2, 1:] = mask[2, 3:] = True  # three sequences are left
    aim = problem(mask=mask)
    found = draws_of(estimators.make("unordered_set", samples=4), aim, table(), draws=8)
    exactly = truth(aim, table())["table"].flatten().numpy()
    np.testing.assert_allclose(found, np.broadcast_to(exactly, found.shape), atol=1e-12)


@pytest.mark.parametrize("k", range(2, 200))
def test_equal_tokens_and_a_forbidden_last_one(k):
    log_probs = torch.cat([torch.zeros(k), torch.tensor([-torch.inf])]).log_softmax(-1)
    assert inverse_cdf(log_probs, torch.tensor(TOP)) == k - 1
    assert inverse_cdf(log_probs.flip(-1), torch.tensor(2.0**-25)) == 1


LOGITS = st.lists(st.one_of(st.floats(-80, 80), st.just(-torch.inf)), min_size=1, max_size=40)
UNIFORM = st.one_of(st.floats(2.0**-25, TOP, width=32), st.sampled_from([2.0**-25, TOP, 0.5]))
TYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64]


@settings(max_examples=400, deadline=None)
@drawing(LOGITS.filter(lambda found: max(found) > -torch.inf), UNIFORM, st.sampled_from(TYPES))
def test_no_token_of_probability_zero_is_ever_drawn(logits, u, dtype):
    log_probs = torch.tensor(logits, dtype=dtype).log_softmax(-1)
    token = inverse_cdf(log_probs, torch.tensor(u))
    assert log_probs[token].double().exp() > 0


@settings(max_examples=200, deadline=None)
@drawing(LOGITS.filter(lambda found: max(found) > -torch.inf), UNIFORM)
def test_nor_by_the_generator(logits, u):
    params = init_generator(len(logits), 3, np.random.default_rng(0))
    params["out.weight"] *= 0
    params["out.bias"] = torch.tensor(logits, dtype=torch.float32)
    (tokens,) = LSTMPolicy(params, 2).sample(torch.full((1, 2), u))
    assert (params["out.bias"].log_softmax(-1)[tokens].double().exp() > 0).all()


# --- half types


@pytest.mark.parametrize("dtype", TYPES[:2])
def test_of_a_thousand_equal_tokens_each_is_drawn(dtype):
    u = (torch.arange(100_000) + 0.5)[:, None] / 100_000
    asked = FromLogits(lambda x: torch.zeros(len(x), 1, 1000, dtype=dtype), 1, 1000)
    drawn = asked.sample(u).flatten().bincount(minlength=1000)
    assert len(drawn) == 1000
    assert (drawn - 100).abs().max() <= 1


@pytest.mark.parametrize("dtype", TYPES[:2])
@pytest.mark.parametrize("name", ALL)
def test_a_policy_of_a_half_type_is_served(name, dtype):
    theta = {"table": table()["table"].to(dtype).requires_grad_()}
    estimator, asked = estimators.make(name), policy(theta)
    noise, data = randomness.noise_for(estimator, asked, 96), torch.zeros(96, T, dtype=torch.long)
    assert {value.dtype for value in noise.values()} <= {torch.float32}
    found = estimator.estimate(asked, smooth, noise, estimator.init(asked, None), data)
    assert found.surrogate.dtype == torch.float32
    (gradient,) = torch.autograd.grad(found.surrogate.mean(), theta["table"])
    assert gradient.dtype == dtype
    assert gradient.isfinite().all()


# --- zero and equal rewards


def constant(x):
    return 0.37 + 0 * x.sum((1, 2))


def zero(x):
    return 0 * x.sum((1, 2))


def surrogate(name, reward, dtype=torch.float32, **options):
    theta = {"table": table(dtype=dtype)["table"].requires_grad_()}
    estimator, asked = estimators.make(name, **options), policy(theta)
    rows = 16 * estimator.samples_per_draw
    noise = uniforms(estimator, rows, np.random.default_rng(0), dtype=dtype)
    noise = {key: u.clamp(2**-25, TOP) for key, u in noise.items()}
    data = torch.from_numpy(np.random.default_rng(1).integers(V, size=(rows, T)))
    found = estimator.estimate(asked, reward, noise, estimator.init(asked, None), data)
    return found, torch.autograd.grad(found.surrogate.mean(), theta["table"])[0]


WITH_BASELINE = [
    *(("reinforce_loo", {"samples": k}) for k in (2, 3, 8, 16)),
    *(("unordered_set", {"samples": k}) for k in (2, 3, 6)),
    *(("rollout", {"samples": k}) for k in (1, 3, 16)),
    *((name, {}) for name in ("double_control_variate", "arsm", "disarm", "local_expectation", "maligan")),
    *((name, {}) for name in ("self_normalised", "rebar", "rebar_sequence", "relax", "relax_sequence")),
    *((name, {}) for name in ("gumbel_softmax", "straight_through", "gumbel_rao", "reinmax")),
    ("local_expectation", {"samples": 3}),
    ("maligan", {"samples": 7}),
]


@pytest.mark.parametrize(("name", "options"), WITH_BASELINE)
def test_equal_rewards_cancel_exactly(name, options):
    assert surrogate(name, constant, **options)[1].abs().max() == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("likelihood", {}),
        ("likelihood", {"logarithm": False}),
        ("maligan", {}),
        ("maligan", {"baseline": False}),
        ("self_normalised", {}),
    ],
)
def test_where_all_rewards_are_zero_so_is_the_gradient(name, options, dtype):
    found, gradient = surrogate(name, zero, dtype, **options)
    assert gradient.abs().max() == 0
    assert found.surrogate.isfinite().all()
    assert all(value.isfinite().all() for value in found.info.values())


def test_where_the_data_are_impossible_the_gradient_is_zero():
    mask = torch.zeros(T, V, dtype=torch.bool)
    mask[0, 1:] = True
    theta = {"table": table()["table"].requires_grad_()}
    for name in ("likelihood", "self_normalised"):
        estimator = estimators.make(name)
        data = torch.full((32, T), V - 1)
        found = estimator.estimate(policy(theta, mask=mask), smooth, {}, State(), data)
        (gradient,) = torch.autograd.grad(found.surrogate.mean(), theta["table"])
        assert gradient.abs().max() == 0


@pytest.mark.parametrize("k", [1, 2, 3, 7, 10, 32, 100])
def test_equal_weights_count_as_k_samples_exactly(k):
    estimator = estimators.make("likelihood", samples=k)
    flat = {"table": torch.zeros(V + 1, V)}
    found = estimator.estimate(policy(flat), constant, {}, State(), torch.randint(V, (3 * k, T)))
    assert found.info["effective_samples"].tolist() == [k] * 3


def test_one_that_is_sure_to_be_real_has_all_the_weight():
    sure = lambda x: x[:, 0, 0]  # noqa: E731 - D is 1 or 0
    _, gradient = surrogate("maligan", sure)
    assert gradient.isfinite().all()
    assert gradient.abs().max() > 0


@pytest.mark.parametrize("name", [name for name in ALL if name not in DERIVATIVE])
def test_a_reward_computed_in_inference_mode_is_as_good(name):
    judge = torch.inference_mode()(smooth)
    one, other = surrogate(name, judge)[1], surrogate(name, smooth)[1]
    torch.testing.assert_close(one, other)


# --- contexts

P = 3


def conditional(context):
    """Policy and reward given contexts, which are numbers of tables and shift the reward."""
    judge = contexts.given(lambda x, c: smooth(x, c.to(x.dtype)), context)
    return judge, lambda theta: policy(theta, context)


def in_rows():
    """A problem whose contexts stand beside the noise, one for each row."""
    return Problem(
        lambda theta, noise: conditional(noise["context"])[1](theta),
        lambda noise: conditional(noise["context"])[0],
    )


def by_hand(theta):
    """The mean over contexts of each one's enumerated gradient."""
    each = []
    for c in range(P):
        aim = Problem(lambda th, noise: policy({"table": th["table"][c]}), lambda noise: partial(smooth, c=c))  # noqa: B023
        each.append(truth(aim, theta)["table"])
    return {"table": torch.stack(each).mean(0)}


@pytest.mark.parametrize("name", UNBIASED)
def test_given_contexts_the_gradient_is_the_mean_over_them(name):
    theta, draws = table(contexts=P), 7000 * P
    beside = {"context": torch.arange(P).repeat(draws // P)}
    require_agreement(estimators.make(name), in_rows(), theta, by_hand(theta), draws=draws, beside=beside)


@pytest.mark.parametrize("name", ALL)
def test_a_batch_of_contexts_is_the_mean_of_their_draws(name):
    """Contexts of the batch, repeated along with rows, are those of every row by itself."""
    estimator, theta, context = estimators.make(name), table(contexts=P), torch.arange(P)
    if name == "exact":
        judge, asked = conditional(context)
        found = truth(Problem(lambda th, _: asked(th), lambda _: judge), theta)
        torch.testing.assert_close(found, by_hand(theta))
        return
    rows, rng = 4 * P * estimator.samples_per_draw, np.random.default_rng(0)
    noise, data = uniforms(estimator, rows, rng), torch.from_numpy(rng.integers(V, size=(rows, T)))
    state = estimator.init(policy(theta, context), rng)
    judge, asked = conditional(context)

    def mean(th):
        return estimator.estimate(asked(th), judge, noise, state, data).surrogate.mean()

    found = torch.func.grad(mean)(theta)
    each = contexts.repeated(context, rows // P)
    draws, _ = gradients.draw_gradients(estimator, in_rows(), theta, noise | {"context": each}, state, data)
    torch.testing.assert_close(found["table"], draws["table"].mean(0))
    assert found["table"].abs().sum((1, 2)).min() > 0


@pytest.mark.parametrize("name", [n for n in ALL if estimators.make(n).samples_per_draw > 1])
def test_draws_that_mix_contexts_are_refused(name):
    estimator, theta = estimators.make(name), table(contexts=P)
    size = estimator.samples_per_draw
    noise = uniforms(estimator, 4 * size, np.random.default_rng(0))
    data = torch.zeros(4 * size, T, dtype=torch.long)
    for context in (torch.arange(4 * size) % P, torch.arange(2 * size) % P):
        judge, asked = conditional(context)
        with pytest.raises(ValueError, match=rf"the {size} samples of a draw must have one context"):
            estimator.estimate(asked(theta), judge, noise, State(), data)
        with pytest.raises(ValueError, match="must have one context"):
            estimator.estimate(policy({"table": theta["table"][0]}), judge, noise, State(), data)
    judge, asked = conditional(torch.arange(P))
    with pytest.raises(ValueError, match=rf"{4 * size} rows for {P} contexts: give"):
        estimator.estimate(asked(theta), judge, noise, State(), data)


# --- types and devices


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", ALL)
def test_a_state_needs_no_generator_and_has_the_policy_s_type(name, dtype):
    estimator, theta = estimators.make(name), table(dtype=dtype)
    torch.manual_seed(3)
    state = estimator.init(policy(theta), None)
    torch.manual_seed(3)
    again = estimator.init(policy(theta), None)
    for leaf, same in zip(*map(torch.utils._pytree.tree_leaves, (state, again)), strict=True):
        assert leaf.dtype == dtype
        assert torch.equal(leaf, same)
    noise = randomness.noise_for(estimator, policy(theta), 96)
    assert {value.dtype for value in noise.values()} <= {dtype}
    data = torch.zeros(96, T, dtype=torch.long)
    gradient, feedback = update_gradient(estimator, problem(), theta, noise, state, data)
    assert gradient["table"].dtype == dtype
    moved = estimator.adapt(state, feedback._replace(theta=theta))
    assert all(leaf.dtype == dtype for leaf in torch.utils._pytree.tree_leaves(moved))


def run_on(device, name):
    """Every step of a user's loop; whatever is made on another device raises."""
    estimator, theta = estimators.make(name), {"table": torch.zeros(V + 1, V, device=device)}
    asked = policy(theta)
    state, noise = estimator.init(asked, None), randomness.noise_for(estimator, asked, 96)
    data = torch.zeros(96, T, dtype=torch.long, device=device)
    gradient, feedback = update_gradient(estimator, problem(), theta, noise, state, data)
    state = estimator.adapt(state, feedback._replace(theta=theta))
    leaves = torch.utils._pytree.tree_leaves((gradient, feedback, state))
    return {leaf.device.type for leaf in leaves}


@pytest.mark.parametrize("name", ALL)
def test_all_stays_on_the_policy_s_device(name):
    assert run_on("meta", name) == {"meta"}


def test_a_tensor_of_another_device_would_be_seen():
    with pytest.raises(RuntimeError, match="device"):
        torch.zeros(2, device="meta") + torch.zeros(2)


@pytest.mark.parametrize("name", ALL)
def test_a_policy_s_device_is_the_one_given_its_module_s_or_torch_s_default(name):
    estimator, rows = estimators.make(name), torch.nn.Linear(V + 1, V, device="meta")

    class Chain(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.rows = rows

        def forward(self, x):
            return self.rows(before(x).float())

    def logits(x):
        return rows(before(x).float())

    with torch.device("meta"):
        by_default = FromLogits(logits, T, V, logits)
    for asked in (
        FromLogits(logits, T, V, logits, device="meta"),
        FromLogits(Chain(), T, V, Chain()),
        by_default,
    ):
        noise = randomness.noise_for(estimator, asked, 96)
        data = torch.zeros(96, T, dtype=torch.long, device="meta")
        found = estimator.estimate(asked, smooth, noise, estimator.init(asked, None), data)
        assert {leaf.device.type for leaf in (*noise.values(), found.surrogate)} == {"meta"}


# --- end marks

END = 0


def ending(theta):
    def logits(x):
        return endings.ended(before(x).to(theta["table"].dtype) @ theta["table"], x, END)

    return FromLogits(logits, T, V, logits, theta, ending)


def up_to_the_end(x):
    """The mean of a weight over the tokens up to the end mark: what stands behind it must not count."""
    a = endings.alive(x, END)
    each = x @ torch.linspace(0.1, 0.9, V, dtype=x.dtype)
    return (a * each).sum(1) / a.sum(1)


@pytest.mark.parametrize("name", UNBIASED)
def test_with_an_end_mark_the_gradient_is_the_enumerated_one(name):
    aim = Problem(lambda theta, noise: ending(theta), lambda noise: up_to_the_end)
    require_agreement(estimators.make(name), aim, table(), truth(aim, table()))


@pytest.mark.parametrize("name", [n for n in DERIVATIVE if n not in UNBIASED])
def test_with_an_end_mark_the_relaxed_ones_are_finite_and_end(name):
    theta = table()
    aim = Problem(lambda theta, noise: ending(theta), lambda noise: up_to_the_end)
    found = draws_of(estimators.make(name), aim, theta, draws=256)
    assert np.isfinite(found).all()
    assert np.abs(found).max() > 1e-3


def test_strings_of_several_lengths_have_the_probabilities_of_strings():
    theta = table()
    tokens, log_probs = all_sequences(T, V), log_probs_of_all(ending(theta))
    assert torch.isclose(log_probs.exp().sum(), torch.tensor(1.0).double())
    p = {}
    for s, q in zip(tokens.tolist(), log_probs.exp().tolist(), strict=True):
        p[tuple(s)] = p.get(tuple(s), 0.0) + q
    for s in itertools.product(range(V), repeat=T):
        over = s.index(END) if END in s else T
        assert (p[s] == 0) == any(token != END for token in s[over:])
    chain = policy(theta)
    first = chain.logits(torch.zeros(1, T, dtype=torch.long))[0].softmax(-1)
    assert np.isclose(p[END, END, END], first[0, END].item())


def test_on_unit_vectors_tokens_and_vectors_end_alike():
    tokens = torch.cartesian_prod(*[torch.arange(V)] * T)
    x = torch.eye(V, dtype=torch.float64)[tokens]
    logits = torch.randn(len(tokens), T, V, dtype=torch.float64)
    one, other = endings.ended(logits, tokens, END), endings.ended(logits, x, END)
    torch.testing.assert_close(one.softmax(-1), other.softmax(-1))
    torch.testing.assert_close(endings.alive(tokens, END).double(), endings.alive(x, END))
