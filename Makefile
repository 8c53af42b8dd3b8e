# SPDX-License-Identifier: GPL-3.0-or-later
# A front for Meson and tools/: `make help` lists what there is.

BUILD ?= build
MAKEFLAGS += --no-print-directory
# make test ONLY=fence runs the test programs whose name the regular expression "fence" finds.
ONLY ?=
export ONLY

# What the browser tests need from npm; nothing else does.
BROWSER_PACKAGES = tests/browser/node_modules/.package-lock.json

.DEFAULT_GOAL := help
.PHONY: help setup build run test unit integration browser differential mutants proof gates \
	sanitize tidy fuzz-smoke format bench drill install clean tests-build

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

setup: ## install the Debian packages needed (root or sudo)
	@tools/setup

build: $(BUILD)/build.ninja ## build; the programs land in build/
	@ninja -C $(BUILD) programs

run: ## set up, build and start the quickstart example; Ctrl-C ends it
	@tools/setup --run
	@$(MAKE) build
	@exec examples/quickstart/run

test: ## set up, build, run every test; ends with "N passed, N failed"
	@tools/setup --test
	@$(MAKE) tests-build
	@$(MAKE) $(BROWSER_PACKAGES) || echo "the browser tests will fail: npm could not install"
	@tools/run-tests --build $(BUILD)

unit: tests-build ## build and run the unit tests
	@tools/run-tests --build $(BUILD) --unit

integration: tests-build ## build and run the tests on real DNS servers
	@tools/run-tests --build $(BUILD) --integration

browser: build $(BROWSER_PACKAGES) ## build and run the tests of the page, in Chromium
	@tools/run-tests --build $(BUILD) --browser

differential: tests-build ## 100,000 random UPDATEs: the lab's model against each real server
	@HOLDFAST_BUILD=$(abspath $(BUILD)) exec tests/differential/run

mutants: ## take protections out of copies of the code; the lab must notice each
	@tools/mutants '$(ONLY)'

proof: build ## search a world of the machines completely, simulate 10,000 storms; minutes
	@HOLDFAST_BUILD=$(abspath $(BUILD)) exec tools/lab-proof

gates: build ## layers, purity, size, banned functions, format, docs
	@tools/gates/all $(BUILD)

sanitize: ## unit tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@tools/sanitize

tidy: build ## clang-tidy over everything
	@tools/tidy $(BUILD)

fuzz-smoke: ## every fuzzer for a short while
	@tools/fuzz-smoke

format: ## clang-format the C files in place
	@git ls-files -z '*.c' '*.h' | xargs -0 clang-format -i

bench: build ## measure; see docs/internals/performance.md
	@HOLDFAST_BUILD=$(abspath $(BUILD)) exec bench/run

drill: ## the outage of October 2025 with and without the remedies; says where the report lies
	@tools/setup --test
	@$(MAKE) build
	@$(BUILD)/holdfast-drill run examples/drill/outage-2025-10.yaml --with none,all \
		--html $(BUILD)/drill.html
	@echo "The report: file://$(abspath $(BUILD))/drill.html"

install: build ## install program and man pages; PREFIX at first set-up, DESTDIR here
	@meson install -C $(BUILD) --no-rebuild

clean: ## remove everything that was built
	@rm -rf build build-*

$(BROWSER_PACKAGES): tests/browser/package-lock.json
	@npm ci --prefix tests/browser --no-audit --no-fund
	@touch $@

tests-build: $(BUILD)/build.ninja
	@ninja -C $(BUILD)

$(BUILD)/build.ninja:
	@command -v meson >/dev/null || { echo "meson is missing: run make setup"; exit 1; }
	@meson setup $(BUILD) $(if $(PREFIX),--prefix=$(PREFIX))
