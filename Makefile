# `make test` does all its set-up.

.PHONY: test fixtures

CARGO ?= cargo
PYTHON ?= python3

# Every test of what is built so far.
test:
	$(CARGO) test --doc
	$(CARGO) test --lib --test import_rules

# Makes the fixtures in tests/fixtures anew.
fixtures:
	for script in python_ref/make_*.py; do $(PYTHON) $$script || exit 1; done
