# Every target makes .venv by itself, and anew when the dependencies change.
# PYTHON chooses the interpreter, ARGS goes to the benchmark: make run-all ARGS="--preset smoke"

PYTHON = python3
BIN = .venv/bin
READY = .venv/.ready

.PHONY: run-all report test test-all test-lowest faults bench check format

run-all: $(READY)
	$(BIN)/python -m bench run-all $(ARGS)

report: $(READY)
	$(BIN)/python -m bench report $(ARGS)

test: $(READY)
	$(BIN)/python -m pytest -n auto --dist loadgroup -m "not slow" --benchmark-skip

test-all: $(READY)
	$(BIN)/python -m pytest -n auto --dist loadgroup --benchmark-skip

# The quick tests with the lowest versions that pyproject.toml allows, which uv names.
test-lowest:
	$(PYTHON) -m venv .venv/lowest
	.venv/lowest/bin/python -m pip install --disable-pip-version-check uv
	.venv/lowest/bin/python -m uv pip install --python .venv/lowest --resolution lowest-direct -e '.[dev]'
	.venv/lowest/bin/python -m pytest -n auto --dist loadgroup -m "not slow" --benchmark-skip

# Kills, flipped bits, damaged tables and bad surroundings: ten minutes, and a table of what came of them.
faults: $(READY)
	cd tests && ../$(BIN)/python -m faults --table ../docs/faults.md $(ARGS)

# The allocator as the workers of run-all have it (ENVIRONMENT in bench/running/processes.py).
bench: $(READY)
	MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=10000000000 MALLOC_TOP_PAD_=268435456 \
	  $(BIN)/python -m pytest --benchmark-only -s

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) test

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null || \
	  { echo "error: $(PYTHON) is not Python 3.10-3.13; name one that is: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@
