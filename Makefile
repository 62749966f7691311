# The commands of everyday work; `make` alone lists them.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run check openapi test test-deploy advisories torture bench package image deploy-aws deps

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s  %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Start the service on reelshelf.db, a SQLite file in this directory
	@scripts/need cc
	cargo run --release -- serve --database sqlite:reelshelf.db

check: ## Formatting and lints
	@scripts/need cc
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings

openapi: ## Renew docs/openapi.json, the description of the API
	REELSHELF_RENEW_OPENAPI=1 cargo test --test it the_description_is_the_one_in_docs

test: deps check ## The lints, the licences of dependencies, all tests on SQLite and PostgreSQL, generated requests, Postman's collection, faults, the pages in a browser
	scripts/workflows
	scripts/dependencies
	scripts/with-postgres cargo test
	cargo build
	schemathesis/run
	postman/run
	torture/run --short --binary target/debug/reelshelf
	e2e/run

test-deploy: ## What is put onto servers: the Debian package, AWS, the container image; takes root
	@[ "$$(id -u)" -eq 0 ] || { echo "it boots a bare Debian, which takes root" >&2; exit 1; }
	@scripts/need cc
	cargo build
	REELSHELF_DEB=$$(scripts/package dev) && export REELSHELF_DEB && deploy/debian/test/run && deploy/aws/test/run
	deploy/container/test/run

torture: ## Fault injection on SQLite and PostgreSQL, for many minutes; takes root, or TORTURE=--without-root
	@scripts/need cc postgres
	nice torture/run $(TORTURE)

advisories: ## Known weaknesses of what the program is made of; their list is fetched from GitHub
	scripts/dependencies advisories

bench: ## Measure the release build and the limits beside it, on SQLite and PostgreSQL; takes an hour
	scripts/with-postgres bench/run

package: ## The Debian package, in target/debian
	@scripts/need cc
	cargo build --release --locked
	rm -rf target/debian
	scripts/package release

image: ## The container image, reelshelf:VERSION, by docker or podman
	deploy/container/build "reelshelf:$$(cargo pkgid | sed 's/.*[#@]//')"

deploy-aws: ## Deploy the package DEB to AWS with TEMPLATE=instance|group and PARAMETERS (deploy/aws/README.md)
	@scripts/need aws
	deploy/aws/deploy "$(DEB)" $(PARAMETERS)

deps: ## Install from Debian what building and testing lack (done by `make test`)
	@scripts/need cc chromium curl fonts nginx npm pgbouncer postgres venv
