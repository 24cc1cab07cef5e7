"""A reward that stands still: who climbs what, what J is, and that only the generator learns."""

from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from bench.errors import UserError
from bench.experiments import frozen as experiment
from bench.sessions import frozen
from bench.sessions.climb import Problem, problem_of
from bench.sessions.frozen import Objective
from bench.tables.condition import Condition
from discgan_core import estimators, exact, tasks, training
from discgan_core.models.discriminator import DiscriminatorReward
from discgan_core.policies import log_probs_of_all
from discgan_core.randomness import Streams
from discgan_core.rewards import of_tokens
from discgan_core.sequences import all_sequences

SMOKE = experiment.PRESETS["smoke"]
ALL = estimators.available()
LSTM, CHAIN = ("grammar", "d2", 3), ("chain", "goodness", 15)


def ran(task, length, estimator, setting, sessions=(0, 1), settings=SMOKE):
    return experiment.run(settings, Condition(task, length, estimator, setting), sessions, "cpu")


def of_j(outcome, step):
    table = outcome.metrics
    rows = table[(table["metric"] == "objective") & (table["step"] == step)]
    return rows.sort_values("session")["value"].tolist()


def begun(task, reward, length, stack=(0, 1), samples=64):
    before = SMOKE.preparation(task, reward, length)
    return frozen.begin(task, reward, length, before, stack, "cpu", samples)


# Who runs


@pytest.mark.parametrize("preset", ["standard", "paper"])
def test_every_estimator_that_can_climbs_at_every_rate_of_every_length(preset):
    settings = experiment.PRESETS[preset]
    found = experiment.conditions(settings, settings.lengths, ALL)
    assert len(found) == len(set(found))
    rates = {(task, optimiser): each for task, optimiser, each in settings.rates}
    for task, reward, length in settings.everyone:
        here = [c for c in found if (c.task, c.length) == (task, length)]
        for name in ALL:
            able = name == "exact" and (task == "chain" or length <= 8)
            able = able or (name != "exact" and estimators.make(name).supports(length, 5))
            able = able and f"{name}@{length}" not in settings.left_out
            wanted = {f"{reward} rate={rate:g}" for rate in rates[task, "adam"]} if able else set()
            assert wanted <= {c.setting for c in here if c.estimator == name}
            assert able or not [c for c in here if c.estimator == name]
        floor = {c.setting for c in here if "null_reward" in c.setting and c.setting.startswith(f"{reward} ")}
        assert floor == {f"{reward} null_reward rate={rate:g}" for rate in rates[task, "adam"]}
    assert {c.length for c in found} == {3, 6, 15, 40}
    assert all(len(each) >= 6 for each in rates.values())


def test_few_meet_other_rewards_and_optimisers_and_some_have_a_knob():
    settings = experiment.STANDARD
    found = experiment.conditions(settings, settings.lengths, ALL)
    others = {c.estimator for c in found if c.setting.startswith(("d20", "d300", "match"))}
    assert others == set(settings.few)
    assert {c.estimator for c in found if " sgd " in c.setting} == set(settings.few)
    assert set(settings.knobs) == {c.estimator for c in found if "(" in c.estimator}
    assert experiment.conditions(settings, [40], ["relax"]) == [
        Condition("chain", 40, "relax", f"goodness rate={rate:g}") for rate in settings.rates[2][2]
    ]
    assert {c.estimator for c in experiment.conditions(settings, [3], ["rebar"])} == {
        "rebar",
        "rebar(temperature=0.1)",
        "rebar(learning_rate=0.03)",
    }


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"everyone": (("gramar", "d2", 3),)}, "no task 'gramar'"),
        ({"everyone": (("grammar", "d0", 3),)}, "no reward 'd0' for grammar"),
        ({"some": (("chain", "d79", 3),)}, "no reward 'd79' for chain"),
        ({"some": (("chain", "parity", 3),)}, "goodness, valid, even, match"),
        ({"variants": ("adagrad",)}, "no variant 'adagrad'; there are epsilon_1e-4, sgd"),
        ({"knobs": ("rebar(heat=1)",)}, "knobs: .*rebar"),
        ({"knobs": ("nonsense",)}, "knobs: there is no estimator 'nonsense'"),
        ({"everyone": (("grammar", "d2", 2),)}, "length is 2; the goodness score needs at least 3"),
        ({"everyone": (("grammar", "d1000000", 3),)}, "more than 10,000 batches"),
        ({"rates": SMOKE.rates[1:]}, "no rates of adam for grammar"),
    ],
)
def test_what_there_is_not_is_told(changed, words):
    with pytest.raises(UserError, match=words):
        experiment.conditions(replace(SMOKE, **changed), [3, 15], ALL)


@pytest.mark.parametrize("problem", [Problem("d79", "", 0.025), Problem("match", "epsilon_1e-4", 1e-5)])
def test_a_setting_s_name_says_the_problem(problem):
    assert problem_of(str(problem)) == problem


# What J is


@pytest.mark.parametrize("reward", ["d2", "match", "goodness"])
def test_j_of_an_lstm_is_that_of_all_sequences(reward):
    start = begun("grammar", reward, 3)
    players, found = start.players, start.objective(start.players)
    assert torch.equal(found, start.value)
    tokens, game = all_sequences(3, 5), frozen.game("grammar", reward, 3, 5)
    pairs = zip(training.each(players.generator), training.each(players.discriminator), strict=True)
    for j, (theta, phi) in zip(found, pairs, strict=True):
        f = of_tokens(game.reward(phi, {}), tokens, torch.zeros(0, 5))
        assert_close(j, (log_probs_of_all(game.policy(theta, 3, {})).exp() * f).sum())


def test_j_of_a_chain_is_exact_and_at_any_length():
    for length in (4, 40):
        players, task = begun("chain", "goodness", length).players, tasks.make("chain", length)
        objective = Objective("chain", "goodness", task, 20_000, Streams("t", (0, 1)))
        exactly = objective(players)
        objective.known, objective.noise = False, Streams("t", (0, 1)).noise({"tokens": (length,)}, 20_000)
        assert_close(exactly, objective(players), atol=0.01, rtol=0)


def test_j_of_a_long_lstm_is_that_of_many_samples_the_same_at_every_moment():
    start = begun("grammar", "d2", 15)
    assert not start.objective.known
    assert torch.equal(start.objective(start.players), start.value)


@pytest.mark.parametrize("start", [(), (3,), (0, 4)])
def test_what_is_held_is_looked_up(start, monkeypatch):
    monkeypatch.setattr(exact, "PIECE", 10)
    frozen.begin.cache_clear()
    phi = training.each(begun("grammar", "d2", 3).players.discriminator)[1]
    assert_close(frozen.Held(phi).of_all(3, start), DiscriminatorReward(phi).of_all(3, start))


# Who learns


def test_only_the_generator_learns_and_all_start_alike():
    starts = set()
    for name in ("reinforce", "relax", "exact"):
        for rate in (0.02, 0.1):
            starts.add(tuple(of_j(ran(*LSTM[::2], name, f"d2 rate={rate}"), 0)))
    assert len(starts) == 1
    (players, data, *_), task = begun(*LSTM), tasks.make("grammar", 3)
    schedule = SMOKE.ascent(SMOKE.preparation(*LSTM), Problem("d2", "", 0.1))
    game = frozen.game(*LSTM, 5)
    loop = training.adversarial(
        players, data, task, estimators.make("reinforce"), schedule, Streams("t", (0, 1)), game
    )
    *_, last = loop
    assert all(torch.equal(players.discriminator[k], last.discriminator[k]) for k in last.discriminator)
    assert not torch.equal(players.generator["out.bias"], last.generator["out.bias"])


def test_the_exact_gradient_climbs_and_a_reward_that_says_nothing_does_not():
    settings = replace(SMOKE, moments=(0, 12))
    for task, reward, length, rate in (("grammar", "d79", 3, 0.1), ("chain", "goodness", 15, 0.5)):
        up = ran(task, length, "exact", f"{reward} rate={rate}", settings=settings)
        flat = ran(task, length, "reinforce_loo", f"{reward} null_reward rate={rate}", settings=settings)
        assert min(of_j(up, 12)) > max(of_j(up, 0)) + 0.2
        assert max(of_j(flat, 12)) < min(of_j(up, 12)) - 0.2
        assert of_j(flat, 0) == of_j(up, 0)


def test_plain_descent_steps_by_the_rate_and_a_large_epsilon_damps_adam():
    (players, data, *_), task = begun(*LSTM), tasks.make("grammar", 3)
    game, before = frozen.game(*LSTM, 5), SMOKE.preparation(*LSTM)

    def moved(variant, rate):
        schedule = SMOKE.ascent(before, Problem("d2", variant, rate))
        estimator, streams = estimators.make("exact"), Streams("t", (0, 1))
        loop = training.adversarial(players, data, task, estimator, schedule, streams, game)
        first, second = next(loop), next(loop)
        return {k: second.generator[k] - first.generator[k] for k in first.generator}

    steps = {rate: moved("sgd", rate) for rate in (1.0, 4.0)}
    assert_close({k: 4 * v for k, v in steps[1.0].items()}, steps[4.0], rtol=1e-3, atol=1e-6)
    adam, damped = (moved(variant, 0.1)["out.weight"].abs() for variant in ("", "epsilon_1e-4"))
    assert (damped <= adam + 1e-7).all()
    assert (damped < 0.99 * adam).any()


@pytest.mark.parametrize(("task", "reward", "length"), [LSTM, CHAIN])
@pytest.mark.parametrize("name", ["reinforce_loo", "relax", "exact"])
def test_a_session_s_numbers_depend_on_its_seed_alone(task, reward, length, name):
    one, other = (
        ran(task, length, name, f"{reward} rate=0.1", sessions).metrics.query(
            "session == 1 and metric != 'seconds'"
        )
        for sessions in ((1,), (0, 1, 2))
    )
    assert len(one) == 5
    assert one.reset_index(drop=True).equals(other.reset_index(drop=True))


def test_an_update_s_calls_are_counted():
    table = ran(*LSTM[::2], "reinforce_loo", "d2 rate=0.1").metrics
    spent = table[table["step"] == 2].groupby("metric")["value"].unique()
    assert spent["discriminator_calls"].tolist() == [2 * 32]
    assert spent["generator_calls"].tolist() == [2 * 64]
    assert (spent["seconds"] > 0).all()


def test_a_session_that_runs_away_is_a_row_that_says_so():
    found = ran(*LSTM[::2], "reinforce", "d2 sgd rate=1e+39")
    assert set(found.trials["status"]) == {"diverged"}
    assert of_j(found, 0)


@pytest.mark.parametrize("task", ["grammar", "chain"])
def test_every_estimator_climbs(task):
    reward, length, rate = ("d20", 3, 0.1) if task == "grammar" else ("goodness", 4, 0.5)
    settings = replace(SMOKE, moments=(0, 4))
    for name in ALL:
        found = ran(task, length, name, f"{reward} rate={rate}", settings=settings)
        assert set(found.trials["status"]) == {"ok"}, name
        assert all(0 <= j <= 1.0001 for j in of_j(found, 4)), name
