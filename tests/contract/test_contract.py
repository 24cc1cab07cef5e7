"""What breaks the contract of an estimator is caught by the check that is for it, and told in words."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
import torch

from bench import contract
from bench.contract import case, needs
from bench.contract.case import Broken
from discgan_core import estimators
from discgan_core.estimators.reinforce_loo import reinforce_loo
from discgan_core.interface import Need

EXAMPLE = Path(__file__).parents[2] / "examples" / "moving_baseline.py"
QUICK = ("exact", "likelihood", "relax", "reinforce_loo")
BY_NAME = {check.name: check for check in contract.CHECKS}
(DECLARED, FORMS, SAME, DRAWS, STATE, ALONE, COMPANY, EXTREMES, ANYWHERE, COUNTED, NEEDS, *BIAS) = BY_NAME

SOUND = '''
"""REINFORCE, sound in itself."""
import torch
from discgan_core.interface import Estimate, Estimator, State
from discgan_core.rewards import of_tokens
from discgan_core.sequences import log_likelihood, one_hot, score

calls = []

def subject():
    def estimate(policy, reward, noise, state, data):
        tokens = policy.sample(noise["tokens"])
        log_probs = policy.logits(tokens).log_softmax(-1)
        f = of_tokens(reward, tokens, log_probs)
        scores = score(log_likelihood(log_probs, tokens)).sum(1)
        return Estimate(f * scores, {"rewards": f})

    def init(policy, generator):
        return State(carried=torch.zeros(()))

    def adapt(state, feedback):
        return state

    return Estimator(
        estimate,
        noise=lambda length, vocabulary: {"tokens": (length,)},
        init=init,
        adapt=adapt,
    )
'''
RETURN = 'return Estimate(f * scores, {"rewards": f})'
LAST = "adapt=adapt,"
INIT = "return State(carried=torch.zeros(()))"
ADAPT = "return state\n"
RELAXED_TOKENS = "(one_hot(tokens, 3, f.dtype) + log_probs - log_probs.detach())"
LEARNED = (INIT, "return State({'b': torch.zeros(())})")

#: What is wrong -> the check that must see it, the words it must use, and the changes that make it wrong.
FAULTS: dict[str, tuple[str, list[str], list[tuple[str, str]]]] = {
    "three samples to a draw": (
        DECLARED,
        ["samples_per_draw is 3", "divides 32"],
        [(LAST, "adapt=adapt, samples_per_draw=3,")],
    ),
    "supports nothing": (
        DECLARED,
        ["supports(length, vocabulary)", "no to every length"],
        [(LAST, "adapt=adapt, supports=lambda length, vocabulary: False,")],
    ),
    "shape that is no tuple": (
        DECLARED,
        ["'tokens'", "tuple of whole numbers"],
        [('{"tokens": (length,)}', '{"tokens": length}')],
    ),
    "tokens' noise for something else": (
        DECLARED,
        ["'tokens'", "policy.sample"],
        [('{"tokens": (length,)}', '{"tokens": (length, vocabulary)}')],
    ),
    "a name that is taken": (
        DECLARED,
        ["'reward'", "the benchmark needs"],
        [('{"tokens": (length,)}', '{"tokens": (length,), "reward": ()}')],
    ),
    "mean in place of draws": (
        FORMS,
        ["surrogate has shape [], expected [8]", "samples_per_draw 1"],
        [(RETURN, "return Estimate((f * scores).mean())")],
    ),
    "a draw from each pair, not declared": (
        FORMS,
        ["surrogate has shape [4], expected [8]"],
        [(RETURN, "return Estimate((f * scores).reshape(-1, 2).mean(1))")],
    ),
    "no gradient": (
        FORMS,
        ["gradient by every parameter is zero"],
        [(RETURN, "return Estimate((f * scores).detach())")],
    ),
    "information without an axis": (
        FORMS,
        ["info['mean']", "axis"],
        [(RETURN, 'return Estimate(f * scores, {"mean": f.mean()})')],
    ),
    "noise that it did not ask for": (
        FORMS,
        ["line 15", "KeyError", "z"],
        [(RETURN, 'return Estimate(f * scores * noise["z"])')],
    ),
    "torch's global generator": (
        SAME,
        ["global generator of torch", "`noise`"],
        [("tokens = policy", "torch.rand(1); tokens = policy")],
    ),
    "a generator of its own": (
        SAME,
        ["it keeps something of its own between calls", "`State`"],
        [
            ("calls = []", "own = torch.Generator().manual_seed(0)"),
            (RETURN, "return Estimate(f * scores * torch.rand(len(f), generator=own))"),
        ],
    ),
    "a baseline kept beside the state": (
        SAME,
        ["it keeps something of its own between calls"],
        [(RETURN, "calls.append(1); return Estimate((f - len(calls)) * scores)")],
    ),
    "a state written into": (
        SAME,
        ["writes into its arguments"],
        [(ADAPT, "state.carried.add_(1.0); return state\n")],
    ),
    "the batch's mean as baseline": (
        DRAWS,
        ["batch differs from the mean of its draws", "samples_per_draw"],
        [(RETURN, "return Estimate((f - f.mean()) * scores)")],
    ),
    "a state of another type": (
        STATE,
        ["float32[]", "float64[]", "must keep"],
        [(ADAPT, "return State(carried=state.carried.double())\n")],
    ),
    "a state of another form": (
        STATE,
        ["must keep names, shapes and types"],
        [(ADAPT, "return State(carried=(state.carried, state.carried))\n")],
    ),
    "nothing can be learned": (
        STATE,
        ["zero, so nothing would be learned", ".item()"],
        [LEARNED, (RETURN, "return Estimate((f - state.learned['b'].detach()) * scores)")],
    ),
    "a number taken out of a tensor": (
        ALONE,
        ["line 15", "RuntimeError", ".item()"],
        [(RETURN, "return Estimate(f * scores * (2 if f.mean().item() > 9 else 1))")],
    ),
    "a branch on data": (
        ALONE,
        ["line 15", "data-dependent control flow"],
        [(RETURN, "return Estimate(f * scores if f.mean() < 9 else scores)")],
    ),
    "sessions counted": (
        COMPANY,
        ["beside one other session and beside two", "another stack"],
        [
            (INIT, "calls.append(1); return State(carried=torch.tensor(float(len(calls))))"),
            (RETURN, "return Estimate((f - state.carried) * scores)"),
        ],
    ),
    "logarithms of probabilities": (
        EXTREMES,
        ["logits in the hundreds", "is not finite", "log_softmax"],
        [
            ("log_softmax(-1)", "softmax(-1)"),
            (RETURN, "return Estimate((f + log_probs.log().mean((1, 2)).detach()) * scores)"),
        ],
    ),
    "noise at its ends": (
        EXTREMES,
        ["near to 0 and 1", "is not finite"],
        [(RETURN, "return Estimate((f + (noise['tokens'] - 2**-25).log().mean(1)) * scores)")],
    ),
    "a discriminator taken for granted": (
        ANYWHERE,
        ["line 15", "AttributeError", "params"],
        [(RETURN, "return Estimate(f * scores + 0 * reward.params['out.bias'])")],
    ),
    "a policy around its wrapper": (
        COUNTED,
        ["passed through the generator", "were counted", "not what they wrap"],
        [("policy.logits", "getattr(policy, 'policy', policy).logits")],
    ),
    "a reward around all wrappers": (
        COUNTED,
        ["reward matters", "no call of the discriminator"],
        [("of_tokens(reward,", "of_tokens(getattr(getattr(reward, 'reward', reward), 'reward', reward),")],
    ),
    "the last token's score forgotten": (
        BIAS[1],
        ["declares no bias, but", "once in 10,000", "unbiased=False"],
        [(".sum(1)\n", "[:, :-1].sum(1)\n")],
    ),
    "the last of six tokens forgotten": (
        BIAS[3],
        ["declares no bias, but", "along the exact gradient"],
        [(".sum(1)\n", "[:, :5].sum(1)\n")],
    ),
    "a factor of 1.02": (
        BIAS[0],
        ["is +0.02 |g| off along the exact gradient"],
        [(RETURN, "return Estimate(1.02 * f * scores)")],
    ),
    "half beyond four tokens": (
        BIAS[3],
        ["is -0.5 |g| off along the exact gradient"],
        [(RETURN, "return Estimate(f * scores * (0.5 if policy.length > 4 else 1))")],
    ),
    "a derivative that is not declared": (
        NEEDS,
        ["it needs a reward with a derivative", "Need.DERIVATIVE"],
        [(RETURN, f"return Estimate(f * scores + reward({RELAXED_TOKENS}))")],
    ),
    "a probability taken for granted": (
        NEEDS,
        ["it needs a reward in (0, 1)", "Need.PROBABILITY"],
        [(RETURN, "return Estimate(f.logit() * scores)")],
    ),
    "a positive reward taken for granted": (
        NEEDS,
        ["it needs a positive reward", "Need.POSITIVE"],
        [(RETURN, "return Estimate(f.log() * scores)")],
    ),
    "prefixes judged": (
        NEEDS,
        ["it needs a reward of prefixes", "Need.PREFIXES"],
        [(RETURN, "return Estimate((f - reward(one_hot(tokens[:, :1], 3, f.dtype))) * scores)")],
    ),
    "data that matter": (
        NEEDS,
        ["it needs real sequences", "Need.DATA"],
        [(RETURN, "return Estimate(f * scores * (2 if data is None else 1))")],
    ),
    "another policy asked for": (
        NEEDS,
        ["it needs a policy with parameters of its own", "Need.PARAMETERS"],
        [("policy.logits", "policy.at(policy.params).logits")],
    ),
    "tokens fed back": (
        NEEDS,
        ["it needs a policy that takes relaxed tokens", "Need.RELAXED"],
        [
            (
                RETURN,
                "x = policy.unroll(len(f), lambda t, logits: logits.softmax(-1)).sum((1, 2)); "
                "return Estimate(f * scores + x - x.detach())",
            )
        ],
    ),
    "a reward in place of its gradient's weight": (
        BIAS[0],
        ["declares no bias, but"],
        [(RETURN, "return Estimate(1.5 * f * scores + reward(one_hot(tokens, 4, f.dtype)))")],
    ),
}


@pytest.fixture
def subject(tmp_path, monkeypatch):
    """Load a changed estimator as a plug-in; gives how it does in a check."""
    monkeypatch.setattr(estimators, "_loaded", {})

    def examined(name, changes):
        text = SOUND.lstrip()
        for right, wrong in changes:
            assert text.count(right) == 1, right
            text = text.replace(right, wrong)
        path = tmp_path / "subject.py"
        path.write_text(text)
        estimator = estimators.make(estimators.load(path))
        return contract.carry_out(BY_NAME[name], estimator, estimators.path("subject"))

    return examined


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_caught_and_told_in_words(subject, fault):
    check, words, changes = FAULTS[fault]
    found = subject(check, changes)
    assert not found.kept, f"{fault} was not caught: {found.text}"
    assert "\n" not in found.text
    assert all(word in found.text for word in words), found.text


@pytest.mark.parametrize("name", BY_NAME)
def test_without_a_fault_nothing_is_found(subject, name):
    found = subject(name, [])
    assert found.kept, found.text


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[] if n in QUICK else pytest.mark.slow) for n in estimators.available()]
)
def test_ours_keep_the_contract(name):
    for check in contract.CHECKS:
        if check.name not in BIAS:  # tests/test_truth.py has those
            found = contract.carry_out(check, estimators.make(name), estimators.path(name))
            assert found.kept, f"{check.name}: {found.text}"


def test_a_declared_bias_is_told_and_never_held_against_it():
    estimator = estimators.make("straight_through")
    found = contract.carry_out(BY_NAME[BIAS[1]], estimator, Path("x"))
    assert found.kept
    assert found.text.startswith("declares a bias; the mean of 50,000 draws is 0.8")


def test_what_it_does_not_support_is_not_tried():
    narrow = reinforce_loo()._replace(supports=lambda length, vocabulary: (length, vocabulary) == (3, 3))
    found = [contract.carry_out(check, narrow, Path("x")) for check in contract.CHECKS[:-4]]
    assert all(one.kept for one in found), found
    skipped = [contract.carry_out(BY_NAME[name], narrow, Path("x")) for name in (BIAS[0], BIAS[2])]
    assert all(one.kept and one.text.startswith("not tried") for one in skipped)


def test_the_state_of_the_global_generators_is_left_alone():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    contract.carry_out(BY_NAME[SAME], estimators.make("rebar"), Path("x"))
    assert torch.equal(before, torch.get_rng_state())


SAMPLED = 'policy.sample(noise["tokens"])'
PAIRS = {
    "two calls": 'torch.cat([policy.sample(noise["tokens"]), policy.sample(1 - noise["tokens"])])',
    "one call": 'policy.sample(torch.cat([noise["tokens"], 1 - noise["tokens"]]))',
}


@pytest.mark.parametrize("how", PAIRS)
def test_both_of_an_antithetic_pair_are_counted(subject, how):
    mean = (RETURN, "return Estimate((f * scores).reshape(2, -1).mean(0))")
    found = subject(COUNTED, [(SAMPLED, PAIRS[how]), mean])
    assert found.kept, found.text
    assert "a draw takes 2 sequences, not the 1 it declares" in found.text


@pytest.mark.parametrize("name", estimators.available())
def test_ours_take_the_sequences_that_they_declare(name):
    estimator = estimators.make(name)
    assert case.some(estimator).sequences(estimator) == estimator.samples_per_draw


@pytest.mark.parametrize(
    ("name", "options"), [*((n, {}) for n in estimators.available()), ("rollout", {"rate": 0.8})]
)
def test_what_ours_need_is_seen_where_it_is_not_declared(name, options):
    """Of the factory itself: what `make` gives refuses by itself what lacks a declared need."""
    factory = getattr(importlib.import_module(f"discgan_core.estimators.{name}"), name)
    estimator = factory(**options)
    silent = estimator._replace(needs=())
    if estimator.needs:
        with pytest.raises(Broken) as broken:
            needs.declared(silent)
        assert all(need.value in str(broken.value) for need in estimator.needs)
        assert all(need.value not in str(broken.value) for need in Need if need not in estimator.needs)
    else:
        assert needs.declared(silent) == "nothing beside policy and reward"


def test_a_need_that_is_not_used_is_told():
    finding = needs.declared(reinforce_loo()._replace(needs=(Need.PREFIXES,)))
    assert finding.endswith("a reward of prefixes is declared and was not seen to be used")
