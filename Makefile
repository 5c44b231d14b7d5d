# The two commands of the README are `make demo` and `make test`; each does all its set-up, and one build serves both.

.PHONY: help demo demo-train test test-python test-peers wheel test-mathematics test-lapack bench package fixtures lint site verify-published

CARGO ?= cargo
PYTHON ?= python3
# The folder of ONNX Runtime, or nothing: the program then looks for one itself.
ORT = ORT_DYLIB_PATH="$$(sh .ci/onnxruntime path)"
# The development profile optimises what computes. With the whole workspace selected, dependencies have the same features for the
# program, the tests and the Python package, and are built once.
BUILD = $(CARGO) build --workspace --bin gan-metrics
RUN = $(ORT) $${CARGO_TARGET_DIR:-target}/debug/gan-metrics
DIGITS := tests/data/digits
LITE := --extractor efficientnet-lite0 --cache use
DEMO = GAN_METRICS_HOME=target/demo $(RUN)

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# FID and Inception Score on real images: two sets of digits, and a blurred copy, which must score worse. The cache, of the
# demo's own, lets each set go through the network once.
demo: onnxruntime ## FID and Inception Score of the shipped images
	$(BUILD)
	rm -rf target/demo
	@echo; echo "== Two sets of real digits: a small distance =="
	@$(DEMO) fid $(DIGITS)/first.idx.gz $(DIGITS)/second.idx.gz $(LITE)
	@echo; echo "== Real digits against a blurred copy: a large one =="
	@$(DEMO) fid $(DIGITS)/second.idx.gz $(DIGITS)/blurred.idx.gz $(LITE)
	@echo; echo "== Inception Score: real, then blurred =="
	@$(DEMO) is $(DIGITS)/second.idx.gz $(LITE) --quiet
	@$(DEMO) is $(DIGITS)/blurred.idx.gz $(LITE) --quiet

# A DCGAN on 2,048 real digits: the FID falls from row to row, and the grids in the folder become digits.
RUN_FOLDER := target/demo-train
demo-train: onnxruntime ## Train a DCGAN on real digits, scoring it on the way
	$(BUILD)
	rm -rf $(RUN_FOLDER)
	@$(RUN) train --data $(DIGITS)/first.idx.gz --out $(RUN_FOLDER) \
		--model dcgan --size 28 --width 32 --batch-size 32 --steps 900 --sample-every 300 --score-every 300 --score-images 256
	@echo; echo "Samples: $(RUN_FOLDER)/samples/, curves: $(RUN_FOLDER)/curves.svg"

# Every test, on both engines where ONNX Runtime can be had; what needs PyTorch or a peer runs by `make test-peers`.
test: onnxruntime ## Every test, on both engines
	$(ORT) $(CARGO) test --workspace
	sh .ci/python test

# The Python package alone, and its wheel in target/wheels.
test-python: ## The tests of the Python package
	sh .ci/python test
wheel: ## The wheel, in target/wheels
	sh .ci/python wheel

# The Python package beside PyTorch, torchmetrics, torch-fidelity and clean-fid, which take 5 GB.
test-peers: ## The same beside PyTorch and the peers, which take 5 GB
	sh .ci/python peers

# The library without engines and codecs, on its own linear algebra.
MATHEMATICS := test --no-default-features --lib --test library
test-mathematics: ## The library without engines and codecs
	$(CARGO) $(MATHEMATICS)

# The same on the system's linear algebra (Debian: libopenblas-dev, pkg-config).
test-lapack: ## The same on the system's linear algebra
	$(CARGO) $(MATHEMATICS) --features lapack

# What a change must satisfy besides the tests.
lint: ## Format, clippy, documentation
	$(CARGO) fmt --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps

# Ours beside the peers; the peers need the Python packages of python_ref/requirements.txt.
bench: ## Ours beside the peers
	$(CARGO) bench

# Makes the fixtures in tests/fixtures anew.
fixtures: ## Make tests/fixtures anew, by the peers' own code
	for script in python_ref/make_*_fixtures.py; do $(PYTHON) $$script || exit 1; done

# The site of docs/, in target/site.
SITE_TOOLS := target/site-tools
site: ## The site of docs/, in target/site
	test -x $(SITE_TOOLS)/bin/python || $(PYTHON) -m venv $(SITE_TOOLS)
	$(SITE_TOOLS)/bin/pip install --quiet --requirement docs/site/requirements.txt
	PYTHONDONTWRITEBYTECODE=1 $(SITE_TOOLS)/bin/python -m zensical build --strict --config-file mkdocs.yml

# The crates as a registry would get them; it takes 10 MiB of each.
package: ## The crates as a registry would get them
	$(CARGO) package --workspace --exclude gan-metrics-python --no-verify --allow-dirty --quiet
	@! find target/package -maxdepth 1 -name '*.crate' -size +10239k | grep . || { echo "a crate is larger than a registry takes" >&2; exit 1; }

# Reproduces published figures; needs the published weights (`gan-metrics model install inception-v3`) and torchvision.
verify-published: onnxruntime ## Reproduce published figures, with the published weights
	$(CARGO) build --release
	$(ORT) $(PYTHON) python_ref/verify_published.py

.PHONY: onnxruntime
onnxruntime:
	@sh .ci/onnxruntime install
