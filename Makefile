# The common commands; `make` lists them.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run check openapi test test-deploy advisories torture bench package image deploy-aws deps

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s  %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Start the service on reelshelf.db, a SQLite file in this directory
	@scripts/need cc
	cargo run --profile quick -- serve --database sqlite:reelshelf.db

check: ## Check formatting and lints
	@scripts/need cc
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings

openapi: ## Regenerate docs/openapi.json, the description of the API
	REELSHELF_RENEW_OPENAPI=1 cargo test --test it the_description_is_the_one_in_docs

test: deps check ## Run the lints and all tests: SQLite, PostgreSQL, generated requests, Postman's collection, faults, a browser
	scripts/workflows
	scripts/dependencies
	scripts/with-postgres cargo test
	cargo build
	schemathesis/run
	postman/run
	torture/run --short --binary target/debug/reelshelf
	e2e/run

test-deploy: ## Test the Debian package, the AWS templates and the container image; needs root
	@[ "$$(id -u)" -eq 0 ] || { echo "make test-deploy boots a bare Debian, which needs root" >&2; exit 1; }
	@scripts/need cc
	cargo build
	REELSHELF_DEB=$$(scripts/package dev) && export REELSHELF_DEB && deploy/debian/test/run && deploy/aws/test/run
	deploy/container/test/run

torture: ## Run the fault injection on SQLite and PostgreSQL, for many minutes; needs root, or TORTURE=--without-root
	@scripts/need cc postgres
	nice torture/run $(TORTURE)

advisories: ## Check the dependencies for known vulnerabilities, by a list from GitHub
	scripts/dependencies advisories

bench: ## Run the benchmark of the release build on SQLite and PostgreSQL, for an hour
	scripts/with-postgres bench/run

package: ## Build the Debian package, in target/debian
	@scripts/need cc
	cargo build --release --locked
	rm -rf target/debian
	scripts/package release

image: ## Build the container image reelshelf:VERSION, by docker or podman
	deploy/container/build "reelshelf:$$(cargo pkgid | sed 's/.*[#@]//')"

deploy-aws: ## Deploy the package DEB to AWS with TEMPLATE=instance|group and PARAMETERS (deploy/aws/README.md)
	@scripts/need aws
	deploy/aws/deploy "$(DEB)" $(PARAMETERS)

deps: ## Install the missing Debian packages for building and testing (part of `make test`)
	@scripts/need cc chromium curl fonts nginx npm pgbouncer postgres venv
