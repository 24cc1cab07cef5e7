"""Gradient estimators for expectations over sequences of discrete tokens, and what they need.

Read `interface` first: it is the whole vocabulary. `estimators.make(name)` makes an estimator, and
`gradients.update_gradient` takes its gradient for your policy and reward; `exact` is the referee.
This package knows no files, clocks or command lines.
"""

from discgan_core import estimators, exact, gradients, interface, randomness, sequences, tasks

__all__ = ["estimators", "exact", "gradients", "interface", "randomness", "sequences", "tasks"]
