# make rehearse   deploy app.py into a local AWS and train on real data (ALGORITHM=… DATA=… HYPERPARAMETERS="k=5 …")
# make test       lint, types and all tests, with branch coverage
# make fuzz       hostile inputs for everything that reads any (ARGS="--seconds 60 --target parquet")
# make docs       the documentation, into .cache/site
# make release    wheel and sdist into .cache/dist, checked and tried in an environment of their own
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile
ALGORITHM ?= KMeans
# The shell reads these from its environment, make leaves a $ in a path alone: whatever is in them, it is no code.
override DATA := $(value DATA)
export ALGORITHM DATA HYPERPARAMETERS

# Set in many containers. With it every process compiles all that it imports: half the time of a start.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: rehearse test check fuzz docs release bench soak lock clean
.DELETE_ON_ERROR:

rehearse: $(VENV)/rehearse.stamp
	@$(BIN)/python -m amazon_estimators_rehearsal --algorithm "$$ALGORITHM" \
	  $(if $(DATA),--data "$$DATA") $(if $(HYPERPARAMETERS),--hyperparameter "$$HYPERPARAMETERS") $(ARGS)

test: check
	$(BIN)/python -m pytest --numprocesses=auto --cov $(ARGS)

CHECK_LOCKS := PYTHONPATH=tests $(BIN)/python -m
check: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo --cache-dir .cache/imports
	$(BIN)/mypy
	$(BIN)/mypy --config-file tests/mypy.ini
	$(BIN)/mypy --config-file benchmarks/mypy.ini
	@$(CHECK_LOCKS) supply_chain.licenses
	@$(CHECK_LOCKS) supply_chain.audit

# A minute for each target. What breaks is kept in tests/fuzz/findings; --write keeps the result beside it.
fuzz: $(VENV)/test.stamp $(VENV)/fuzz.stamp
	@PYTHONPATH=constructs:lambda:rehearsal:tests:tests/triggers $(BIN)/python -m fuzz $(ARGS)

docs: $(VENV)/test.stamp
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

# Nothing here uploads. What is tried is the wheel: it is installed, and README's app synthesised, without the clone.
DIST := .cache/dist
FRESH := .cache/fresh
release: $(VENV)/release.stamp $(VENV)/test.stamp
	@$(CHECK_LOCKS) supply_chain.licenses
	rm -rf $(DIST) $(FRESH)
	$(BIN)/python -m hatchling build -d $(DIST)
	$(BIN)/python -m twine check --strict $(DIST)/*
	$(PYTHON) -m venv $(FRESH)
	@$(FRESH)/bin/python -m pip install --quiet --disable-pip-version-check --no-compile \
	  --require-hashes --no-deps -r requirements/rehearse.txt
	@$(FRESH)/bin/python -m pip install --quiet --disable-pip-version-check --no-compile --no-deps $(DIST)/*.whl
	$(FRESH)/bin/python -m pip check
	cd $(FRESH) && bin/python -I $(CURDIR)/tests/docs/synth_readme.py $(CURDIR)/README.md
	$(FRESH)/bin/python -m pip uninstall --quiet --disable-pip-version-check --yes aws-cdk-lib constructs jsii
	cd $(FRESH) && bin/python -I -c "import amazon_estimators.sdk; from amazon_estimators import Estimator, load_model"

# Random uploads, deletions, markers, alarms, aborts and kill -9 over three deployed pipelines; ARGS="--minutes 5 --seed 7".
soak: $(VENV)/test.stamp
	PYTHONPATH=constructs:lambda:rehearsal $(BIN)/python tests/soak/soak.py $(ARGS)

# All benchmarks, about ten minutes: codec, sources, Plan/Encode/Seal, profiles, record_set(), prediction. ARGS=--write keeps the figures.
bench: $(VENV)/test.stamp
	$(BIN)/python benchmarks/codec.py $(ARGS)
	$(BIN)/python benchmarks/sources.py $(ARGS)
	$(BIN)/python benchmarks/pipeline.py $(ARGS)
	$(BIN)/python benchmarks/many_objects.py $(ARGS)
	$(BIN)/python benchmarks/feature_profile.py $(ARGS)
	$(BIN)/python benchmarks/scale.py $(ARGS)
	$(BIN)/python benchmarks/cold_start.py $(ARGS)
	$(BIN)/python benchmarks/record_set.py $(ARGS)
	$(BIN)/python benchmarks/prediction.py $(ARGS)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/%.stamp: requirements/%.txt pyproject.toml | $(BIN)/python
	@echo "Installing locked versions into $(VENV) (once) …"
	@$(INSTALL) --require-hashes --no-deps -r $<
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

# The oldest protobuf that is allowed, beside the newest: tests/recordio/test_protobuf_versions.py.
$(VENV)/test.stamp: $(VENV)/protobuf_oldest.stamp $(VENV)/checkov.stamp $(VENV)/localstack.stamp
$(VENV)/protobuf_oldest.stamp: requirements/protobuf_oldest.txt | $(BIN)/python
	@rm -rf $(VENV)/protobuf_oldest
	@$(INSTALL) --require-hashes --no-deps --target $(VENV)/protobuf_oldest -r $<
	@touch $@

# checkov in an environment of its own: tests/constructs/test_checkov.py.
$(VENV)/checkov.stamp: requirements/checkov.txt | $(BIN)/python
	@echo "Installing checkov, for the tests, into $(VENV)/checkov (once) …"
	@rm -rf $(VENV)/checkov
	@$(INSTALL) --require-hashes --no-deps --target $(VENV)/checkov -r $<
	@touch $@

# LocalStack's interpreter of the States Language, 25 MB: tests/witness.
$(VENV)/localstack.stamp: requirements/localstack.txt | $(BIN)/python
	@echo "Installing LocalStack's interpreter, for the tests, into $(VENV)/localstack (once) …"
	@rm -rf $(VENV)/localstack
	@$(INSTALL) --require-hashes --no-deps --target $(VENV)/localstack -r $<
	@touch $@

# The fuzzer of `make fuzz`, for Linux on x86-64 and Python 3.11 to 3.13.
$(VENV)/fuzz.stamp: requirements/fuzz.txt | $(BIN)/python
	@echo "Installing the fuzzer into $(VENV)/fuzz (once) …"
	@rm -rf $(VENV)/fuzz
	@$(INSTALL) --require-hashes --no-deps --target $(VENV)/fuzz -r $<
	@touch $@

# Resolve the locks again: needs uv, and is the one command here that is for maintainers only.
CODE_LOCK := lambda/amazon_estimators/requirements.txt
READER_LOCK := constructs/cdk_amazon_estimators/assets/table_reader.txt
COMPILE := uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
  --no-header --no-annotate --no-emit-index-url --no-emit-find-links
lock:
	$(COMPILE) requirements/lambda.in -o $(CODE_LOCK)
	$(COMPILE) requirements/table_reader.in -c $(CODE_LOCK) -o $(READER_LOCK)
	$(COMPILE) pyproject.toml --extra cli --extra tables --extra rehearsal --extra dev --extra docs \
	  -c $(CODE_LOCK) -c $(READER_LOCK) -o requirements/test.txt
	$(COMPILE) pyproject.toml --extra rehearsal -c requirements/test.txt -o requirements/rehearse.txt
	$(COMPILE) requirements/protobuf_oldest.in -o requirements/protobuf_oldest.txt
	$(COMPILE) requirements/checkov.in -o requirements/checkov.txt
	$(COMPILE) --no-deps requirements/localstack.in -o requirements/localstack.txt
	$(COMPILE) requirements/fuzz.in -o requirements/fuzz.txt
	$(COMPILE) requirements/release.in -c requirements/test.txt -o requirements/release.txt
	$(INSTALL) --require-hashes --no-deps -r requirements/test.txt
	PYTHONPATH=tests $(BIN)/python -m supply_chain.sbom

clean:
	rm -rf $(VENV) .cache cdk.out
