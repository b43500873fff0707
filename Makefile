# The few commands of this project. `make demo` shows it, `make test` proves it.
# SPDX-License-Identifier: MIT
.PHONY: help demo test check mutants soak bench format clean

help:
	@echo 'make demo    build the library and run the cheat sheet beside Python'
	@echo 'make test    install what is missing, build, run all tests'
	@echo 'make check   what CI runs: tests, sanitizers, other compilers, house rules'
	@echo 'make mutants plant faults, one at a time: each must turn a test red'
	@echo 'make soak    what takes longer than CI may; tools/soak tells more'
	@echo 'make bench   the table of costs; BENCH_ARGS=--help tells more'
	@echo 'make format  clang-format over our files'
	@echo 'make clean   remove build/'

demo:
	@tools/demo.sh

test:
	@tools/test.sh

check:
	@tools/check

mutants:
	@tools/mutants.py

soak:
	@tools/soak

bench:
	@tools/bench $(BENCH_ARGS)

format:
	@tools/format.sh

clean:
	rm -rf build
