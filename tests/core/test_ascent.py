"""One call that estimates, updates and adapts: a user's own module, a torch optimiser, every estimator."""

import pytest
import torch
from agreement import ALL, DATA, V
from torch import nn

from discgan_core import endings, estimators, relaxed
from discgan_core.ascent import Ascent
from discgan_core.gradients import some_draws
from discgan_core.models.from_module import from_module

T = 5
pytestmark = pytest.mark.filterwarnings("ignore:There is a performance drop")  # of torch, within vmap


class Chain(nn.Module):
    """A token by the one before; tokens may be vectors, and a context chooses the table."""

    def __init__(self, contexts=1):
        super().__init__()
        self.table = nn.Parameter(torch.zeros(contexts, V + 1, V))

    def forward(self, x, c=None):
        x = x if x.is_floating_point() else torch.eye(V)[x]
        first = nn.functional.pad(torch.zeros_like(x[:, :1]), (0, 1), value=1)
        read = torch.cat([first, nn.functional.pad(x[:, :-1], (0, 1))], 1)
        return read @ self.table[torch.zeros(len(x), dtype=torch.long) if c is None else c]


class Recurrent(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.table, self.core, self.out = (
            nn.Embedding(V + 1, 8),
            kind(8, 8, batch_first=True),
            nn.Linear(8, V),
        )

    def forward(self, tokens):
        return self.out(self.core(self.table(shifted(tokens)))[0])


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        layer = nn.TransformerEncoderLayer(8, 2, 16, 0.0, batch_first=True)
        self.table, self.core, self.out = (
            nn.Embedding(V + 1, 8),
            nn.TransformerEncoder(layer, 1),
            nn.Linear(8, V),
        )

    def forward(self, tokens):
        mask = nn.Transformer.generate_square_subsequent_mask(T)
        return self.out(self.core(self.table(shifted(tokens)), mask=mask, is_causal=True))


def shifted(tokens):
    return torch.cat([torch.full_like(tokens[:, :1], V), tokens[:, :-1]], 1)


def zeros(x):
    """The share of zeros, in (0, 1)."""
    return 0.05 + 0.9 * x[..., 0].mean(-1)


def climb(name, module, reward=zeros, updates=40, samples=64, rate=0.1, options=None, **given):
    torch.manual_seed(0)
    size = estimators.make(name).samples_per_draw
    ascent = Ascent(
        estimators.make(name, **(options or {})), module, torch.optim.Adam(module.parameters(), rate), T, V
    )
    data = torch.randint(2, (64, T)) if name in DATA else None
    for _ in range(updates):
        ascent.step(reward, samples // size * size, data=data, **given)
    return ascent


def share(module, c=None):
    """How much of the policy's strings are zeros."""
    policy = from_module(module, T, V, context=c)
    tokens = policy.sample(torch.rand(300, T))
    return (tokens == 0).float().unflatten(0, (policy.contexts, -1)).mean((1, 2))


@pytest.mark.parametrize("name", ALL)
def test_every_estimator_climbs(name):
    module = Chain()
    climb(name, module)
    assert share(module) > (0.45 if name in DATA else 0.8)  # half of the data's tokens are zeros


@pytest.mark.parametrize("name", ["reinforce_loo", "unordered_set", "disarm", "rollout", "local_expectation"])
def test_a_reward_of_the_likeliest_token_is_learned(name):
    module = Chain()
    climb(name, module, lambda x: (x.argmax(-1) == 0).float().mean(-1))
    assert share(module) > 0.8


@pytest.mark.parametrize("name", ALL)
def test_contexts_are_learned_apart(name):
    module, context = Chain(contexts=2), torch.tensor([0, 1])

    def reward(x, c):
        """Zeros in the first context, and anything else in the second."""
        return torch.where(c == 0, zeros(x), 1 - zeros(x))

    if name not in DATA:
        climb(name, module, reward, context=context, updates=60)
        first, second = share(module, context)
        assert first > 0.7
        assert second < 0.15


def test_what_an_estimator_learns_moves_and_a_schedule_goes_on():
    relax = climb("relax", Chain(), updates=3)
    assert relax.state.learned["out.weight"].abs().max() > 0
    alpha = climb("double_control_variate", Chain(), updates=3).state.learned["alpha"]
    assert alpha != 0.5
    annealed = climb("gumbel_softmax", Chain(), updates=10, options={"temperature": relaxed.linear(5, 1, 10)})
    assert annealed.state.carried == 10
    lagged = climb("rollout", Chain(), updates=2, options={"rate": 0.5})
    now = lagged.module.table.detach()
    assert 0 < lagged.state.carried["table"].abs().max() < now.abs().max()


def test_draws_that_lower_the_variance_are_of_all_contexts():
    """With prompts side by side the first draws would all be of the first prompt."""
    seen = []

    def reward(x, c):
        seen.append(c.shape)
        return zeros(x) + 0 * c

    module = Chain(contexts=2)
    estimator = estimators.make("relax")._replace(variance_draws=4)
    ascent = Ascent(estimator, module, torch.optim.Adam(module.parameters(), 0.1), T, V)
    noise = {"context/0": torch.arange(2).repeat_interleave(32), "tokens": torch.rand(64, T)}
    assert some_draws(noise, 1, 4)["context/0"].tolist() == [0, 0, 1, 1]
    assert some_draws({"tokens": noise["tokens"]}, 1, 4)["tokens"].equal(noise["tokens"][:4])
    ascent.step(reward, 64, context=torch.tensor([0, 1]))
    assert ascent.state.learned["out.weight"].abs().max() > 0


def test_samples_that_leave_a_context_short_are_refused():
    with pytest.raises(ValueError, match="64 samples for 3 contexts: give as many to each"):
        climb("reinforce", Chain(3), lambda x, c: zeros(x), context=torch.arange(3), updates=1)
    with pytest.raises(ValueError, match="the 8 samples of a draw must have one context"):
        climb("reinforce_loo", Chain(16), lambda x, c: zeros(x), context=torch.arange(16), updates=1)


@pytest.mark.parametrize("name", ["relax", "relax_sequence", "double_control_variate"])
def test_attention_without_a_second_derivative_is_told_which_to_choose(name):
    with pytest.raises(RuntimeError, match=r"sdpa_kernel\(torch\.nn\.attention\.SDPBackend\.MATH\)"):
        climb(name, Transformer(), updates=1)
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        climb(name, Transformer(), updates=1)


@pytest.mark.parametrize("name", ["relax", "double_control_variate"])
def test_a_module_that_allows_no_second_derivative_is_told(name):
    with pytest.raises(RuntimeError, match=r"nn\.LSTM has; nn\.GRU, .* learns nothing, such as rebar"):
        climb(name, Recurrent(nn.GRU), updates=1)


@pytest.mark.parametrize("name", ["reinforce_loo", "rebar", "relax", "double_control_variate", "rollout"])
def test_a_recurrent_module_climbs(name):
    module = Recurrent(nn.LSTM)
    climb(name, module, updates=15, rate=0.03)
    assert share(module) > 0.5


@pytest.mark.parametrize("name", ["gumbel_softmax", "straight_through"])
def test_a_module_of_tokens_alone_is_told_where_vectors_are_fed_back(name):
    with pytest.raises(ValueError, match=r"Recurrent does not take vectors \[64, 5, 4\] for tokens"):
        climb(name, Recurrent(nn.LSTM), updates=1)


def test_parameters_that_are_not_trained_stay():
    module = Chain()
    module.frozen = nn.Parameter(torch.ones(2), requires_grad=False)
    climb("reinforce_loo", module, updates=2)
    assert module.frozen.tolist() == [1, 1]
    assert module.frozen.grad is None


def test_strings_that_end_are_learned():
    class Ending(Chain):
        def forward(self, x, c=None):
            return endings.ended(super().forward(x), x, V - 1)

    module = Ending()
    longer = lambda x: endings.alive(x, V - 1).sum(1) / T  # noqa: E731
    for name in ("reinforce_loo", "rebar", "straight_through"):
        climb(name, module, longer, updates=30)
        tokens = from_module(module, T, V).sample(torch.rand(200, T))
        assert (tokens == V - 1).any(1).float().mean() < 0.2
        module.table.data.zero_()


@pytest.mark.parametrize("name", ALL)
def test_a_module_that_passes_no_gradient_on_is_told(name):
    class Cut(Chain):
        def forward(self, x, c=None):
            return super().forward(x, c).detach()

    with pytest.raises(ValueError, match="the surrogate does not depend on the policy's logits"):
        climb(name, Cut(), updates=1)
