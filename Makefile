# The two commands of the README are `make demo` and `make test`; each does all its set-up.

.PHONY: demo test bench fixtures verify-published

CARGO ?= cargo
PYTHON ?= python3
# The folder of ONNX Runtime, or nothing: the program then looks for one itself.
ORT = ORT_DYLIB_PATH="$$(sh .ci/onnxruntime path)"
RUN = $(ORT) $(CARGO) run --release --quiet --
DIGITS := tests/data/digits

# FID and Inception Score on real images: two halves of a set of digits, and a blurred copy, which must score worse.
demo: onnxruntime
	$(CARGO) build --release
	@echo; echo "== Two sets of real digits: a small distance =="
	@$(RUN) fid $(DIGITS)/first.idx.gz $(DIGITS)/second.idx.gz --extractor efficientnet-lite0
	@echo; echo "== Real digits against a blurred copy: a large one =="
	@$(RUN) fid $(DIGITS)/second.idx.gz $(DIGITS)/blurred.idx.gz --extractor efficientnet-lite0
	@echo; echo "== Inception Score: real, then blurred =="
	@$(RUN) is $(DIGITS)/first.idx.gz --extractor efficientnet-lite0
	@$(RUN) is $(DIGITS)/blurred.idx.gz --extractor efficientnet-lite0 --quiet

# Every test, on both engines where ONNX Runtime can be had.
test: onnxruntime
	@command -v cargo-nextest >/dev/null || echo "cargo-nextest is not installed: using cargo test"
	@if command -v cargo-nextest >/dev/null; then \
		$(ORT) $(CARGO) nextest run; \
	else \
		$(ORT) $(CARGO) test --lib --bins --tests; \
	fi
	$(CARGO) test --doc

# Ours beside the peers; needs the Python packages of python_ref/requirements.txt.
bench:
	$(CARGO) bench

# Makes the fixtures in tests/fixtures anew.
fixtures:
	for script in python_ref/make_*.py; do $(PYTHON) $$script || exit 1; done

# Reproduces published figures; needs the published weights (`gan-metrics model install inception-v3`) and torchvision.
verify-published: onnxruntime
	$(CARGO) build --release
	$(ORT) $(PYTHON) python_ref/verify_published.py

.PHONY: onnxruntime
onnxruntime:
	@sh .ci/onnxruntime install
