"""Strings of several lengths, by an end mark: the policy learns to write three tokens and stop."""

import torch

from discgan_core import endings, estimators
from discgan_core.ascent import Ascent
from discgan_core.models.from_module import from_module

LENGTH, VOCABULARY, END = 8, 5, 4


class Writer(torch.nn.Module):
    """Logits of a token by its place and the token before; behind an end mark, of end marks alone."""

    def __init__(self):
        super().__init__()
        self.table = torch.nn.Parameter(torch.zeros(LENGTH, VOCABULARY + 1, VOCABULARY))

    def forward(self, tokens):
        """Tokens [M, T] -> logits [M, T, V]."""
        before = torch.cat([torch.full_like(tokens[:, :1], VOCABULARY), tokens[:, :-1]], 1)
        logits = self.table[torch.arange(LENGTH, device=tokens.device), before]
        return endings.ended(logits, tokens, END)


def reward(x):
    """The closer to three tokens before the end mark the better; any function of a hard sequence will do."""
    tokens = endings.alive(x, END).sum(1) - 1
    return -(tokens - 3).abs() / LENGTH


def main():
    """Learn, and give a few strings."""
    torch.manual_seed(0)
    model = Writer()
    adam = torch.optim.Adam(model.parameters(), 0.1)
    climb = Ascent(estimators.make("reinforce_loo"), model, adam, LENGTH, VOCABULARY)
    for _ in range(100):
        climb.step(reward, samples=64)
    return from_module(model, LENGTH, VOCABULARY).sample(torch.rand(5, LENGTH))


if __name__ == "__main__":
    for string in main().tolist():
        print(*string[: string.index(END)] if END in string else string)
