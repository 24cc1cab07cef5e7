"""The words of the two tables, kept in one place so that writers and readers cannot drift apart.

`metrics` is long: one row per number. `trials` has one row per session of a condition and says how
it went and under what circumstances. `step` counts generator updates, 0 being right after
pre-training; those of the control `same_seconds` are counted as the adversarial ones in whose time they
are made. `parameter` is empty unless a metric is about something named: a token, a parameter
tensor, a phase, a generated string. `source` says where the task's data come from, and is a part of
what a session is a session of: data of two sources are never put together.
"""

from typing import Final

CONDITION: Final = ["experiment", "task", "source", "length", "estimator", "setting"]
SESSION: Final = [*CONDITION, "session"]
METRICS_KEY: Final = [*SESSION, "step", "metric", "parameter"]

#: Column -> type, in the order of the files.
METRICS: Final = {
    "experiment": "string",
    "task": "string",
    "source": "string",
    "length": "int64",
    "estimator": "string",
    "setting": "string",
    "session": "int64",
    "step": "int64",
    "metric": "string",
    "parameter": "string",
    "value": "float64",
}
TRIALS: Final = {
    "experiment": "string",
    "task": "string",
    "source": "string",
    "length": "int64",
    "estimator": "string",
    "setting": "string",
    "session": "int64",
    "status": "string",
    "seconds": "float64",  # this session's share of its unit's wall-clock time
    "sessions_stacked": "int64",
    "device": "string",
    "threads": "int64",
    "torch": "string",
    "commit": "string",
    "code": "string",  # hashes of what computed it, see bench.running.code
    "version": "string",  # of this package
    "config_hash": "string",
    "error": "string",
    "preset": "string",
    "config": "string",  # JSON text of the settings
    "python": "string",
    "machine": "string",
    "finished": "string",  # ISO 8601, UTC
}

#: Columns that came later -> what is read in their place from tables written before.
LATER: Final = {"version": "", "code": ""}

#: The source of a task that makes its data by a rule of its own. Not "generated": that is the generator's.
SYNTHETIC: Final = "synthetic"

# An estimator that is not one of ours: in `config` where it comes from, in `config_hash` what is in its file.
PLUGIN: Final = "plugin"
AND_PLUGIN: Final = "+"

# In `config` as well: what the task says of measures that are its own, the one that counts most first.
MEASURES: Final = "measures"
# And what was set that is not as the preset has it.
SET: Final = "set"
# What the estimator asks of a reward and a policy, by the names that `discgan_core.interface.Need` has.
NEEDS: Final = "needs"
BESIDE_SETTINGS: Final = (PLUGIN, MEASURES, SET, NEEDS)

OK: Final = "ok"
DIVERGED: Final = "diverged"
FAILED: Final = "failed"

# Quality of the generated sequences.
GOODNESS: Final = "goodness"
GOODNESS_FRACTION: Final = "goodness_fraction"
PERFECT_FRACTION: Final = "perfect_fraction"
VALID_FRACTION: Final = "valid_fraction"
UNIGRAM: Final = "unigram"
UNIGRAM_DATA: Final = "unigram_data"
BIGRAM_KL: Final = "bigram_kl"
CROSS_ENTROPY: Final = "cross_entropy"
EXACT_KL: Final = "exact_kl"
ORACLE_NLL: Final = "oracle_nll"  # of what is generated, under the oracle, in nats per token
REAL_FRACTION: Final = "real_fraction"
HELD_OUT_FRACTION: Final = "held_out_fraction"
STRING: Final = "string"
FORCED_STRING: Final = "forced_string"  # written with the end mark forbidden
FORCED_UNIGRAM: Final = "forced_unigram"
LENGTH: Final = "length"  # one row for every length that occurs; no row is a fraction of 0
LENGTH_DISTANCE: Final = "length_distance"
UNIGRAM_DISTANCE: Final = "unigram_distance"
BIGRAM_DISTANCE: Final = "bigram_distance"
DISTINCT_FRACTION: Final = "distinct_fraction"
NOVEL_FRACTION: Final = "novel_fraction"
NOVEL_VALID_FRACTION: Final = "novel_valid_fraction"
MODE_COVERAGE: Final = "mode_coverage"
DATA_SUFFIX: Final = "_data"  # the same measure of a fresh real sample
UNTRAINED_SUFFIX: Final = "_untrained"  # the same measure before pre-training

# The discriminator.
DISCRIMINATOR_LOSS: Final = "discriminator_loss"
DISCRIMINATOR_ACCURACY: Final = "discriminator_accuracy"

# The generator.
GENERATOR_LOSS: Final = "generator_loss"  # mean of -log D/(1-D) over generated sequences, in nats

OBJECTIVE: Final = "objective"  # J = E[f(s)] under a reward that stands still

# The gradient.
SURROGATE: Final = "surrogate"  # mean value of what the estimator differentiates, where it has one
EFFECTIVE_SAMPLES: Final = "effective_samples"  # how many samples of a draw count, 1 / sum of squared weights
GRADIENT_LOG_VARIANCE: Final = "gradient_log_variance"
GRADIENT_BIAS_SQUARED: Final = "gradient_bias_squared"
GRADIENT_NORM_SQUARED: Final = "gradient_norm_squared"
GRADIENT_COSINE: Final = "gradient_cosine"
GRADIENT_VARIANCE: Final = "gradient_variance"  # of one draw per sample, summed over all parameters
COVERED_MASS: Final = "covered_mass"  # the generator's probability of a sequence that is in the data

# The mean of as many draws as a budget allows; `parameter` is the budget: that of a REINFORCE
# update of 128 samples in generator calls, discriminator calls or seconds; or one draw, of all parameters
# or, behind a slash, of one tensor.
ONE_DRAW: Final = "one_draw"
ERROR_AT_BUDGET: Final = "error_at_budget"  # mean squared error
COSINE_AT_BUDGET: Final = "cosine_at_budget"  # with the true gradient
SIGNS_AT_BUDGET: Final = "signs_at_budget"  # fraction of entries with the true gradient's sign
DRAW_COST: Final = "draw_cost"  # of one draw, in what `parameter` says

# What it cost.
GENERATOR_CALLS: Final = "generator_calls"
DISCRIMINATOR_CALLS: Final = "discriminator_calls"
# Between two identical runs only these two metrics may differ, and what has seconds as its parameter
# (`bench.tables.sameness`).
SECONDS: Final = "seconds"
UPDATE_SECONDS: Final = "update_seconds"  # a session's share of one update, or one measurement of variance
PEAK_MEMORY: Final = "peak_memory"  # a session's share of the bytes of tensors that this holds at most

KNOWN: Final = frozenset(value for value in tuple(globals().values()) if isinstance(value, str))


def is_own(metric: str) -> bool:
    """Tell whether a metric is none of the above: a measure that its task or its experiment brings."""
    return metric not in KNOWN and not metric.endswith((DATA_SUFFIX, UNTRAINED_SUFFIX))


def with_source(name: str, source: str) -> str:
    """Name a task or an experiment with the source of its data, if there is one to name: `names (census)`."""
    return name if source == SYNTHETIC else f"{name} ({source})"
