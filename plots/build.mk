# Tests of plots/. Works from the repository's root, included by its Makefile or alone:
# make -f plots/build.mk test-plots
.PHONY: test-plots
test-plots:
	bats plots/test
