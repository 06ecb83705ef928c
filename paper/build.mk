# Tests of paper/. Works from the repository's root, included by its Makefile or alone:
# make -f paper/build.mk test-paper
.PHONY: test-paper
test-paper:
	bats paper/test
