# Two commands for users: `make demo` and `make test`.  Both need Python >= 3.11 and make, and
# build what they need in .venv.
PYTHON ?= python3
PIP = .venv/bin/python -m pip install --quiet --disable-pip-version-check
SOURCES = ensemble catalog analyses heatcat
# One more than CI has cores: some tests wait.  Tests that start many processes are two at a time.
PROCESSES ?= 3
SYSTEM_PROCESSES ?= 2
FLIPS ?= 500
FUZZ ?= 3000

# One BLAS thread: matrices are small, and threads of several test processes would fight for cores.
export OMP_NUM_THREADS = 1
export OPENBLAS_NUM_THREADS = 1
export MKL_NUM_THREADS = 1
# Tests start Python hundreds of times: what is compiled once is kept.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo figures claims test test-pages test-kills test-system test-slow test-faults test-slurm test-browser lint types docs bench clean

demo: .venv/demo
	.venv/bin/heatcat reproduce fig2 --quick --out demo

figures: .venv/demo
	.venv/bin/heatcat reproduce all --quick --out demo

claims: .venv/demo
	mkdir -p demo
	.venv/bin/heatcat claims --json > demo/claims.json  # fails if a check cannot be made

# Tests and doctests in one session: what each process imports and collects, it does once.
test: lint types
	.venv/bin/python -m pytest -n $(PROCESSES) --dist worksteal --doctest-modules tests $(SOURCES)

# The site, the code on its pages and in the README, notebooks, benchmarks at a small size.
# HEATCAT_SITE=build/docs: tests of the site take the one that `make docs` has built.
test-pages: .venv/test
	.venv/bin/python -m pytest -n $(SYSTEM_PROCESSES) --dist worksteal -m pages

# Runs and workers that are killed, disks that fill up, several runs at once, intruders, hostile
# stores, an object store.
test-kills: .venv/test
	.venv/bin/python -m pytest -n $(SYSTEM_PROCESSES) --dist loadfile -m "kills and not slow"

test-slow: .venv/test
	.venv/bin/python -m pytest -m slow

# The fault suites at their full size, an hour or more; each prints its counts.
test-faults: .venv/test
	HEATCAT_EXAMPLES=10 HEATCAT_FLIPS=$(FLIPS) HEATCAT_FUZZ=$(FUZZ) .venv/bin/python -m pytest -s -m "slow or kills or not slow" \
	  tests/catalog/test_store.py tests/catalog/test_kill.py tests/catalog/test_faults.py \
	  tests/catalog/test_repair.py tests/catalog/test_s3.py tests/catalog/test_fuzz_arguments.py \
	  tests/heatcat/test_fuzz_commands.py tests/heatcat/test_hostile_terminal.py

# As root: SLURM is installed if it is missing, started for the tests and stopped.
test-slurm: .venv/test
	@PATH="$$PATH:/usr/sbin"; command -v slurmctld slurmd munged sbatch >/dev/null || \
	  { apt-get update -qq && apt-get install -qq --no-install-recommends slurm-wlm munge; }
	.venv/bin/python -m pytest -m slurm tests/catalog/test_slurm.py

test-browser: .venv/test
	.venv/bin/python -m pytest -n $(SYSTEM_PROCESSES) --dist loadfile -m "browser and not slow"

# The three in one session, as CI runs them.
test-system: .venv/test
	.venv/bin/python -m pytest -n $(SYSTEM_PROCESSES) --dist worksteal \
	  -m "(pages or kills or browser) and not slow"

lint: .venv/test
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .

types: .venv/test
	.venv/bin/mypy

# Warnings are errors; nitpicky is set in docs/conf.py.
docs: .venv/test
	.venv/bin/python -m sphinx -W --keep-going -q docs build/docs
	@echo "docs: build/docs/index.html"

# Every script of benchmarks/ at its default size; each says its conditions and prints ratios.
bench: .venv/bench
	@set -e; for script in benchmarks/*.py; do echo "== $$script"; .venv/bin/python $$script; done

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "heatcat needs Python >= 3.11: run make PYTHON=/path/to/python3.11"; exit 2; }
	$(PYTHON) -m venv .venv

.venv/demo: .venv/bin/python pyproject.toml
	$(PIP) --editable .
	@touch $@

.venv/test: .venv/bin/python pyproject.toml
	$(PIP) --editable ".[test,docs]"
	@touch $@ .venv/demo

.venv/bench: .venv/test
	$(PIP) --editable ".[bench]"
	@touch $@

clean:
	rm -rf .venv demo build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
