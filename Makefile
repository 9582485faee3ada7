# Bare `make` prints this help. Everything runs in .venv-dev, which `make setup` makes from hashed requirements.

PYTHON ?= python3
BIN := .venv-dev/bin
T ?=
# Three tests at once on two cores: many wait for a server, a worker or a clock.
AT_ONCE ?= $(shell echo $$(( ($$(getconf _NPROCESSORS_ONLN) * 3 + 1) / 2 )))
SCRIPTS := .ci/run build-containers.sh extrophi new-env.sh backend/image/* $(filter-out %.mjs,$(wildcard writer/image/*))
COMPONENTS := backend cli orchestrator research
# Else each of the processes that tests start would compile all it imports.
unexport PYTHONDONTWRITEBYTECODE
WEB := orchestrator/extrophi_orchestrator/desk/web
export PYTHONPATH := $(subst $() ,:,$(addprefix $(CURDIR)/,$(COMPONENTS)))

.DEFAULT_GOAL := help
.PHONY: help setup dev web test containers desktop desktop-program reproducible soak check fix lock api bench screenshots desktop-screenshots clean

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv-dev/.stamp ## the developers' environment (.venv-dev)

# Made anew as a whole when the requirements change: an environment half of one lock and half of another lies.
.venv-dev/.stamp: requirements-dev.txt backend/requirements-chroma-server.txt
	rm -rf .venv-dev
	$(PYTHON) -m venv .venv-dev
	awk '/^uv==/, !/\\$$/' requirements-dev.txt >.venv-dev/uv.txt
	$(BIN)/python -m pip install -q --require-hashes -r .venv-dev/uv.txt
	$(BIN)/uv pip install -q --compile-bytecode --python $(BIN)/python --require-hashes -r requirements-dev.txt || \
		$(BIN)/python -m pip install -q --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install -q --require-hashes --no-deps -r backend/requirements-chroma-server.txt
	touch $@

# As the lock file has them, whole or not at all.
writer/node_modules/.stamp: writer/package-lock.json
	cd writer && npm ci --no-audit --no-fund
	touch $@

web: writer/node_modules/.stamp ## the Writer's web build, which lies inside the orchestrator
	cd writer && npm run build

dev: setup ## run everything from this checkout, in the foreground
	$(BIN)/python -m extrophi_cli up

# Those of the Writer's logic first: they take seconds, and say more when something is wrong than a browser does.
test: setup writer/node_modules/.stamp ## all tests, or some: make test T=backend/tests/jobs
	[ -n "$(T)" ] || (cd writer && npm test)
	$(BIN)/python -m pytest -n $(AT_ONCE) --dist loadgroup $(T)

containers: setup ## build the images with podman, and run them: half an hour at most
	$(BIN)/python -m pytest -m "containers and not soak" tests/containers

# Clippy in the compiler's place for our own package: one build is linted, tested and run. With a command for each, Cargo
# would go through 500 packages once more for the lint, and again for a program with other features.
DESKTOP := cd writer/src-tauri && RUSTC_WORKSPACE_WRAPPER=clippy-driver CLIPPY_ARGS=-Dwarnings__CLIPPY_HACKERY__ cargo
writer/dist/web/index.html: writer/node_modules/.stamp writer/index.html writer/vite.config.ts $(shell find writer/src writer/public writer/worker)
	cd writer && npm run build -- --outDir dist/web --logLevel warn

desktop-program: writer/dist/web/index.html
	$(DESKTOP) build --locked --all-targets --features tauri/custom-protocol

desktop: setup desktop-program ## build the desktop program, and run it: its packages are in writer/README.md
	$(DESKTOP) test --locked --features tauri/custom-protocol
	$(BIN)/python -m pytest -m "desktop and not soak" tests/desktop

reproducible: setup ## build each image twice, and compare the layers; the guide's desktop program whole: an hour
	$(BIN)/python -m pytest -m "containers and soak" tests/containers

soak: setup ## twenty rounds of kill -9 of each kind: half an hour
	$(BIN)/python -m pytest -m "soak and not containers and not desktop" --timeout 3600 -s

check: setup writer/node_modules/.stamp ## lint, types, and that generated files are fresh
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright
	$(BIN)/shellcheck $(SCRIPTS)
	$(BIN)/hadolint */Containerfile
	$(BIN)/python docs/generate.py --check
	$(BIN)/python -m extrophi_cli.reference --check
	cd writer/src-tauri && cargo fmt --check
	cd writer && npm run check
	cd writer && npm run types:check
	cd writer && EXTROPHI_WEB_OUT=../.web-check npm run build -- --logLevel warn
	diff -r .web-check $(WEB) && rm -rf .web-check # stale? `make web` makes it anew

fix: setup writer/node_modules/.stamp ## format, and mend what the linter can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	cd writer && npm run format

api: setup writer/node_modules/.stamp ## write what is generated: openapi.json of each component, docs/settings.md, docs/cli.md, the Writer's types
	$(BIN)/python docs/generate.py
	$(BIN)/python -m extrophi_cli.reference
	cd writer && npm run types

COMPILE = $(BIN)/uv pip compile -q --generate-hashes --universal --python-version 3.11 --no-header --no-annotate \
	--no-emit-index-url --no-emit-find-links $(UPGRADE)

# ChromaDB asks for them, and imports none where it is given embeddings: the image installs its list as it is (--no-deps).
UNUSED := build durationpy filelock flatbuffers fsspec hf-xet huggingface-hub kubernetes oauthlib onnxruntime pyproject-hooks \
	requests-oauthlib tokenizers tqdm websocket-client

lock: ## write requirements*.txt from pyproject.toml (UPGRADE=--upgrade takes the newest)
	for component in research orchestrator; do \
		$(COMPILE) $$component/pyproject.toml -o $$component/requirements.txt || exit 1; done
	$(COMPILE) --extra browser --extra platforms backend/pyproject.toml -o backend/requirements.txt
	$(COMPILE) --extra chroma -c backend/requirements.txt backend/pyproject.toml -o backend/requirements-chroma.txt \
		$$(grep -oE '^[a-z0-9-]+' backend/requirements.txt | sed 's/^/--no-emit-package /') $(addprefix --no-emit-package ,$(UNUSED))
	awk '/^chromadb==/, !/\\$$/' backend/requirements-chroma.txt >backend/requirements-chroma-server.txt
	$(COMPILE) --extra browser --extra platforms $(addsuffix /pyproject.toml,$(COMPONENTS)) -o cli/requirements.txt
	$(COMPILE) --extra browser --extra platforms $(addsuffix /pyproject.toml,$(COMPONENTS)) requirements-dev.in -o requirements-dev.txt

bench: setup ## every figure we claim, beside its peer (bench/README.md)
	PYTHONPATH=$(PYTHONPATH):$(CURDIR) $(BIN)/python -m bench.all $(T)

screenshots: setup ## take the pictures of docs/images anew: ten minutes (T="export bar" takes some)
	PYTHONPATH=$(PYTHONPATH):$(CURDIR) $(BIN)/python docs/screenshots.py $(T)

desktop-screenshots: setup desktop-program ## those of the desktop program
	PYTHONPATH=$(PYTHONPATH):$(CURDIR) $(BIN)/python docs/desktop_screenshots.py

clean: ## remove both environments and caches
	rm -rf .venv .venv-dev .web-check writer/node_modules writer/src-tauri/target .pytest_cache .ruff_cache .hypothesis bench/.cache
	find writer/dist -mindepth 1 ! -name .gitignore -delete # the folder itself is what the guide's command mounts
	find . -name __pycache__ -prune -exec rm -rf {} +
