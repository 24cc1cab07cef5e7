"""Controls: a reward that tells nothing, and maximum likelihood for as long, do what they say and no more."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import synthetic_tables
import torch
from torch.func import grad, vmap

from bench.experiments import cfg, grammar, names
from bench.report import answers, learned
from bench.sessions import controls
from bench.sessions.pretrained import pretrained
from bench.statistics import headline, lineup, stats
from bench.tables import schema
from bench.tables.condition import Condition
from bench.tables.store import Tables
from discgan_core import estimators, game, tasks, training
from discgan_core.models.discriminator import DiscriminatorReward, init_discriminator
from discgan_core.models.generator import LSTMPolicy, init_generator
from discgan_core.randomness import Streams

SMALL = replace(
    grammar.PRESETS["smoke"], updates=3, measurements=2, samples=64, training_set=256, draws=0, bias_draws=0
)
KEY = ["session", "step", "metric", "parameter"]
FORMS = [("reinforce_loo", "null_reward"), ("reinforce_loo", "shuffled_reward")]
FORMS += [("maximum_likelihood", "same_seconds")]
GENERATORS = {schema.GOODNESS, schema.CROSS_ENTROPY, schema.UNIGRAM, schema.BIGRAM_KL}


def uniforms(*shape: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).random(shape, np.float32))


@pytest.fixture
def phi():
    return init_discriminator(5, 8, np.random.default_rng(0))


def numbers(estimator, setting, sessions=(0, 1), settings=SMALL, length=5):
    """Run some sessions: all their numbers but the seconds."""
    pretrained.cache_clear()
    outcome = grammar.run(settings, Condition("grammar", length, estimator, setting), sessions, "cpu")
    assert list(outcome.trials["status"]) == ["ok"] * len(sessions)
    metrics = outcome.metrics[outcome.metrics["metric"] != schema.SECONDS]
    return metrics.sort_values(KEY).reset_index(drop=True)


# The shuffled reward


def test_a_shuffled_reward_hands_the_batchs_own_rewards_to_others(phi):
    tokens, lots = torch.randint(5, (64, 4), generator=torch.Generator().manual_seed(0)), uniforms(64)
    plain, shuffled = (make(phi, {"reward": lots}) for make in (game.judged, game.shuffled(game.judged)))
    f, permuted = plain(tokens), shuffled(tokens)
    assert torch.equal(permuted.sort().values, f.sort().values)
    assert torch.equal(permuted, f[lots.argsort()])
    assert (permuted != f).float().mean() > 0.9
    assert torch.equal(shuffled.of_tokens(tokens), permuted)
    assert torch.allclose(shuffled(torch.eye(5)[tokens]), permuted)


def test_rewards_leave_the_group_that_they_are_compared_in():
    """Seven eighths of a batch of 64 belong to other groups of 8: 56 +- 2.5, so 45 is 4 errors off."""
    order = game.Shuffled(lambda x: x, uniforms(64)).order
    moved = (order // 8 != torch.arange(64) // 8).sum()
    assert 45 < moved < 64


def test_any_reward_can_be_shuffled_and_any_multiple_of_the_batch(phi):
    x, lots = torch.arange(12.0), uniforms(6)
    shuffled = game.shuffled(lambda discriminator, noise: lambda x: x)({}, {"reward": lots})
    assert torch.equal(shuffled(x), x.view(6, 2)[lots.argsort()].flatten())
    tokens = torch.arange(18).reshape(6, 3) % 5
    odds = game.shuffled(game.log_odds)(phi, {"reward": lots})(tokens)
    assert torch.equal(odds, DiscriminatorReward(phi).log_odds(tokens)[lots.argsort()])
    with pytest.raises(RuntimeError, match="unflatten"):
        shuffled(torch.arange(7.0))


def test_sessions_have_permutations_of_their_own():
    lots, x = uniforms(2, 16), torch.arange(16.0).expand(2, -1)
    found = vmap(lambda lots, x: game.Shuffled(lambda x: x, lots)(x))(lots, x)
    assert not torch.equal(found[0], found[1])
    for row, lot in zip(found, lots, strict=True):
        assert torch.equal(row, torch.arange(16.0)[lot.argsort()])


def test_over_all_permutations_the_gradient_is_zero():
    """Not a small one: exactly none, for the same samples; unshuffled there is one."""
    theta = {k: v.double() for k, v in init_generator(5, 4, np.random.default_rng(1)).items()}
    estimator, tokens = estimators.make("reinforce_loo", samples=4), uniforms(4, 3).double()
    values = torch.tensor([0.1, 0.9, 0.4, 0.3], dtype=torch.float64)

    def gradient(reward):
        def objective(theta):
            estimate = estimator.estimate(LSTMPolicy(theta, 3), reward, {"tokens": tokens}, (), None)
            return estimate.surrogate.sum()

        return torch.cat([g.flatten() for g in grad(objective)(theta).values()])

    lots = [torch.tensor(order, dtype=torch.float64) for order in itertools.permutations(range(4))]
    found = torch.stack([gradient(game.Shuffled(lambda x: values, lot)) for lot in lots])
    plain = gradient(lambda x: values)
    assert plain.norm() > 0.01
    assert found.mean(0).norm() < 1e-12
    assert found.norm(dim=1).min() > 1e-3


# As many seconds


def test_the_same_seconds_are_counted_out_in_updates():
    counts = {(1, 2): 5, (1, 1): 3, (1, 79): 136, (5, 1): 10}
    for (generator, discriminator), count in counts.items():
        settings = replace(SMALL, generator_steps=generator, discriminator_steps=discriminator)
        assert controls.in_the_time_of_a_round(settings) == count
        own, rules = controls.applied(settings, game.REGAN, "same_seconds")
        assert (own.generator_steps, own.discriminator_steps, rules) == (count, 0, game.REGAN)
        assert own.updates == settings.updates


def test_it_is_maximum_likelihood_for_that_many_updates():
    """The numbers at the end of 3 rounds of 5 updates are those of 15 updates, to the last bit."""
    settings = replace(SMALL, discriminator_steps=2)
    same = numbers("maximum_likelihood", "same_seconds", settings=settings)
    plain = numbers("maximum_likelihood", "default", settings=replace(settings, updates=15))
    assert set(same["step"]) == {0, 3}
    for ours, theirs in ((0, 0), (3, 15)):
        found, expected = (
            table[(table["step"] == step) & table["metric"].isin(GENERATORS)]["value"].to_numpy()
            for table, step in ((same, ours), (plain, theirs))
        )
        assert len(found) > 10
        np.testing.assert_array_equal(found, expected)
    calls = same.query("step == 3 and session == 0").set_index("metric")["value"]
    assert calls[schema.GENERATOR_CALLS] == 15 * settings.batch
    assert calls[schema.DISCRIMINATOR_CALLS] == 0


@pytest.mark.slow
@pytest.mark.parametrize("length", [3, 15])
def test_it_takes_about_as_many_seconds(length):
    """Processor time, the least of several: within a factor of two, on a busy machine too."""
    settings = replace(grammar.STANDARD, warmup=0, training_set=256, pretraining=((3, 0, 0.0),))
    task, took = tasks.make("grammar", length), {}
    start, data = training.pretrain(task, settings.schedule(length), Streams("t", range(10)))
    for name, setting in (("reinforce_loo", "default"), ("maximum_likelihood", "same_seconds")) * 3:
        own, rules = controls.applied(replace(settings, updates=4), game.REGAN, setting)
        begin, streams = time.process_time(), Streams("u", range(10))
        estimator, schedule = estimators.make(name), own.schedule(length)
        list(training.adversarial(start, data, task, estimator, schedule, streams, rules))
        took[name] = min(took.get(name, np.inf), time.process_time() - begin)
    assert 0.5 < took["maximum_likelihood"] / took["reinforce_loo"] < 2


# In the experiments


def test_the_controls_stand_beside_their_estimators():
    for module, length in ((grammar, 15), (cfg, 12), (names, 10)):
        settings = module.PRESETS["smoke"]
        found = module.conditions(settings, [length], estimators.available())
        pairs = [(c.estimator, c.setting) for c in found]
        assert set(FORMS) < set(pairs)
        assert len(set(pairs)) == len(pairs)
        assert len({c.source for c in found}) == 1
        few = module.conditions(settings, [length], ["maximum_likelihood"])
        assert [c.setting for c in few] == ["default", "same_seconds"]
    assert all(pair in lineup.CONTROLS and not lineup.competes(*pair) for pair in FORMS)


def test_each_control_gets_its_own_game():
    reward = game.Game(game.surprise)
    for setting in ("null_reward", "null_reward epochs=3"):
        assert controls.applied(SMALL, reward, setting) == (SMALL, game.Game(game.null))
    for setting in ("default", "epochs=3", "annealed"):
        assert controls.applied(SMALL, reward, setting) == (SMALL, reward)
    own, rules = controls.applied(SMALL, reward, "shuffled_reward")
    tokens, lots = torch.arange(12).reshape(4, 3) % 5, uniforms(4)
    phi = init_discriminator(5, 8, np.random.default_rng(0))
    expected = game.surprise(phi, {})(tokens)[lots.argsort()]
    assert own == SMALL
    assert len(expected.unique()) == 4
    assert torch.equal(rules.reward(phi, {"reward": lots})(tokens), expected)
    assert cfg.setup(cfg.STANDARD, Condition("cfg", 12, *FORMS[2]))[2].generator_steps == 3


@pytest.mark.parametrize(("estimator", "setting"), FORMS)
def test_a_session_s_numbers_depend_on_its_seed_alone(estimator, setting):
    together, beside = (
        numbers(estimator, setting, sessions).query("session == 1").reset_index(drop=True)
        for sessions in (range(3), (1,))
    )
    assert len(together) > 20
    pd.testing.assert_frame_equal(together, beside, check_exact=True)


@pytest.mark.parametrize(
    ("estimator", "setting", "same"),
    [
        ("reinforce_loo", "null_reward", True),
        ("maximum_likelihood", "default", True),
        ("reinforce_loo", "shuffled_reward", False),
        ("reinforce_loo", "default", False),
    ],
)
def test_who_never_asks_the_discriminator_learns_the_same_without_it(estimator, setting, same):
    own = controls.unjudged(SMALL, Condition("grammar", 5, estimator, setting))
    assert (own == SMALL) != same
    both = [numbers(estimator, setting, settings=s) for s in (SMALL, replace(SMALL, discriminator_steps=0))]
    ends = [t[(t["step"] == 3) & (t["metric"] == schema.CROSS_ENTROPY)]["value"].tolist() for t in both]
    assert (ends[0] == ends[1]) == same


# In the report


def slice_with(ends: dict[lineup.Condition, float], begin: float = 0.5, seconds: float = 1.0) -> Tables:
    """A slice of a trained grammar whose conditions end so."""
    random, parts = np.random.default_rng(3), {}
    for condition, end in ends.items():
        rows = synthetic_tables.swept_rows({0: begin, 40: end}, 8, random)
        took = [(session, 40, schema.SECONDS, "generator", seconds) for session in range(8)]
        rows = pd.concat([rows, pd.DataFrame(took, columns=rows.columns)])
        parts[("grammar", "grammar", "synthetic", 3, *condition)] = (rows, 1.0)
    return synthetic_tables.tables_of(parts, 8)


ENDS = {
    ("reinforce_loo", "default"): 0.9,
    ("rebar", "default"): 0.95,
    ("reinforce", "default"): 0.55,
    ("reinforce_loo", "null_reward"): 0.6,
    ("reinforce_loo", "shuffled_reward"): 0.4,
    ("maximum_likelihood", "default"): 0.7,
    ("maximum_likelihood", "same_seconds"): 0.9,
}


def about(tables: Tables, what: str) -> list[str]:
    said = [*learned.sentences(tables), *answers.uninformed(headline.rows(tables), headline.of(tables))]
    return [answer.text for answer in said if answer.about == what]


def test_the_report_says_whose_gain_is_none():
    (text,) = about(slice_with(ENDS), "What learned")
    first, second = text.split(" A gain that a control also shows is no gain. ")
    assert first.startswith("Above its own start and every control: REBAR (per step) (+0.0")
    assert first.endswith("from maximum likelihood, same seconds (control)).")
    assert second == (
        "Not shown to gain more than null reward (control); maximum likelihood (reference): REINFORCE. "
        "Shown to gain more than shuffled reward (control): all. "
        "Not shown to gain more than maximum likelihood, same seconds (control): all but REBAR (per step)."
    )
    assert [line.split(",")[0] for line in about(slice_with(ENDS), "Control")] == [
        "The null-reward control gains as well",
        "The shuffled-reward control does not gain but loses",
    ]


@pytest.mark.parametrize("control", FORMS)
def test_one_control_that_gains_as_much_is_enough(control):
    (before,) = about(slice_with(ENDS | {control: 0.3}), "What learned")
    (after,) = about(slice_with(ENDS | {control: 0.99}), "What learned")
    assert "REBAR (per step) (+0." in before.partition(" A gain")[0]
    assert "Above its own start and every control: none." in after
    assert f"{lineup.label(*control)}: all." in after


def test_who_does_not_pass_its_start_has_not_learned():
    (text,) = about(slice_with({c: end - 0.46 for c, end in ENDS.items()}), "What learned")
    assert "every control: none. Not shown to end above its own start: all. A gain" in text


def test_comparisons_with_all_controls_are_one_family():
    quality = headline.rows(slice_with(dict.fromkeys(ENDS, 0.5)))
    found = learned.compared(learned.leads(stats.last(quality), lineup.CONTROLS), headline.HEADLINES[0])
    assert len(found) == 3 * 4
    assert found["p_holm"].min() == pytest.approx(12 * found["p"].min())
    assert not found["better"].any()


def test_a_gain_is_counted_from_ones_own_start():
    """Higher at the end, but from a higher start: a control gains as much."""
    tables = slice_with(ENDS)
    metrics = tables.metrics.copy()
    mine = (metrics["estimator"] == "rebar") & (metrics["step"] == 0) & (metrics["metric"] == schema.GOODNESS)
    metrics.loc[mine, "value"] = 0.6
    (text,) = about(tables._replace(metrics=metrics), "What learned")
    assert "Above its own start and every control: REBAR" in text
    assert "Not shown to gain more than maximum likelihood, same seconds (control): all." in text


def test_the_seconds_are_measured_beside():
    (text,) = about(slice_with(ENDS, seconds=1.25), "The same seconds")
    assert text.endswith("maximum likelihood, same seconds (control) 1.250; REINFORCE, leave-one-out 1.250.")
    fewer = {c: end for c, end in ENDS.items() if c != ("maximum_likelihood", "same_seconds")}
    assert not about(slice_with(fewer), "The same seconds")
