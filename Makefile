# make demo: a search on real text, from nothing but Python and make.  make test: all tests.
# make peers: the libraries that `gpt-zoo bench` compares with, in a venv of their own.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PEERS := .venv-peers

.PHONY: demo test check format lint types imports peers test-peers clean

demo: $(VENV)/.installed
	$(BIN)/gpt-zoo search demo

test: $(VENV)/.installed-test
	OMP_NUM_THREADS=1 $(BIN)/pytest -q -n auto --dist loadfile

check: lint types imports test

format: $(VENV)/.installed-test
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: $(VENV)/.installed-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.installed-test
	$(BIN)/mypy

imports: $(VENV)/.installed-test
	$(BIN)/lint-imports

peers: $(PEERS)/.installed

test-peers: peers
	OMP_NUM_THREADS=1 $(PEERS)/bin/pytest -q tests/experiments_tests/bench

clean:
	rm -rf $(VENV) $(PEERS) dist runs

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "gpt-zoo needs Python 3.11 or newer; try: make PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The constraints pin what was tested; without them torch may resolve to gigabytes of CUDA packages.
$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/pip install -q --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(BIN)/pip install -q --disable-pip-version-check -c constraints.txt -e '.[test]'
	@touch $@

# They want other versions of some libraries than the constraints have. The last three run the tests.
$(PEERS)/.installed: pyproject.toml constraints-peers.txt
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/pip install -q --disable-pip-version-check -c constraints-peers.txt -e '.[peers]' \
		pytest hypothesis beartype
	@touch $@
