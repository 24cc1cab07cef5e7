"""The loop one would write by hand with `nn.LSTM`, one session at a time: what the speed is compared with."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

BATCH, HIDDEN, VOCABULARY = 128, 32, 5


class Generator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(VOCABULARY, HIDDEN, batch_first=True)
        self.out = nn.Linear(HIDDEN, VOCABULARY)

    def sample(self, length: int) -> tuple[Tensor, Tensor]:
        x, state = torch.zeros(BATCH, 1, VOCABULARY), None
        tokens, log_probs = [], []
        for _ in range(length):
            h, state = self.lstm(x, state)
            distribution = torch.distributions.Categorical(logits=self.out(h[:, 0]))
            tokens.append(distribution.sample())
            log_probs.append(distribution.log_prob(tokens[-1]))
            x = functional.one_hot(tokens[-1], VOCABULARY).float()[:, None]
        return torch.stack(tokens, 1), torch.stack(log_probs, 1)


class Discriminator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(VOCABULARY, HIDDEN, batch_first=True)
        self.out = nn.Linear(HIDDEN, 1)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.out(self.lstm(functional.one_hot(tokens, VOCABULARY).float())[0][:, -1])[:, 0]


class Plain:
    """One session: a discriminator update and a REINFORCE update."""

    def __init__(self, length: int) -> None:
        self.length = length
        self.generator, self.discriminator = Generator(), Discriminator()
        self.generator_adam = torch.optim.Adam(self.generator.parameters())
        self.discriminator_adam = torch.optim.Adam(self.discriminator.parameters())
        self.data = torch.randint(0, VOCABULARY, (10_000, length))

    def discriminator_update(self) -> None:
        real = self.data[torch.randint(0, len(self.data), (BATCH,))]
        with torch.no_grad():
            fake, _ = self.generator.sample(self.length)
        labels = torch.cat([torch.ones(BATCH), torch.zeros(BATCH)])
        logits = self.discriminator(torch.cat([real, fake]))
        loss = functional.binary_cross_entropy_with_logits(logits, labels)
        self.discriminator_adam.zero_grad()
        loss.backward()
        self.discriminator_adam.step()

    def generator_update(self) -> None:
        fake, log_probs = self.generator.sample(self.length)
        with torch.no_grad():
            reward = torch.sigmoid(self.discriminator(fake))
        loss = -(reward * log_probs.sum(1)).mean()
        self.generator_adam.zero_grad()
        loss.backward()
        self.generator_adam.step()


class PlainGumbel:
    """One session of the Gumbel-softmax GAN: an update of each player, on relaxed strings."""

    symbols, length, batch, temperature = 6, 12, 200, 1.0

    def __init__(self) -> None:
        self.generator, self.out = (
            nn.LSTM(self.symbols, HIDDEN, batch_first=True),
            nn.Linear(HIDDEN, self.symbols),
        )
        self.discriminator, self.head = nn.LSTM(self.symbols, HIDDEN, batch_first=True), nn.Linear(HIDDEN, 1)
        self.generator_adam = torch.optim.Adam([*self.generator.parameters(), *self.out.parameters()])
        self.discriminator_adam = torch.optim.Adam(
            [*self.discriminator.parameters(), *self.head.parameters()]
        )
        self.data = torch.randint(0, self.symbols, (5000, self.length))

    def relaxed(self) -> Tensor:
        x = torch.zeros(self.batch, 1, self.symbols)
        state = torch.rand(1, self.batch, HIDDEN), torch.rand(1, self.batch, HIDDEN)
        tokens = []
        for _ in range(self.length):
            h, state = self.generator(x, state)
            x = functional.gumbel_softmax(self.out(h), self.temperature)
            tokens.append(x)
        return torch.cat(tokens, 1)

    def judge(self, x: Tensor) -> Tensor:
        return self.head(self.discriminator(x)[0][:, -1])[:, 0]

    def update(self) -> None:
        one_hot = functional.one_hot(self.data[torch.randint(0, len(self.data), (self.batch,))], self.symbols)
        real = functional.gumbel_softmax((0.9 * one_hot + 0.02 * (1 - one_hot)).log(), self.temperature)
        with torch.no_grad():
            fake = self.relaxed()
        loss = functional.softplus(-self.judge(real)).mean() + functional.softplus(self.judge(fake)).mean()
        self.discriminator_adam.zero_grad()
        loss.backward()
        self.discriminator_adam.step()
        loss = -self.judge(self.relaxed()).mean()
        self.generator_adam.zero_grad()
        loss.backward()
        self.generator_adam.step()
