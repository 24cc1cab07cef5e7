"""What users bring and cannot be right is refused in one line, by all estimators it would make wrong."""

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
    policy,
    problem,
    require_agreement,
    smooth,
    table,
    truth,
    uniforms,
)

from discgan_core import estimators, randomness, relaxed
from discgan_core.gradients import update_gradient
from discgan_core.models.from_logits import FromLogits

N = 96
ASKING = [name for name in ALL if name != "maximum_likelihood"]
RANDOM = [name for name in ALL if name not in (*DATA, "exact")]


def batch(name, rows=N, **options):
    """An estimator, and noise and data for it; its draws are made to divide the rows."""
    estimator = estimators.make(name, **options)
    rng = np.random.default_rng(0)
    data = torch.from_numpy(rng.integers(V, size=(rows, T)))
    return estimator, uniforms(estimator, rows, rng), data


def estimate(name, reward=smooth, asked=None, **options):
    estimator, noise, data = batch(name, **options)
    asked = asked or policy(theta())
    return estimator.estimate(asked, reward, noise, estimator.init(asked, None), data)


def theta():
    return {"table": table()["table"].requires_grad_()}


WITHOUT_DERIVATIVE = {
    "argmax": lambda x: (x.argmax(-1) == 0).double().mean(-1),
    "threshold": lambda x: (x[..., 0] > 0.5).double().mean(-1),
    "a table": lambda x: torch.linspace(0, 1, V).double()[x.argmax(-1)].mean(-1),
    "no_grad": torch.no_grad()(smooth),
    "detached": lambda x: smooth(x).detach(),
}


@pytest.mark.parametrize("kind", WITHOUT_DERIVATIVE)
@pytest.mark.parametrize("name", DERIVATIVE)
def test_a_reward_without_a_derivative_is_refused_where_one_is_needed(name, kind):
    with pytest.raises(ValueError, match=r"no derivative .* such as reinforce_loo"):
        estimate(name, WITHOUT_DERIVATIVE[kind])


@pytest.mark.parametrize("name", DERIVATIVE)
def test_it_is_refused_within_transformations_too(name):
    estimator, noise, data = batch(name)
    aim = problem(WITHOUT_DERIVATIVE["argmax"])
    state = estimator.init(policy(table()), None)
    with pytest.raises(ValueError, match="no derivative"):
        update_gradient(estimator, aim, table(), noise, state, data)
    with pytest.raises(ValueError, match="no derivative"):
        require_agreement(estimator, aim, table(), {}, draws=4)


@pytest.mark.parametrize("name", [name for name in UNBIASED if name not in DERIVATIVE])
def test_without_a_derivative_the_others_have_the_enumerated_gradient(name):
    aim = problem(WITHOUT_DERIVATIVE["argmax"])
    require_agreement(estimators.make(name), aim, table(), truth(aim, table()))


FORMS = {
    "[N, 1]": (lambda x: smooth(x)[:, None], r"reward gives \[\d+, 1\] for \[(\d+, \d, )?.*; it must give"),
    "scalar": (lambda x: smooth(x).mean(), r"reward gives \[\] for .*; it must give \[\d+\]"),
    "[N, t]": (lambda x: x[..., 0].sigmoid(), r"reward gives \[\d+, \d\] for .*; it must give \[\d+\]"),
    "[N / 2]": (lambda x: smooth(x)[::2], r"reward gives \[\d+\] for .*; it must give \[\d+\]"),
    "list": (lambda x: smooth(x).tolist(), r"reward gives a list for .*; it must give a tensor \[\d+\]"),
    "whole numbers": (lambda x: x.argmax(-1).sum(1), r"reward gives int64 for .*; it must give float"),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ASKING)
def test_a_reward_of_another_form_is_refused(name, form):
    reward, words = FORMS[form]
    with pytest.raises(ValueError, match=words):
        estimate(name, reward)


def test_the_line_says_what_came_and_what_must():
    with pytest.raises(ValueError, match=r"^reward gives \[96, 1\] for \[96, 3, 4\]; it must give \[96\]$"):
        estimate("reinforce_loo", lambda x: smooth(x)[:, None])


POLICIES = {
    "[N, V, T]": (
        lambda x: torch.zeros(len(x), V, T),
        r"logits gives \[\d+, 4, 3\].*must give \[\d+, 3, 4\]",
    ),
    "[N, V]": (lambda x: torch.zeros(len(x), V), r"logits gives \[\d+, 4\] for .*\[\d+, 3"),
    "whole numbers": (
        lambda x: torch.zeros(len(x), T, V).long(),
        r"logits gives int64 .*must give float",
    ),
    "a list": (lambda x: [0.0], r"logits gives a list"),
}


@pytest.mark.parametrize("form", POLICIES)
@pytest.mark.parametrize("name", ALL)
def test_logits_of_another_form_are_refused(name, form):
    logits, words = POLICIES[form]
    asked = FromLogits(logits, T, V, logits, params={"some": torch.zeros(1)}, at=lambda th: asked)
    with pytest.raises(ValueError, match=words):
        estimate(name, asked=asked)


@pytest.mark.parametrize("value", [torch.nan, -torch.inf, torch.inf])
@pytest.mark.parametrize("name", ALL)
def test_logits_that_are_no_numbers_are_refused(name, value):
    logits = lambda x: torch.full((len(x), T, V), value)  # noqa: E731
    with pytest.raises(ValueError, match=r"policy's logits are NaN, \+inf or all -inf somewhere"):
        estimate(name, asked=FromLogits(logits, T, V, logits))


GROUPED = [name for name in ALL if estimators.make(name).samples_per_draw > 1]


@pytest.mark.parametrize("name", GROUPED)
def test_samples_that_do_not_fill_draws_are_refused(name):
    size = estimators.make(name).samples_per_draw
    with pytest.raises(
        ValueError, match=rf"{name} takes {size} samples to a draw: {size + 1} make .* give {size} or"
    ):
        estimate(name, rows=size + 1)
    if name not in DATA:
        with pytest.raises(ValueError, match=f"takes {size} samples to a draw"):
            randomness.noise_for(estimators.make(name), policy(table()), size + 1)


@pytest.mark.parametrize("name", RANDOM)
def test_noise_that_is_no_uniforms_is_refused(name):
    estimator, noise, data = batch(name)
    asked, key = policy(theta()), next(iter(noise))

    def give(changed):
        return estimator.estimate(asked, smooth, changed, estimator.init(asked, None), data)

    give(noise)
    with pytest.raises(ValueError, match=rf"noise `{key}` is of .* to .*, and must be uniforms in \(0, 1\)"):
        give({**noise, key: torch.randn_like(noise[key])})
    with pytest.raises(ValueError, match=rf"noise `{key}` is of 0 to"):
        give({**noise, key: noise[key] * (torch.arange(N) > 0).view(-1, *[1] * (noise[key].ndim - 1))})
    with pytest.raises(ValueError, match=rf"noise `{key}` of {name} is .*; it must be \[96, "):
        give({**noise, key: noise[key][..., :-1]})
    with pytest.raises(ValueError, match=f"asks for noise `{key}`"):
        give({})
    with pytest.raises(ValueError, match=f"noise `{key}` of {name} is a list"):
        give({**noise, key: noise[key].tolist()})


@pytest.mark.parametrize("name", DATA)
def test_data_that_are_no_sequences_are_refused(name):
    estimator, noise, data = batch(name)
    asked = policy(theta())
    for wrong, words in (
        (None, "learns from real sequences: give `data`"),
        (data[:, :-1], r"data are int64 \[96, 2\], and must be whole numbers \[N, 3\]"),
        (data.double(), "data are float64"),
        (data + 1, "data have tokens 1 to 4; the policy's are 0 to 3"),
    ):
        with pytest.raises(ValueError, match=words):
            estimator.estimate(asked, smooth, noise, estimator.init(asked, None), wrong)


def test_rewards_that_an_objective_cannot_have_are_refused():
    with pytest.raises(ValueError, match=r"reward gives .* to .*, and this estimator needs one in \(0, 1\)"):
        estimate("maligan", lambda x: 2 * smooth(x))
    with pytest.raises(ValueError, match=r"reward gives -.*, and this estimator needs a positive one"):
        estimate("likelihood", lambda x: smooth(x) - 1)


@pytest.mark.parametrize("name", ["arsm", "local_expectation", "exact"])
def test_a_size_that_is_not_served_is_told_at_once(name):
    vocabulary = 50_000
    logits = lambda x: torch.zeros(len(x), T, vocabulary)  # noqa: E731
    asked, estimator = FromLogits(logits, T, vocabulary), estimators.make(name)
    with pytest.raises(ValueError, match=r"cannot run at length 3 with 50,000 tokens"):
        randomness.noise_for(estimator, asked, 64)
    with pytest.raises(ValueError, match=rf"{name} cannot run at length 3 with 50,000 tokens"):
        estimator.estimate(asked, smooth, {}, estimator.init(asked, None), None)


HYPERPARAMETERS = {
    "temperature": (0, -1.0, float("nan"), float("inf"), "1"),
    "samples": (0, -1, 2.5, True, "8"),
    "eta": (float("nan"), "1"),
    "alpha": (float("inf"),),
    "learning_rate": (-0.1, float("nan")),
    "gap": (-1.0,),
    "rate": (-0.1, 1.0, float("nan")),
    "seconds": (0, -1.0, float("nan"), "1"),
    "size": (0, 0.5),
}


@pytest.mark.parametrize("name", ALL)
def test_hyperparameters_that_mean_nothing_are_refused(name):
    from inspect import signature

    factory = getattr(__import__(f"discgan_core.estimators.{name}", fromlist=[name]), name)
    numbers = [p for p in signature(factory).parameters.values() if not isinstance(p.default, bool)]
    for parameter in numbers:
        for value in HYPERPARAMETERS[parameter.name]:
            with pytest.raises(ValueError, match=f"{name}: {parameter.name} is {value!r}, and must be"):
                estimators.make(name, **{parameter.name: value})


@pytest.mark.parametrize("schedule", [relaxed.linear, relaxed.exponential])
def test_schedules_that_reach_no_temperature_are_refused(schedule):
    for arguments in ((0, 1, 10), (5, 0, 10), (5, 1, 2.5), (5, 1, -1)):
        with pytest.raises(ValueError, match="and must be"):
            schedule(*arguments)
