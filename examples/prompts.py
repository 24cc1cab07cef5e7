"""Conditional generation: a policy and a reward given prompts, and several samples of each."""

import torch

from discgan_core import estimators
from discgan_core.ascent import Ascent
from discgan_core.models.from_module import from_module

LENGTH, VOCABULARY, PROMPTS, SAMPLES = 6, 4, 3, 16


class Answerer(torch.nn.Module):
    """Logits of a token by the prompt, a vector, and the token before."""

    def __init__(self):
        super().__init__()
        self.prompt = torch.nn.Linear(8, VOCABULARY)
        self.table = torch.nn.Embedding(VOCABULARY + 1, VOCABULARY)

    def forward(self, tokens, prompt):
        """Tokens [M, T], prompts [M, 8] -> logits [M, T, V]."""
        start = torch.full_like(tokens[:, :1], VOCABULARY)
        return self.prompt(prompt)[:, None] + self.table(torch.cat([start, tokens[:, :-1]], 1))


def reward(x, prompt):
    """The share of the token that the prompt's first entries point to."""
    wanted = prompt[:, :VOCABULARY].softmax(-1)
    return (x * wanted[:, None]).sum(-1).mean(1)


def main():
    """Learn, and give a string for each prompt."""
    torch.manual_seed(0)
    prompts, model = 3 * torch.randn(PROMPTS, 8), Answerer()
    adam = torch.optim.Adam(model.parameters(), 0.03)
    climb = Ascent(estimators.make("reinforce_loo", samples=SAMPLES), model, adam, LENGTH, VOCABULARY)
    for _ in range(200):
        estimate = climb.step(reward, samples=PROMPTS * SAMPLES, context=prompts)
    for mean in estimate.info["rewards"].unflatten(0, (PROMPTS, SAMPLES)).mean(1):
        print(f"reward {mean:.2f}")
    policy = from_module(model, LENGTH, VOCABULARY, context=prompts)
    return policy.sample(torch.rand(PROMPTS, LENGTH))


if __name__ == "__main__":
    print(main())
