"""The experiments `cfg` and `relaxation`: what runs, what it gives, and what the variants differ in."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
import torch

from bench.errors import UserError
from bench.experiments import cfg, relaxation
from bench.sessions import adversarial, controls
from bench.sessions.pretrained import pretrained
from bench.tables import schema
from bench.tables.condition import Condition
from discgan_core import estimators, game, relaxed, tasks, training
from discgan_core.interface import State
from discgan_core.models.discriminator import init_discriminator
from discgan_core.models.generator import CELL
from discgan_core.randomness import Streams

SMALL = replace(
    cfg.PRESETS["smoke"],
    updates=2,
    training_set=200,
    samples=32,
    draws=4,
    left_out=cfg.STANDARD.left_out,
)
SHORT = 6
"""The least length whose strings are too many to list."""
CONDITIONS = cfg.conditions(SMALL, [SHORT], estimators.available())
DEFAULTS = [c.estimator for c in CONDITIONS if c.setting == "default"]
STILL = replace(relaxation.PRESETS["smoke"], training_set=256, samples=32, draws=4, bias_draws=32)
KEY = ["session", "step", "metric", "parameter"]


def variant(name, length=SHORT):
    return Condition("cfg", length, cfg.RELAXED, name)


def numbers(condition, sessions, settings=SMALL, module=cfg):
    """Run some sessions: all their numbers but the seconds."""
    pretrained.cache_clear()
    outcome = module.run(settings, condition, sessions, "cpu")
    assert list(outcome.trials["status"]) == ["ok"] * len(sessions)
    metrics = outcome.metrics[outcome.metrics["metric"] != schema.SECONDS]
    return metrics.sort_values(KEY).reset_index(drop=True)


def session(number, table):
    return table[table["session"] == number].reset_index(drop=True)


@cache
def two(condition):
    """Run two sessions, once for all tests."""
    return numbers(condition, (0, 1))


def values(condition, metric, step):
    """Look one number up: the two sessions' values."""
    table = two(condition)
    return table[(table["metric"] == metric) & (table["step"] == step)]["value"].tolist()


# What runs, and what it gives


def test_conditions_are_the_variants_the_others_and_three_controls():
    assert [c.setting for c in CONDITIONS if c.estimator == cfg.RELAXED] == list(cfg.VARIANTS)
    assert set(DEFAULTS) == set(estimators.available()) - {"exact", cfg.RELAXED, *SMALL.left_out}
    assert not cfg.PRESETS["paper"].left_out
    assert CONDITIONS.count(Condition("cfg", SHORT, "reinforce_loo", "null_reward")) == 1
    assert len(set(CONDITIONS)) == len(CONDITIONS) == len(cfg.VARIANTS) + len(DEFAULTS) + 3
    paper = cfg.PRESETS["paper"]
    assert cfg.conditions(paper, [12], ["reinmax"]) == [Condition("cfg", 12, "reinmax")]
    assert {c.length for c in cfg.conditions(SMALL, [3, 12], estimators.available())} == {3, 12}
    with pytest.raises(UserError, match="length is 0"):
        cfg.conditions(SMALL, [0], estimators.available())


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda c: f"{c.estimator}-{c.setting}")
def test_every_condition_gives_the_rows_that_a_report_reads(condition):
    table = two(condition)
    assert not table.duplicated(KEY).any()
    assert table["value"].where(table["metric"] != schema.GRADIENT_LOG_VARIANCE, 0).map(np.isfinite).all()
    always = {
        schema.VALID_FRACTION,
        schema.LENGTH,
        schema.LENGTH_DISTANCE,
        schema.UNIGRAM,
        schema.UNIGRAM_DISTANCE,
        schema.BIGRAM_DISTANCE,
        schema.BIGRAM_KL,
        schema.CROSS_ENTROPY,
        schema.DISTINCT_FRACTION,
        schema.NOVEL_FRACTION,
        schema.NOVEL_VALID_FRACTION,
        schema.MODE_COVERAGE,
        schema.GENERATOR_LOSS,
        schema.DISCRIMINATOR_LOSS,
        schema.DISCRIMINATOR_ACCURACY,
        schema.GRADIENT_LOG_VARIANCE,
        schema.GENERATOR_CALLS,
        schema.DISCRIMINATOR_CALLS,
    }
    at_the_start = {schema.UNIGRAM_DATA, "length_data", "length_distance_data", "mode_coverage_data"}
    at_the_end = {schema.STRING}
    for _, mine in table.groupby("session"):
        start, end = (set(mine[mine["step"] == step]["metric"]) for step in (0, 2))
        assert always | at_the_start <= start
        assert always | at_the_end <= end
        assert not end & at_the_start
        assert not start & at_the_end
        strings = mine.query("metric == 'string'")
        assert strings["parameter"].str.len().eq(SHORT).all()
        assert set(strings["value"]) <= {0.0, 1.0}


def test_nothing_is_compared_with_a_truth_that_cannot_be_listed():
    """At length 3 strings can be listed, but not what the generator's noise makes of them."""
    table = numbers(variant("annealed", 3), (0, 1))
    assert not {schema.EXACT_KL, schema.GRADIENT_BIAS_SQUARED} & set(table["metric"])
    table = numbers(Condition("cfg", 3, cfg.LIKELIHOOD), (0, 1))
    assert schema.EXACT_KL in set(table["metric"])


# Sessions, alone and in company


@pytest.mark.parametrize(
    ("name", "length", "batch", "stacks"),
    [
        ("annealed", SHORT, 32, [range(5), (3,), (1, 3, 4)]),
        ("hidden_noise", SHORT, 32, [range(5), (3,)]),
        ("tuned", SHORT, 32, [range(5), (3,)]),
        ("annealed", 12, 200, [range(5), (3,), (1, 3)]),
        ("hidden_noise", 12, 200, [range(3, 7), (1, 2, 3)]),
        ("generated_1000", 12, 200, [range(3, 7), (1, 3)]),
    ],
)
def test_a_session_s_numbers_depend_on_its_seed_alone(name, length, batch, stacks):
    """What a stack leaves over after its last whole vector is its last session's, so let that be 3 too."""
    settings = replace(SMALL, batch=batch, generated=batch)
    expected, *others = (session(3, numbers(variant(name, length), stack, settings)) for stack in stacks)
    assert len(expected) > 50
    for ours in others:
        pd.testing.assert_frame_equal(ours, expected, check_exact=True)


@pytest.mark.parametrize("name", ["straight_through", "gumbel_rao", "reinmax", "gapped_straight_through"])
def test_so_do_those_of_hard_tokens_with_relaxed_gradients(name):
    expected = session(1, two(Condition("cfg", SHORT, name)))
    ours = session(1, numbers(Condition("cfg", SHORT, name), (1, 2, 3)))
    pd.testing.assert_frame_equal(ours, expected, check_exact=True)


def test_sessions_are_added_until_a_stack_fills_whole_vectors():
    assert adversarial.filled([7], 128) == (7, 8)
    assert adversarial.filled([7, 9], 128) == (7, 9)
    assert adversarial.filled([3], 200) == (3, 4, 5, 6)
    for batch in (1, 8, 32, 48, 100, 200, 1000):
        for count in range(1, 40):
            asked = tuple(range(5, 5 + count))
            stack = adversarial.filled(asked, batch)
            assert stack[:count] == asked
            assert len(set(stack)) == len(stack) >= 2
            assert len(stack) * batch % 32 == 0
            smaller = [n for n in range(max(2, count), len(stack)) if n * batch % 32 == 0]
            assert not smaller, "more sessions are added than needed"


# What the variants differ in


def started(name):
    _, rules, settings = cfg.setup(SMALL, variant(name))
    return training.pretrain(
        tasks.make("cfg", 12), settings.schedule(12), Streams("cfg/12/pretraining", (0, 1)), rules
    )


def test_all_variants_start_from_the_same_networks_and_data():
    first, data = started("annealed")
    for name in cfg.VARIANTS:
        players, others = started(name)
        assert torch.equal(data, others)
        extra = {CELL} if name == "hidden_noise" else set()
        assert set(players.generator) == set(first.generator) | extra
        for ours, theirs in (
            (players.generator, first.generator),
            (players.discriminator, first.discriminator),
        ):
            for key, leaf in theirs.items():
                assert torch.equal(ours[key], leaf), f"{key} of {name}"


def test_before_the_first_update_all_that_share_their_start_are_equal():
    """Only whoever starts from other noise writes other strings."""
    metrics = (schema.VALID_FRACTION, schema.UNIGRAM, schema.BIGRAM_KL, schema.CROSS_ENTROPY)
    found = {c: [values(c, metric, 0) for metric in metrics] for c in CONDITIONS}
    expected = found[variant("annealed")]
    for condition, numbers_found in found.items():
        other = condition.setting == "hidden_noise" or condition.estimator == cfg.LIKELIHOOD
        assert (numbers_found != expected) == other, condition


def test_generated_1000_generates_five_times_as_many():
    batch, updates = SMALL.batch, SMALL.updates
    for name, many in (("annealed", 1), ("input_annealed", 1), ("generated_1000", 5)):
        # one discriminator batch of both kinds, then the update's own sequences, judged once
        generator, discriminator = many + many, (1 + many) + many
        calls = values(variant(name), schema.GENERATOR_CALLS, updates)
        assert set(calls) == {updates * batch * generator}, name
        calls = values(variant(name), schema.DISCRIMINATOR_CALLS, updates)
        assert set(calls) == {updates * batch * discriminator}, name


TEMPERATURES = {  # of generated sequences as rewarded, of real ones and of generated ones as shown
    "annealed": ([5, 3, 1], [5, 3, 1], [5, 3, 1]),
    "generated_1000": ([5, 3, 1], [5, 3, 1], [5, 3, 1]),
    "input_annealed": ([1, 1, 1], [5, 3, 1], [1, 1, 1]),
    "hidden_noise": ([5, 3, 1], [5, 3, 1], [5, 3, 1]),
    "tuned": ([0.5, 0.5, 0.5], None, None),
}


@pytest.mark.parametrize("name", cfg.VARIANTS)
def test_a_variant_s_temperatures_over_the_first_half(name):
    settings = replace(SMALL, updates=20)
    estimator, rules, _ = cfg.setup(settings, variant(name))
    players, data = started(name)
    noise = {key: leaf[0] for key, leaf in Streams("t", [0]).noise(rules.view.fake_noise(12, 6), 8).items()}
    noise |= {key: leaf[0] for key, leaf in Streams("t", [0]).noise(estimator.noise(12, 6), 8).items()}
    noise |= {key: leaf[0] for key, leaf in Streams("t", [0]).noise(rules.latent_noise(32), 8).items()}
    policy = game.lstm({key: leaf[0] for key, leaf in players.generator.items()}, 12, noise)
    tokens, reward = data[0, :8], lambda x: x.square().sum((1, 2))
    rewarded, real, fake = TEMPERATURES[name]
    for place, done in enumerate((0.0, 5.0, 10.0)):
        n = torch.tensor(done)
        ours = estimator.estimate(policy, reward, noise, State(carried=n), None).info["rewards"]
        torch.testing.assert_close(
            ours, reward(relaxed.relaxed_sequences(policy, noise["z"], rewarded[place]))
        )
        shown = rules.view.real(tokens, 6, noise, n), rules.view.fake(policy, noise, n)
        if real is None:
            assert torch.equal(shown[0], tokens)
            assert torch.equal(shown[1], policy.sample(noise["tokens"]))
        else:
            constant = game.relaxed(float(real[place]), float(fake[place]))
            torch.testing.assert_close(shown[0], constant.real(tokens, 6, noise, n))
            torch.testing.assert_close(shown[1], constant.fake(policy, noise, n))


def test_variants_change_no_setting_but_what_they_name():
    own = {"generated_1000": {"generated": 160}, "tuned": {"discriminator_rate": 0.06, "momentum": 0.5}}
    settings = replace(SMALL, momentum=0.9)
    for name in cfg.VARIANTS:
        assert cfg.setup(settings, variant(name))[2] == replace(settings, **own.get(name, {})), name
    others = [c for c in CONDITIONS if c.estimator != cfg.RELAXED]
    plain = [c for c in others if c.setting != controls.SAME_SECONDS]
    assert all(cfg.setup(settings, c)[2] == settings for c in plain)


def test_who_starts_from_what():
    latents = {c: cfg.setup(SMALL, c)[1].latent for c in CONDITIONS}
    assert latents.pop(variant("hidden_noise")) == 1
    for setting in ("default", controls.SAME_SECONDS):
        assert latents.pop(Condition("cfg", SHORT, cfg.LIKELIHOOD, setting)) == 0
    assert set(latents.values()) == {2}


# Rewards


def adversarial_ends(estimator, rules, updates=2):
    """Train two sessions: generators before and after."""
    task, schedule = tasks.make("cfg", 12), SMALL.schedule(12)
    start, data = training.pretrain(task, schedule, Streams("t", (0, 1)), rules)
    schedule = replace(schedule, updates=updates)
    loop = training.adversarial(start, data, task, estimator, schedule, Streams("u", (0, 1)), rules)
    return start.generator, list(loop)[-1].generator


def test_a_reward_of_noise_teaches_a_path_gradient_nothing_at_all():
    rules = game.Game(game.null, game.relaxed(1.0, 1.0), latent=2)
    for name in ("gumbel_softmax", "straight_through", "gumbel_rao", "reinmax", "gapped_straight_through"):
        start, end = adversarial_ends(estimators.make(name), rules)
        assert all(torch.equal(start[key], end[key]) for key in start), f"{name} was moved by noise"
    start, end = adversarial_ends(estimators.make("reinforce_loo"), rules)
    assert not any(torch.equal(start[key], end[key]) for key in start)


def test_the_games_rewards():
    phi, rng = init_discriminator(6, 8, np.random.default_rng(0)), np.random.default_rng(1)
    x = torch.from_numpy(rng.dirichlet(np.ones(6), size=(20, 12)))
    phi = {key: 3 * leaf.double() for key, leaf in phi.items()}
    noise = {"reward": torch.from_numpy(rng.random(20))}
    d, odds, nothing = (reward(phi, noise)(x) for reward in (game.judged, game.log_odds, game.null))
    assert ((d > 0) & (d < 1)).all()
    torch.testing.assert_close(odds, d.log() - (1 - d).log())
    assert torch.equal(nothing, noise["reward"])
    y = torch.from_numpy(rng.dirichlet(np.ones(6), size=(2, 20, 12)))
    for rewarded in (game.judged(phi, noise), game.log_odds(phi, noise)):
        whole, prefixes = rewarded.along(x, y)
        torch.testing.assert_close(whole, rewarded(x))
        third = torch.cat([x[:, :2], y[1, :, 2:3]], 1)
        torch.testing.assert_close(prefixes[1, :, 2], rewarded(third))


def test_the_generator_s_loss_is_what_the_generator_descends():
    """-log D/(1-D) of what the discriminator is shown, so of relaxed sequences where it is shown these."""
    players, data = started("annealed")
    _, rules, _ = cfg.setup(SMALL, variant("annealed"))
    streams = [Streams("m", (0, 1)) for _ in range(2)]
    rows = {row.metric: row.values for row in adversarial.losses(players, data[:, :32], streams[0], rules)}
    _, fake = training.shown(players, data[:, :32], 32, streams[1], rules)
    for session in (0, 1):
        phi = {key: leaf[session] for key, leaf in players.discriminator.items()}
        expected = -game.log_odds(phi, {})(fake[session]).mean()
        torch.testing.assert_close(rows[schema.GENERATOR_LOSS][session], expected)


# Bias and variance against temperature


def test_temperatures_are_compared_where_sequences_can_be_listed():
    found = relaxation.conditions(STILL, [3], estimators.available())
    assert {c.estimator for c in found} == set(relaxation.FORMS) <= set(estimators.available())
    assert len(found) == len(set(found)) == len(relaxation.FORMS) * len(relaxation.LAMBDAS)
    assert relaxation.conditions(STILL, [15], estimators.available()) == []
    assert relaxation.conditions(STILL, [3], ["reinforce", "exact"]) == []
    assert {c.estimator for c in relaxation.conditions(STILL, [3, 15], ["reinmax"])} == {"reinmax"}
    with pytest.raises(UserError, match="length is 2"):
        relaxation.conditions(STILL, [2], estimators.available())


@pytest.mark.parametrize("name", relaxation.FORMS)
def test_bias_and_variance_are_measured_and_nothing_is_trained(name):
    cold, hot = (
        numbers(Condition("grammar", 3, name, f"lambda={tau:g}"), (0, 1), STILL, relaxation)
        for tau in (0.1, 10.0)
    )
    assert set(cold["step"]) == {0}
    for metric in ("gradient_bias_squared", "gradient_norm_squared", "gradient_cosine", "gradient_variance"):
        assert len(cold[cold["metric"] == metric]) == 2, metric
    same = ["goodness", "cross_entropy", "discriminator_loss", "exact_kl", "gradient_norm_squared"]
    chosen = [t[t["metric"].isin(same)].reset_index(drop=True) for t in (cold, hot)]
    assert len(chosen[0]) == 2 * len(same)
    pd.testing.assert_frame_equal(*chosen, check_exact=True)
    spread = [t.query("metric == 'gradient_variance'")["value"].to_numpy() for t in (cold, hot)]
    assert (spread[0] != spread[1]).all(), "the temperature makes no difference"


def test_the_null_reward_answers_however_many_are_asked():
    reward = game.null({}, {"reward": torch.tensor([0.1, 0.2])})
    assert reward(torch.zeros(4, 1, 1)).tolist() == pytest.approx([0.1, 0.1, 0.2, 0.2])
    assert reward(torch.zeros(5, 1, 1)).tolist() == pytest.approx([0.1, 0.1, 0.1, 0.2, 0.2])


def test_sessions_added_are_new_ones():
    assert adversarial.filled([4, 1, 3], 200) == (4, 1, 3, 5)
