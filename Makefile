# One line each; scripts/ does the work. `make` alone runs all checks.
.PHONY: test setup build bench format lint peers plots xla clean

test: ; scripts/test
setup: ; scripts/setup
build: ; scripts/setup && swift build -c release
bench: ; scripts/bench
format: ; swift format --in-place --recursive --parallel Package.swift Sources Tests
lint: ; swift format lint --strict --recursive --parallel Package.swift Sources Tests
peers: ; scripts/peers
plots: ; scripts/plots
xla: ; scripts/xla
clean: ; swift package clean && rm -rf .build/outside
