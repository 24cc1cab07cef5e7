"""Whatever a preset sets can be set: it is checked, kept and told; a slip is told in one line."""

from __future__ import annotations

import json
import shlex
from dataclasses import fields
from pathlib import Path

import pytest

from bench import experiments, listing, lists
from bench.cli import main
from bench.report import made
from bench.sessions.settings import problems
from bench.tables import store
from discgan_core import estimators

GRAMMAR = ["run", "grammar", "--preset", "smoke", "--dry-run"]
ALL = ["run-all", "--preset", "smoke", "--dry-run"]
NAP = ["run", "nap", "--preset", "smoke", "--lengths", "3"]


@pytest.fixture
def say(tmp_path, monkeypatch, capsys):
    """Carry out a command line in an empty folder, in this process."""
    monkeypatch.chdir(tmp_path)

    def carry_out(*arguments):
        code = main(list(arguments))
        return code, *capsys.readouterr()

    return carry_out


MISTAKES = {
    "hyperparameter": (["--estimators", "rebar(temperatur=1)"], ["did you mean temperature?", "eta"]),
    "of none": (["--estimators", "reinforce(k=1)"], ["reinforce has no hyperparameter k: it has none"]),
    "type": (["--estimators", "rebar(temperature='a')"], ["rebar: temperature", "must be a number"]),
    "huge": (["--estimators", f"rebar(temperature={'9' * 400})"], ["rebar: temperature", "finite"]),
    "huge too": (["--set", f"generator_rate={'9' * 400}"], ["it must be a number"]),
    "half": (["--estimators", "rollout(samples=2.5)"], ["rollout: samples is 2.5", "a whole number"]),
    "refused": (["--estimators", "rollout(rate=2)"], ["rollout: rate is 2.0", "below 1"]),
    "code": (["--estimators", "rebar(temperature=exit())"], ["temperature is no value"]),
    "position": (["--estimators", "rebar(0.5)"], ["by name, as in rebar(name=value)"]),
    "open": (["--estimators", "relax,rebar(eta=2"], ['"rebar(eta=2" cannot be read']),
    "twice": (["--estimators", "rebar(eta=2, eta=3)"], ["eta is given twice"]),
    "case": (["--estimators", "REBAR"], ['did you mean "rebar"?']),
    "case too": (["--estimators", "Rebar(eta=2)"], ['did you mean "rebar"?']),
    "empty": (["--estimators", ""], ["--estimators: nothing is named"]),
    "no whole draws": (["--estimators", "reinforce_loo(samples=48)"], ["generated is 128", "the 48 samples"]),
    "lengths": (["--lengths", "3", "5"], ["--lengths 3,5"]),
    "lengths=": (["--lengths=3", "5"], ["--lengths 3,5"]),
    "sessions": (["--sessions", "30", "40"], ["--sessions 30 40", "30-40"]),
    "estimators": (["--estimators", "rebar", "relax"], ["--estimators rebar,relax"]),
    "blank": (["--set", "updates", "3"], ["write it as --set updates=3"]),
    "two of them": (["--set", "updates=3", "batch=64"], ["--set updates=3 --set batch=64"]),
    "backwards": (["--sessions", "60-30"], ["--sessions 60-30", "as 30-59"]),
    "negative": (["--sessions", "-5"], ["--sessions -5", "1 or more"]),
    "unfinished": (["--sessions", "3-"], ["--sessions 3-", "as 30-59"]),
    "below": (["--set", "updates=-1"], ["--set updates=-1", "0 or more"]),
    "none": (["--set", "batch=0"], ["--set batch=0", "1 or more"]),
    "beyond": (["--set", "momentum=1.5"], ["--set momentum=1.5", "below 1"]),
    "infinite": (["--set", "generator_rate=1e999"], ["--set generator_rate=inf", "above 0"]),
    "fraction": (["--set", "updates=1.5"], ["--set updates=1.5: it must be a whole number"]),
    "truth": (["--set", "corpus=maybe"], ["--set corpus=maybe: it must be true or false"]),
    "rows": (["--set", "pretraining=3"], ["each (a whole number, a whole number, a number)"]),
    "a length of 0": (["--set", "pretraining=((0,1,0.1),)"], ["0 cannot be: it must be 1 or more"]),
    "no rows": (["--set", "pretraining="], ["nothing is named"]),
    "too many": (["--set", "sessions=1000000"], ["from 1 to 10,000"]),
    "batch": (["--set", "batch=2000"], ["a batch of 2000 is more than the training set of 1000"]),
    "name": (["--set", "updaets=1"], ['did you mean "updates"?', "list grammar"]),
    "nobody": (["--set", "left_out=arms@15"], ['there is no "arms@15": did you mean "arsm"?']),
    "experiment": (["--set", "gramar.updates=1"], ['did you mean "grammar"?']),
    "another": (["--set", "cfg.updates=1"], ["cfg is not among the experiments to run"]),
    "no value": (["--set", "updates"], ["write it as updates=234"]),
    "again": (["--set", "updates=1", "--set", "updates=2"], ["the same setting is given twice"]),
    "split": (["--set", "generated=60"], ["generated is 60, no multiple of the 8 samples"]),
    "source": (["--set", "source=census"], ["chosen by --source or --data"]),
    "tensor": (["--parameters", "out.wieght[0,0]"], ["did you mean out.weight?", "out.weight [5, 32]"]),
    "index": (["--parameters", "out.weight[9,0]"], ["--parameters out.weight[9,0]", "out.weight [5, 32]"]),
    "dimension": (["--parameters", "out.weight[0]"], ["counted from 0", "out.weight [5, 32]"]),
    "no index": (["--parameters", "out.weight"], ["write it as out.weight[0,0]"]),
    "nothing": (["--parameters", ","], ["--parameters: nothing is named"]),
    "no file": (["--settings", "nowhere.toml"], ["cannot read nowhere.toml"]),
}


def one_line(said, words):
    code, out, err = said
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert all(word in err for word in words), err


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_in_one_line_before_anything_runs(say, mistake):
    typed, words = MISTAKES[mistake]
    one_line(say(*GRAMMAR, *typed), words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("updates = ", ["this is no TOML"]),
        ("# updates = 3", ["s.toml: it sets nothing"]),
        ("updates = 'x'", ["s.toml: updates=x: it must be a whole number"]),
        ("[grammar]\nmomentum = nan", ["s.toml: grammar.momentum=nan", "below 1"]),
        ("[gramar]\nupdates = 3", ['did you mean "grammar"?']),
        ("update = 3", ["s.toml: update=3", 'did you mean "updates"?']),
    ],
)
def test_so_is_a_mistake_in_a_file(say, text, words):
    Path("s.toml").write_text(text)
    one_line(say(*GRAMMAR, "--settings", "s.toml"), words)


def test_what_some_experiments_lack_is_told_and_the_others_take_it(say):
    code, out, _ = say(*ALL, "--estimators", "rebar", "--set", "updates=3")
    assert code == 0
    told = out.splitlines()[0]
    assert told.startswith("--set updates is for cfg, gradient_quality, grammar")
    assert told.endswith("there is nothing to set in coverage, frozen, relaxation, scaling, schedule")
    one_line(
        say("run", "temperature", *ALL[1:], "--estimators", "rebar(temperature=2)"), ["varies temperature"]
    )
    Path("s.toml").write_text("[cfg]\nbatch = 64\n[grammar]\nupdates = 3\n")
    code, out, _ = say(*GRAMMAR, "--settings", "s.toml", "--estimators", "rebar")
    assert (code, out.splitlines()[0]) == (0, "s.toml: cfg.batch is not used: cfg is not run")


def test_what_would_be_another_number_than_its_name_says_is_refused(say):
    schedule = ["run", "schedule", *GRAMMAR[2:], "--set"]
    one_line(say(*schedule, "ratios=1,0.3"), ["0.3 cannot be", "a whole number, or 1 over one"])
    one_line(say(*schedule, "batches=3"), ["3 batches are not enough for an update at a ratio of 5"])


# What is kept


def test_other_hyperparameters_are_a_condition_of_their_own(nap, say):
    both = "rebar(temperature=0.5),rebar,rollout(samples=4, baseline=False)"
    assert say(*NAP, "--estimators", both)[0] == 0
    trials = store.read(Path("results/smoke")).trials
    names = {"rebar", "rebar(temperature=0.5)", "rollout(samples=4, baseline=False)"}
    assert set(trials["estimator"]) == names
    assert trials["config_hash"].nunique() == 1
    same = "rebar(eta=1, temperature=1.0),rebar( temperature = 5e-1 ),rollout(baseline=False,samples=4)"
    assert "nothing left to compute" in say(*NAP, "--estimators", same)[1]


def test_settings_and_numbers_are_kept_and_the_command_makes_them_again(nap, say):
    typed = ["--estimators", "rebar(eta=2)", "--set", "rate=0.5", "--sessions", "5-6"]
    assert say(*NAP, *typed)[0] == 0
    trials = store.read(Path("results/smoke")).trials
    assert sorted(trials["session"]) == [5, 6]
    assert {json.loads(text)["set"]["rate"] for text in trials["config"]} == {0.5}
    assert made.facts(trials)["set"] == "rate = 0.5"
    words = shlex.split(made.command("nap", trials))
    assert "nothing left to compute" in say(*words[1:], "--results", "results/smoke")[1]
    assert "nothing left" not in say(*NAP, "--estimators", "rebar(eta=2)", "--sessions", "5-6")[1]


def test_a_user_s_own_estimator_has_hyperparameters_too(nap, say, monkeypatch):
    monkeypatch.setattr(estimators, "_loaded", {})
    own = ["--plugin", str(Path(__file__).parents[2] / "examples" / "moving_baseline.py")]
    assert say(*NAP, *own, "--estimators", "moving_baseline(decay=0.5),moving_baseline")[0] == 0
    trials = store.read(Path("results/smoke")).trials
    assert set(trials["estimator"]) == {"moving_baseline", "moving_baseline(decay=0.5)"}
    monkeypatch.setattr(estimators, "_loaded", {})
    words = shlex.split(made.command("nap", trials))
    assert "nothing left to compute" in say(*words[1:], "--results", "results/smoke")[1]
    one_line(say(*NAP, *own, "--estimators", "moving_baseline(decya=1)"), ["did you mean decay?"])


def test_a_preset_s_own_value_is_no_other_setting(nap, say):
    assert say(*NAP, "--estimators", "rebar")[0] == 0
    assert "nothing left" in say(*NAP, "--estimators", "rebar", "--set", "rate=0.1")[1]
    assert "set" not in json.loads(store.read(Path("results/smoke")).trials["config"][0])


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("3", range(3)), ("30-32", range(30, 33)), ("7-7", [7]), ("0-1,5-6", [0, 1, 5, 6]), (None, None)],
)
def test_sessions_are_a_number_or_ranges(text, numbers):
    assert lists.sessions(text) == (None if numbers is None else tuple(numbers))


# In the experiments

GIVEN = ["reinforce_loo(samples=4)", "likelihood(samples=4)", "self_normalised(samples=4)"]


@pytest.mark.parametrize("name", experiments.available())
def test_every_experiment_makes_estimators_as_they_are_given(name):
    module = experiments.load(name)
    settings = module.PRESETS["smoke"]
    every, left = experiments.chosen(name, [*GIVEN, "rebar(temperature=0.5)", "rebar(eta=0.5)"])
    found = module.conditions(settings, settings.lengths, every)
    made_there = [(c, experiments.estimator_of(name, settings, c)) for c in found]
    assert any("(" in condition.estimator for condition, _ in made_there) or name == "pretraining"
    assert all(made.samples_per_draw == 4 for c, made in made_there if c.estimator in GIVEN)
    assert left == (["rebar(temperature=0.5)"] if name in ("temperature", "relaxation") else [])


def test_an_experiment_s_own_default_does_not_take_the_place_of_what_is_given():
    names = experiments.load("names")
    settings = names.PRESETS["smoke"]
    every, _ = experiments.chosen("names", ["likelihood", "likelihood(samples=32)"])
    found = names.conditions(settings, [10], every)
    sizes = {
        (c.estimator, c.setting): names.estimator_of(settings, c).samples_per_draw
        for c in found
        if c.setting != "eq5"
    }
    assert sizes == {
        ("likelihood", "default"): settings.batch,
        ("likelihood", "k=8"): 8,
        ("likelihood(samples=32)", "default"): 32,
    }


# What is listed


@pytest.mark.parametrize("name", experiments.available())
def test_every_setting_is_listed_with_its_meaning_and_no_preset_is_impossible(name):
    module = experiments.load(name)
    lines = "\n".join(listing.experiment(name)).splitlines()
    for field in fields(module.PRESETS["smoke"]):
        if field.name not in getattr(module, "FIXED", ()):
            (line,) = (line for line in lines if line.split()[:1] == [field.name])
            assert len(line.split()) > 1
            assert line.split()[1] != "-"
    assert not [problem for preset in module.PRESETS.values() for problem in problems(preset)]


@pytest.mark.parametrize("name", estimators.available())
def test_every_hyperparameter_is_listed_with_its_meaning_and_the_needs_are_those_it_has(name):
    lines = "\n".join(listing.estimator(name)).splitlines()
    assert not [line for line in lines if line.split()[1:2] == ["-"]]
    needs = ", ".join(need.value for need in estimators.make(name).needs)
    assert listing.needs(estimators.path(name)) == needs
    assert f"needs: {needs}" in "\n".join(lines)


def test_what_is_named_is_told_in_full(say):
    _, out, _ = say("list", "grammar")
    assert "updates               of the generator, or rounds of several" in out
    assert "smoke 2; standard 25; paper 234" in out
    assert "task grammar: REGAN's grammar" in out
    _, out, _ = say("list", "rebar", "smoke")
    assert "needs: a reward with a derivative, a reward of prefixes" in out
    assert "preset smoke: everything once" in out
    one_line(say("list", "gramar"), ['"gramar"', 'did you mean "grammar"?'])
