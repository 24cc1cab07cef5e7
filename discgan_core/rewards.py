"""Asking a reward: what it gives is looked at, and each function takes the reward's own way, if it has one.

A recurrent network reads a shared prefix once and a token without its unit vector; any function of
sequences will do as a reward, and is then asked as often as it takes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from discgan_core.checks import of_shape, offers, readable, wide
from discgan_core.contexts import contexts_of, per_context_repeated
from discgan_core.interface import Judge, Policy, Reward
from discgan_core.sequences import LOWEST, beginning, one_hot


def of(reward: Reward, x: Float[Tensor, "N t V"]) -> Float[Tensor, " N"]:
    """Judge sequences or prefixes x: f(x).

    Raises:
        ValueError: f gives something else, or has no derivative where one is asked for.
    """
    return looked_at(reward(x), x, [len(x)])


def looked_at(f: Tensor, x: Tensor, shape: Sequence[int]) -> Tensor:
    """Refuse what is no reward of x, of that shape, and one without the derivative that x carries on."""
    of_shape(f, shape, f"reward gives {{}} for {list(x.shape)}; it must give {{}}")
    if x.requires_grad and not f.requires_grad:
        raise ValueError(NO_DERIVATIVE)
    return f.clone() if f.is_inference() else f  # autograd keeps none that inference mode has made


NO_DERIVATIVE = (
    "reward has no derivative (an argmax, a threshold, a table or no_grad cuts it off), and this estimator "
    "needs one: take one that does not, such as reinforce_loo, unordered_set, disarm or rollout"
)


def of_tokens(reward: Reward, tokens: Int[Tensor, "N t"], like: Float[Tensor, "*n V"]) -> Float[Tensor, " N"]:
    """Judge tokens [N, t]: f(x) of their unit vectors x, of the size and type of `like`."""
    if hasattr(reward, "of_tokens"):
        return looked_at(reward.of_tokens(tokens), tokens, [len(tokens)])
    return of(reward, one_hot(tokens, like.shape[-1], like.dtype))


def of_all(
    reward: Reward, length: int, start: Sequence[int], like: Float[Tensor, "*n V"], contexts: int = 1
) -> Float[Tensor, " M"]:
    """Judge all sequences of a length that begin with k tokens, in lexicographic order: [V^(T - k)].

    A reward with a method `of_all`, (length, start) -> the same, does it its own way. Where there are P
    contexts the list is gone through for each in turn: [P V^(T - k)].
    """
    if offers(reward, "of_all", "__call__", "of_tokens"):
        size = like.shape[-1] ** (length - len(start)) * contexts_of(reward)
        f: Tensor = reward.of_all(length, start)  # type: ignore[attr-defined]
        of_shape(f, [size], "reward.of_all gives {}; it must give {}")
        return per_context_repeated(f, contexts_of(reward), contexts)
    tokens = beginning(start, length, like.shape[-1], like.device).repeat(contexts, 1)
    return of_tokens(reward, tokens, like)


def along(
    reward: Reward, x: Float[Tensor, "N T V"], relaxed: Float[Tensor, "K N T V"]
) -> tuple[Float[Tensor, " N"], Float[Tensor, "K N T"]]:
    """Judge whole sequences, and every prefix with its last token replaced by a relaxed one.

    c_kt = f(x_1 .. x_{t-1}, y_kt)

    Args:
        reward: f; without a method `along` it is asked T times.
        x: hard sequences [N, T, V].
        relaxed: y [K, N, T, V].

    Returns:
        f(x) [N] and c [K, N, T].
    """
    copies, batch, length, _ = relaxed.shape
    if hasattr(reward, "along"):
        f, c = reward.along(x, relaxed)
        return looked_at(f, x, [batch]), looked_at(c, relaxed, [copies, batch, length])
    f, each = of(reward, x), relaxed.transpose(0, 1)
    prefixes = x[:, None].expand(-1, copies, -1, -1)
    judged = [
        of(reward, torch.cat([prefixes[:, :, :t], each[:, :, t : t + 1]], 2).flatten(0, 1))
        for t in range(length)
    ]
    return f, torch.stack(judged, -1).unflatten(0, (batch, copies)).transpose(0, 1)


def together(reward: Reward, *xs: Float[Tensor, "N t V"]) -> Sequence[Float[Tensor, " N"]]:
    """Judge several batches of sequences in one call, those of a row side by side."""
    f = of(reward, torch.stack(xs, 1).flatten(0, 1))
    return f.unflatten(0, (-1, len(xs))).unbind(1)


def after(reward: Reward, tokens: Int[Tensor, "N T"], like: Float[Tensor, "*n V"]) -> Judge:
    """Judge what may follow the prefixes of tokens [N, T]; `like` as for `of_tokens`."""
    if hasattr(reward, "after"):
        return reward.after(tokens)

    def judge(t: int, rest: Tensor) -> Tensor:
        prefix = tokens[:, None, :t].expand(-1, rest.shape[1], -1)
        whole = torch.cat([prefix, rest], -1).flatten(0, 1)
        return of_tokens(reward, whole, like).detach().unflatten(0, rest.shape[:2])

    return judge


ROUNDING = 64
"""Units in the last place by which a sum of parts may miss 0 or 1, but for the smallest types."""


def log_odds(reward: Reward, x: Float[Tensor, "N T V"]) -> Float[Tensor, " N"]:
    """Give log D/(1-D) of sequences under a reward that is, or is made of, a probability D of being real.

    A reward with no method `log_odds` is taken to be D itself.
    """
    if hasattr(reward, "log_odds"):
        return looked_at(reward.log_odds(x), x, [len(x)])
    f = of(reward, x)
    most = min(ROUNDING * torch.finfo(f.dtype).eps, 0.01)
    f = wide(f)
    inside = f.clamp(0, 1)
    rounded = (f - inside).abs() <= most
    if readable(f) and not rounded.all():
        raise ValueError(
            f"reward gives {f.min():.3g} to {f.max():.3g}, and this estimator needs one in (0, 1)"
        )
    return torch.logit(torch.where(rounded, inside, f)).clamp(max=-LOWEST)


def of_tokens_positive(
    reward: Reward, tokens: Int[Tensor, "N t"], like: Float[Tensor, "*n V"]
) -> Float[Tensor, " N"]:
    """Judge tokens, as `of_tokens`, by a reward that is not negative.

    Raises:
        ValueError: it is.
    """
    f = of_tokens(reward, tokens, like)
    if readable(f) and (f < 0).any():
        raise ValueError(f"reward gives {f.min():.3g}, and this estimator needs a positive one")
    return f


PIECE = 1 << 19
"""Logits of completions under way at once in each session, about."""

FEW_VALUES = 32
"""Values of a token that may all be rolled out."""

Value = Callable[[int, Tensor, Tensor], Tensor]
"""(t, choices [N, C], uniforms [N, C, T - t - 1]) -> f of the prefix s_<t (t from 0), each choice of token t
and what the policy lets follow it, [N, C]; no gradient."""


def completed(
    policy: Policy, reward: Reward, tokens: Int[Tensor, "N T"], like: Float[Tensor, "*n V"]
) -> Value:
    """Judge the prefixes of tokens [N, T] as the policy completes them; `like` as for `of_tokens`.

    Prefixes are read once, by policy and reward alike, and completions are made in pieces, which bounds
    memory.
    """
    go_on, judge = policy.after(tokens), after(reward, tokens, like)
    pieces = max(1, PIECE // (len(tokens) * policy.vocabulary))

    def value(t: int, choices: Tensor, uniforms: Tensor) -> Tensor:
        parts = zip(choices.split(pieces, 1), uniforms.split(pieces, 1), strict=True)
        return torch.cat([judge(t, go_on(t, chosen, noise)) for chosen, noise in parts], 1).detach()

    return value


def action_values(
    policy: Policy,
    reward: Reward,
    tokens: Int[Tensor, "N T"],
    choices: Int[Tensor, "N T C"],
    uniforms: Float[Tensor, "N C U"],
) -> Float[Tensor, "N T C"]:
    """Roll out: q_tc = f(s_<t, a_tc, s'_t+1 .. s'_T), what follows the choice a being drawn from the policy.

    The mean of q over what follows is the action value Q(s_<t, a) (Yu et al., 2017, eq. 4).

    Args:
        policy: p, which completes; it need not be the one that wrote the prefixes.
        reward: f.
        tokens: s.
        choices: a, of each place's token.
        uniforms: [N, C, T (T - 1) / 2], T - 1 of them for the first place, none for the last.

    Returns:
        q, without a gradient.
    """
    length = tokens.shape[1]
    value = completed(policy, reward, tokens, uniforms.new_empty(0, policy.vocabulary))
    noises = uniforms.split(list(range(length - 1, -1, -1)), -1)
    return torch.stack([value(t, choices[:, t], noise) for t, noise in enumerate(noises)], 1)


def completions(length: int) -> int:
    """Count the uniforms that it takes to complete every prefix of one sequence once: T (T - 1) / 2."""
    return length * (length - 1) // 2


def all_action_values(
    policy: Policy, reward: Reward, tokens: Int[Tensor, "N T"], uniforms: Float[Tensor, "N K U"]
) -> Float[Tensor, "N T V"]:
    """Roll every token out at every place, K times: q_tv = 1/K sum_k f(s_<t, v, what follows).

    The values of a place's tokens are drawn with the same uniforms, so that their differences vary less.

    Args: as `action_values`; uniforms [N, K, T (T - 1) / 2].
    """
    copies, vocabulary = uniforms.shape[1], policy.vocabulary
    choices = torch.arange(vocabulary, device=tokens.device).repeat_interleave(copies)
    shared = uniforms.repeat(1, vocabulary, 1)
    q = action_values(policy, reward, tokens, choices.expand(*tokens.shape, -1), shared)
    return q.unflatten(-1, (vocabulary, copies)).mean(-1)


def few_values(length: int, vocabulary: int) -> bool:
    """Tell whether a token has few enough values to roll them all out."""
    return vocabulary <= FEW_VALUES
