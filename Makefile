# Needs: cargo, a C compiler, make, any Python 3.  Everything else is obtained by the targets.
.DEFAULT_GOAL := help
.PHONY: help demo test test-gil gil-sample lint frida apache bench bench-check bench-tsan bless site pictures doctor parity packages found soak model miri mutants fuzz wheel clean-root clean
# FTSAN_PYTHON=3.15t or 3.14: the same on that version, in an environment of its own.
SUFFIX := $(addprefix -,$(filter-out 3.14t,$(filter 3.%,$(FTSAN_PYTHON))))
VENV := .venv$(SUFFIX)
PYTHON := $(VENV)/bin/python
SOURCES := $(shell find Cargo.toml Cargo.lock pyproject.toml tools src hooks python -type f -not -path '*/__pycache__/*' -not -path 'hooks/frida/*' -not -name '*.so')

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

$(VENV)/ready: tools/find-python
	python=$$(tools/find-python) && "$$python" -m venv --clear $(VENV)
	touch $@

$(VENV)/tools: tests/requirements.txt tests/apache_requirements.txt tests/frida_requirements.txt docs/requirements.txt $(VENV)/ready
	$(VENV)/bin/pip install --disable-pip-version-check -q -r tests/requirements.txt
	if command -v apxs >/dev/null; then $(VENV)/bin/pip install --disable-pip-version-check -q -r tests/apache_requirements.txt; fi
	# frida has no wheels for builds without the GIL.
	if command -v python3 >/dev/null; then python3 -m venv $(VENV)/frida && $(VENV)/frida/bin/pip install --disable-pip-version-check -q -r tests/frida_requirements.txt; fi
	touch $@

$(VENV)/installed: $(VENV)/ready $(SOURCES)
	@echo "building ftsan"
	$(VENV)/bin/pip install --disable-pip-version-check -q .
	touch $@

demo: $(VENV)/installed ## the main job on an echo connection that a second thread writes to
	@$(VENV)/bin/ftsan run examples/echo_written_from_a_thread.py; status=$$?; \
	echo; echo "ftsan exited with status $$status (66: something was found)"; test $$status = 66

test: $(VENV)/installed $(VENV)/tools ## all tests
	cargo test -q --workspace
	$(PYTHON) -m pytest -q

# A target directory of its own: what is built for one interpreter is not built again for the other, and back.
test-gil: ## what concerns the interpreter with the GIL: FTSAN_PYTHON=3.14, or 3.15 (builds it if need be: five minutes more)
	$(MAKE) gil-sample FTSAN_PYTHON=$(or $(FTSAN_PYTHON),3.14) CARGO_TARGET_DIR=$(CURDIR)/target/gil

gil-sample: $(VENV)/installed $(VENV)/tools
	$(VENV)/bin/ftsan doctor
	$(PYTHON) -m pytest -q -n 2 tests/python/test_gil.py tests/python/test_programs.py tests/python/test_matrix.py

lint: $(VENV)/installed $(VENV)/tools ## formatting, lints, types
	cargo fmt --check --all
	cargo fmt --check --manifest-path hooks/frida/Cargo.toml
	PYO3_PYTHON=$(CURDIR)/$(PYTHON) cargo clippy -q --workspace --all-targets -- -D warnings
	$(VENV)/bin/ruff format --check python tests examples docs
	$(VENV)/bin/ruff check python tests examples docs
	$(VENV)/bin/mypy

# A target directory for each: frida-gum-sys does not notice that the header is another one.
frida: ## the frida-gum backend, and the injected library with it: lints; with FTSAN_FRIDA_DEVKIT=DIR its tests (needs libclang)
	cd hooks/frida && DOCS_RS=1 CARGO_TARGET_DIR=$(CURDIR)/target/frida-check cargo clippy -q --locked --all-targets -- -D warnings
	DOCS_RS=1 CARGO_TARGET_DIR=$(CURDIR)/target/frida-check cargo clippy -q --locked -p ftsan-hooks --features gum -- -D warnings
ifdef FTSAN_FRIDA_DEVKIT
	cd hooks/frida && FTSAN_FRIDA_DEVKIT=$(abspath $(FTSAN_FRIDA_DEVKIT)) BINDGEN_EXTRA_CLANG_ARGS=-I$(abspath $(FTSAN_FRIDA_DEVKIT)) \
		CARGO_TARGET_DIR=$(CURDIR)/target/frida cargo test -q --locked
else
	@echo "tests of the frida-gum backend skipped: no devkit (FTSAN_FRIDA_DEVKIT)"
endif

bench: $(VENV)/installed $(VENV)/tools ## what watching costs, as ratios
	$(PYTHON) -m tests.bench

bench-check: $(VENV)/installed $(VENV)/tools ## the same again: which figures are worse than those of docs/costs.txt
	mkdir -p target && $(PYTHON) -m tests.bench > target/costs.txt
	$(PYTHON) -m tests.bench.check docs/costs.txt target/costs.txt

bench-tsan: $(VENV)/installed $(VENV)/tools ## what watching for data races costs, with a CPython built with ThreadSanitizer beside it
	python=$$(tools/build-tsan-python) && FTSAN_TSAN_PYTHON=$$python $(PYTHON) -m tests.bench.races

bless: $(VENV)/installed $(VENV)/tools ## write what commands print into README and docs, the page of bugs that were found, golden reports and what rules and triage say
	$(PYTHON) -m tests.bless
	FTSAN_BLESS=1 cargo test -q -p ftsan --lib rules::sayings
	FTSAN_BLESS=1 cargo test -q -p ftsan --test triage every_dump_is_told

site: $(VENV)/installed $(VENV)/tools ## the documentation, at target/site/index.html
	NO_MKDOCS_2_WARNING=1 $(PYTHON) -m mkdocs build --strict -f docs/mkdocs.yml
	@echo target/site/index.html

pictures: $(VENV)/installed $(VENV)/tools ## the pictures of the documentation, from a real run (needs chromium)
	$(PYTHON) -m docs.pictures

doctor: $(VENV)/installed ## is everything watched here that can be?
	$(VENV)/bin/ftsan doctor

parity: $(VENV)/installed $(VENV)/tools ## CPython's own tests, the suites of uvloop, anyio, Twisted and nine more, with and without ftsan (two hours)
	$(PYTHON) -m pytest -q tests/python/test_preload.py --storms 10
	$(PYTHON) -m tests.parity

packages: $(VENV)/installed $(VENV)/tools ## the suites of packages from PyPI, in threads, watched for data races (an hour)
	$(PYTHON) -m tests.packages

found: $(VENV)/installed $(VENV)/tools ## the bugs of packages in examples/found: how often each goes wrong without ftsan, and that ftsan names the line (an hour)
	$(PYTHON) -m tests.found

soak: $(VENV)/installed $(VENV)/tools ## each program of tests/programs 50 times alone and 50 times with three others: the same verdict each time (hours)
	$(PYTHON) -m tests.soak

model: ## a million random programs through the model of what a race is and through the engine (MODEL_CASES, MODEL_SEED; an hour)
	MODEL_CASES=$${MODEL_CASES:-1000000} cargo test -q --release -p ftsan races::model

apache: $(VENV)/installed $(VENV)/tools ## mod_wsgi under wrk, a minute with the GIL and one without (apt-get install wrk apache2-bin apache2-dev)
	$(PYTHON) -m tests.apache

# What threads do to each other without locks, in interleavings and with reorderings that no machine is sure to show.
miri: ## the lock-free tables under Miri, with MIRI_SEEDS=8 seeds (rustup component add --toolchain nightly miri rust-src)
	for test in races::lifetimes::tests::threads races::sync::tests::threads races::shadow::tests::threads races::clock::tests::threads \
	    locks::held::tests::threads recording::tests::threads; do \
	  MIRIFLAGS="-Zmiri-disable-isolation -Zmiri-many-seeds=0..$${MIRI_SEEDS:-8}" cargo +nightly miri test -q -p ftsan --lib $$test || exit 1; \
	done

# The tests of dumps judge src/triage: most of it is tested by verdicts.
mutants: ## which changes to the core no test notices (MUTANTS_FILES='src/races/*.rs', MUTANTS_SHARD=0/40; cargo install cargo-mutants; a day)
	cargo mutants --no-shuffle -p ftsan $(foreach file,$(or $(MUTANTS_FILES),src/races/** src/report/** src/rules/** src/triage/**),--file '$(file)') \
	  $(if $(MUTANTS_SHARD),--shard $(MUTANTS_SHARD) --sharding round-robin) -o target -- --lib --test triage --test triage_forms --test triage_near_misses --test triage_told_apart

# The build of cargo's own compiler takes the flags of nightly; without a sanitizer, a panic is what is looked for.
fuzz: ## parsers of dumps, crash folders and recordings on hostile input (FUZZ_SECONDS=180 each; cargo install cargo-fuzz)
	for target in dump crash_json recording; do \
	  mkdir -p tests/fuzz/corpus/$$target; \
	  RUSTC_BOOTSTRAP=1 cargo fuzz run --fuzz-dir tests/fuzz --sanitizer none $$target \
	    tests/fuzz/corpus/$$target tests/fuzz/seeds/$$target $$(test $$target = dump && echo tests/crashes) -- -max_total_time=$${FUZZ_SECONDS:-180} -max_len=16384 -timeout=10 || exit 1; \
	done

# The wheel is built from the source archive, which so is seen to be complete.  FTSAN_PYTHON=3.14: that of another interpreter.
wheel: $(VENV)/ready ## what goes to PyPI: source archive and manylinux_2_28 wheel (target/dist), tried without a compiler (ten minutes)
	rm -rf target/dist$(SUFFIX)
	$(PYTHON) -m venv target/wheel-tools$(SUFFIX) && target/wheel-tools$(SUFFIX)/bin/pip install --disable-pip-version-check -q -r tests/wheel_requirements.txt
	CARGO_TARGET_DIR=$(CURDIR)/target/wheel$(SUFFIX) target/wheel-tools$(SUFFIX)/bin/python -m build -C manylinux=2_28 -o target/dist$(SUFFIX)
	target/wheel-tools$(SUFFIX)/bin/python -m tests.wheel target/dist$(SUFFIX)/*.whl

clean-root: $(VENV)/ready ## the wheel of make wheel in a Debian that has nothing else: what README and docs say is run there (needs root, debootstrap)
	$(PYTHON) -m tests.clean_root target/dist/ftsan-*.whl

clean: ## remove what was built
	rm -rf .venv* target
