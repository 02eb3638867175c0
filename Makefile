# What there is to do here; `make` alone prints the list. Needed: Python 3.11 or newer, make, git.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

python := .venv/bin/python
witgen := $(python) -m witgen.cli
typed := witgen plugins/runner/runner scripts benchmarks tests
# `toolchain` leaves the reason here where Rust guests can't be built, and removes it where they can.
no_rust := .venv/no-rust
built := target/wasm32-wasip2/release
shipped := progress-runner http-component ftp-component

# rustup's cargo, also where its folder is not on the PATH.
export PATH := $(or $(CARGO_HOME),$(HOME)/.cargo)/bin:$(PATH)

# $(call say,heading)
say = printf '\n── %s\n' '$(1)'
# Ends with the reason where Rust guests can't be built.
need_rust = if [ -f $(no_rust) ]; then cat $(no_rust) >&2; exit 1; fi
# $(call rust,command,what must run for it): runs the command, or says why not.
rust = $(call say,$(1)); \
	if [ -f $(no_rust) ]; then echo "skipped: $$(cat $(no_rust))"; \
	elif ! $(2) >/dev/null 2>&1; then echo "skipped: '$(2)' does not run on this machine"; \
	else $(1); fi

.PHONY: help
help: ## Print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## Make .venv with witgen and its development tools
	@scripts/setup_python.sh

.PHONY: toolchain
toolchain: setup ## Find or install a Rust that builds components; say so where there is none
	@rm -f $(no_rust); status=0; scripts/setup_toolchain.sh || status=$$?; \
	case $$status in \
	0) ;; \
	3) echo 'there is no Rust on this machine that builds components' | tee $(no_rust) ;; \
	*) exit $$status ;; \
	esac

.PHONY: demo
demo: setup toolchain ## Generate, hash, build, load, use, refuse: the main job on the real contracts
	@$(python) scripts/demo.py

.PHONY: test
test: lint lint-rust test-rust test-python ## Check all that must hold: form, types, contracts, Rust, Python

.PHONY: bench
bench: setup ## Measure speed against peers and floors in the same run
	@$(python) benchmarks/run.py

.PHONY: soak
soak: setup ## See whether the HTTP server keeps its memory under all kinds of requests, for two minutes (minutes=N)
	@$(python) benchmarks/soak.py $(or $(minutes),2)

.PHONY: baseline
baseline: setup ## Compare the stores of the Runner under the same users, for half a minute each (minutes=N)
	@bash scripts/setup_baseline.sh
	@$(python) -m runner.cli baseline $(if $(minutes),--measure $$(( 60 * $(minutes) )),--warm-up 10 --measure 30) \
		--output target/baseline/result

.PHONY: fuzz
fuzz: setup ## Try broken contracts and binaries, and random types, for ten minutes (minutes=N; kind=texts, binaries or types)
	@$(python) -m tests.fuzz --minutes $(or $(minutes),10) $(addprefix --kind ,$(kind))

.PHONY: peer-check
peer-check: setup ## Compare what witgen encodes and prints with wasm-tools, from the PATH or from npm
	@$(python) scripts/check_with_wasm_tools.py

.PHONY: generate
generate: setup ## Write what witgen.toml asks for: Python adapters and Rust stubs
	@$(witgen) generate

.PHONY: build
build: setup toolchain ## Build the Rust guests as components
	@$(need_rust)
	@$(witgen) build

.PHONY: lint
lint: setup ## Check form and types of the Python code, and that contracts, generated files and the lock are in order
	@$(call say,ruff check)
	@$(python) -m ruff check .
	@$(call say,black --check)
	@$(python) -m black --check --quiet --diff --extend-exclude '/bindings/' .
	@$(call say,mypy --strict)
	@$(python) -m mypy $(typed)
	@$(call say,pyright)
	@$(python) scripts/run_pyright.py
	@$(call say,witgen generate --check)
	@$(witgen) generate --check
	@$(call say,witgen fmt --check)
	@$(witgen) fmt --check
	@$(call say,witgen lint)
	@$(witgen) lint
	@$(call say,witgen hash --check)
	@$(witgen) hash --check

.PHONY: lint-rust
lint-rust: toolchain
	@$(call rust,cargo fmt --check,cargo fmt --version)
	@$(call rust,cargo clippy --workspace -- -D warnings,cargo clippy --version)

.PHONY: test-rust
test-rust: toolchain
	@$(call rust,cargo test --quiet --workspace,cc --version)
	@$(call rust,$(witgen) build,cargo --version)

.PHONY: test-python
test-python: setup
	@$(call say,fetch the contracts of WASI 0.2)
	@$(python) scripts/fetch_wasi.py || test $$? = 3
	@$(call say,fetch componentize-py and componentize-js)
	@$(python) scripts/fetch_componentizers.py || test $$? = 3
	@bash scripts/setup_browser.sh
	@bash scripts/setup_registry.sh
	@bash scripts/setup_clients.sh
	@bash scripts/setup_baseline.sh
	@$(call say,pytest)
	@$(python) -m pytest -rs -n auto --dist loadfile

.PHONY: prebuilt
prebuilt: setup toolchain ## Build the components that come with the project anew
	@$(need_rust)
	@for crate in $(shipped); do \
		$(witgen) build $$crate; \
		mkdir -p plugins/$$crate/prebuilt && cp $(built)/$${crate//-/_}.wasm plugins/$$crate/prebuilt/; \
		ls -l plugins/$$crate/prebuilt/*; \
	done

.PHONY: clean
clean: ## Remove all that the others made, .venv included
	rm -rf .venv target dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .witgen-cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
