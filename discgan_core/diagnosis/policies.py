"""What is wrong with a policy, in words."""

from __future__ import annotations

from itertools import islice

import torch

from discgan_core.diagnosis.asking import Found, Key, Trial, Wrong, ask, differ, findings
from discgan_core.diagnosis.causality import causal, steep, with_graph
from discgan_core.diagnosis.feeding import unrolled
from discgan_core.diagnosis.logits import alone, log_probs_of, numbers, settled, shape, total
from discgan_core.diagnosis.sampling import gone_on, sampled, written
from discgan_core.interface import Need

NOTHING = "; its logits carry no gradient (parameters that require none, no_grad or .detach())"


def of_policy(trial: Trial) -> Found:
    """Look at a policy; `trial` takes its type, and tokens that it can write."""
    about = f"policy: T = {trial.length}, V = {trial.vocabulary}"
    # the first finding alone: what comes after may be its consequence
    wrong = list(islice(findings([shape, written, numbers, settled, alone], trial), 1))
    wrong = wrong or list(findings([causal, total, steep], trial))
    if wrong:
        return Found(wrong, {}, about, sound=False)
    lacks: dict[Key, str] = {}
    found = list(findings([sampled, unrolled, gone_on, moved], trial, lacks))
    return Found(found, lacks, f"{about}, {kind(trial.dtype)}{'' if learns(trial, lacks) else NOTHING}")


def learns(trial: Trial, lacks: dict[Key, str]) -> bool:
    """Tell whether there is anything that a gradient could be of."""
    return Need.PARAMETERS not in lacks or with_graph(trial, trial.tokens, lambda x: x).requires_grad


def kind(dtype: torch.dtype) -> str:
    """Name a type, and what is made of it."""
    name = str(dtype).removeprefix("torch.")
    enough = torch.promote_types(dtype, torch.float32) == dtype
    return name if enough else f"{name} (its probabilities are computed in float32)"


def moved(trial: Trial, lacks: dict[Key, str]) -> None:
    """`at` gives the same policy with other parameters, and leaves this one as it is."""
    params = getattr(trial.policy, "params", None)
    lacks[Need.PARAMETERS] = "policy has no `params`, or no `at` for them"
    if not params or not hasattr(trial.policy, "at"):
        return
    try:
        same = ask("policy.at(params)", trial.policy.at, params)
    except Wrong as wrong:
        if isinstance(wrong.__cause__, ValueError):  # `at` says that it was not given what it takes
            return
        raise
    plain, others = log_probs_of(trial.policy, trial.tokens), {}
    for name, value in params.items():
        noise = torch.rand(value.shape, generator=trial.generator).to(value.device, value.dtype)
        others[name] = value.detach() + noise
    other = ask("policy.at(other params)", trial.policy.at, others)
    for policy, word in (
        (same, "policy.at(policy.params)"),
        (trial.policy, "after policy.at(others), the policy"),
    ):
        if differ(plain, log_probs_of(policy, trial.tokens), trial.dtype).any():
            raise Wrong(
                f"{word} has other logits than the policy had: `at` must give a policy, and change none"
            )
    if not differ(plain, log_probs_of(other, trial.tokens), trial.dtype).any():
        raise Wrong("policy.at(params) has the same logits whatever params are: it must use those given")
    del lacks[Need.PARAMETERS]
