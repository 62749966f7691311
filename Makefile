# The commands of everyday work; `make` alone lists them.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run check test bench package image deploy-aws deps

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s  %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Start the service on reelshelf.db, a SQLite file in this directory
	@scripts/need cc
	cargo run --release -- serve --database sqlite:reelshelf.db

check: ## Formatting and lints
	@scripts/need cc
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings

test: deps check ## Everything: the lints, all tests on SQLite and PostgreSQL, generated requests, Postman's collection, the pages in a browser, the package, the image, AWS
	scripts/workflows
	scripts/with-postgres cargo test
	cargo build
	scripts/schemathesis
	scripts/postman
	scripts/e2e
	scripts/debian
	scripts/container
	scripts/aws

bench: ## Load, scale and comparison, on SQLite and PostgreSQL
	scripts/with-postgres bench/run

package: ## The Debian package, in target/debian
	@scripts/need cc
	cargo build --release --locked
	rm -rf target/debian
	scripts/package release

image: ## The container image, reelshelf:VERSION, by docker or podman
	deploy/container/build "reelshelf:$$(cargo pkgid | sed 's/.*[#@]//')"

deploy-aws: ## Put the package DEB on AWS; PARAMETERS are those of deploy/aws/reelshelf.yaml
	@scripts/need aws
	deploy/aws/deploy "$(DEB)" $(PARAMETERS)

deps: ## Install from Debian what building and testing lack (done by `make test`)
	@scripts/need cc certificates chromium curl debootstrap dpkg-dev nginx npm nspawn pebble podman postgres shellcheck venv
