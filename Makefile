# Bare `make` prints this help. Every target sets up what it needs; nothing is installed twice.
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup run sweep validate demo-compare test test-mpi test-slow test-slurm check docs examples bench clean

VENV ?= .venv
PY := $(VENV)/bin/python
CASE ?= cases/crystal_aged_1C.toml
OUT ?= results/$(basename $(notdir $(CASE)))
SWEEP ?= cases/sweeps/rock_salt.toml
SWEEP_OUT ?= results/$(basename $(notdir $(SWEEP)))-coarse
PYTEST_ARGS ?=

export VENV
export OMP_NUM_THREADS := 1
export MPLBACKEND := Agg

RUN := $(VENV)/.installed-run
DEV := $(VENV)/.installed-dev

# a clone that was moved: its scripts name the old place, so both stamps are out of date
MADE_FOR := $(shell cat "$(VENV)/.made-for" 2>/dev/null)
ifneq ($(MADE_FOR),)
ifneq ($(MADE_FOR),$(CURDIR))
.PHONY: $(RUN) $(DEV)
endif
endif

help: ## print this
	@printf 'nmcsim: a simulator for NMC battery cathodes. Start with: make run\n\n'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r name text; do printf '  make %-12s %s\n' "$$name" "$$text"; done
	@printf '\n  make run CASE=cases/other.toml runs another case; results go to results/<name of the case>.\n'

$(RUN): pyproject.toml constraints.txt
	@sh .ci/setup.sh run

$(DEV): pyproject.toml constraints.txt
	@sh .ci/setup.sh dev

setup: $(RUN) ## build .venv and install nmcsim into it
	@echo '$(VENV) is ready.'

run: $(RUN) ## run cases/crystal_aged_1C.toml and say where its report lies
	@$(VENV)/bin/nmcsim run $(CASE) --out $(OUT) --resume

sweep: $(RUN) ## sweep rate, coverage and flux ratio of rock salt, coarsely: 36 cases in a minute
	@$(VENV)/bin/nmcsim sweep $(SWEEP) --coarse --out $(SWEEP_OUT)

test: $(DEV) ## the fast tests
	@$(PY) -m pytest -q -m "not slow" -n 2 --dist loadfile $(PYTEST_ARGS)

test-mpi: $(DEV) ## the tests that start several ranks
	@$(PY) -m pytest -q -m mpi $(PYTEST_ARGS)

test-slow: $(DEV) ## the tests longer than about 10 s
	@$(PY) -m pytest -q -m slow $(PYTEST_ARGS)

test-slurm: $(DEV) ## the job scripts of the documentation, on a Slurm of this machine (Debian, as root)
	@command -v slurmctld slurmd srun munged >/dev/null || test "$$(id -u)" != 0 || ! command -v apt-get >/dev/null || { \
	    export DEBIAN_FRONTEND=noninteractive; apt-get update -qq && \
	    apt-get install -qq -y --no-install-recommends slurmctld slurmd slurm-client munge >/dev/null; }
	@NMCSIM_SLURM=1 $(PY) -m pytest -q -m slurm $(PYTEST_ARGS)

check: $(DEV) ## lint, format, types, layers, spelling, pins
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports --no-cache
	$(VENV)/bin/codespell
	! grep -nE '://|@ ' constraints.txt

docs: $(DEV) ## the documentation, strict, into docs/_build/html
	@$(PY) -m sphinx -W --keep-going -n -q -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

examples: $(RUN) ## every case of cases/ at full resolution, and the rates compared, into results/
	@for case in cases/*.toml; do $(VENV)/bin/nmcsim run $$case --out results/$$(basename $$case .toml) --resume || exit; done
	@$(VENV)/bin/nmcsim figures $(foreach kind,fresh aged,$(foreach rate,C3 1C 2C 5C,results/crystal_$(kind)_$(rate))) --out results/figures

validate: $(RUN) ## every comparison with measurements again; fails when a number moved (three minutes)
	@$(PY) -m validation

demo-compare: $(RUN) ## film the aged crystal, measure on the film, compare with simulation and paper: one page
	@$(PY) -m validation.demo results/demo-compare

bench: $(DEV) ## speed and accuracy against peers, as ratios measured in one run
	@$(PY) -m benchmarks

clean: ## remove what can be built again (results stay)
	rm -rf $(VENV) build dist docs/_build docs/_generated .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find nmcsim meshes tests validation benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
