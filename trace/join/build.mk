# Programs and tests of trace/join. Included from the top, or used alone:
# make -f trace/join/build.mk test-join
BUILD ?= build
ifndef CTF_SRC
include trace/ctf/build.mk
endif

include trace/build.mk

JOIN_CFLAGS := -std=c11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Werror
JOIN_SRC := trace/join
JOIN_HDR := $(wildcard $(JOIN_SRC)/*.h $(JOIN_SRC)/*.def trace/ctf/*.h) \
	$(wildcard trace/*.h trace/*.def) experiments/loadgen/hgrm.h
JOIN_CTF := trace/ctf/complain.c trace/ctf/stream.c trace/ctf/tsdl.c
JOIN_HOSTLOG := $(JOIN_SRC)/hostlog.c $(JOIN_SRC)/hostlog_write.c $(JOIN_CTF)
JOIN_CORE := $(addprefix $(JOIN_SRC)/,mapped.c metadata.c reader.c window.c hull.c line.c clock.c \
	clock_build.c misfit.c causal.c facts.c prefix.c match.c skew.c clock_read.c join.c live.c \
	live_kicks.c live_avail.c live_used.c live_reads.c live_chains.c stalls.c classes.c stages.c \
	digest.c numbers.c rows.c export.c print.c) \
	experiments/loadgen/hgrm.c trace/ctf/complain.c trace/ctf/tsdl.c
JOIN_PROGRAMS := $(BUILD)/trace/join/hostlog2ctf $(BUILD)/trace/join/ringjoin

.PHONY: trace-join
trace-join: $(JOIN_PROGRAMS)

$(BUILD)/trace/join/o/%.o: %.c $(JOIN_HDR) $(wildcard $(JOIN_SRC)/test/*.h)
	@mkdir -p $(@D)
	$(CC) $(JOIN_CFLAGS) -c -o $@ $<

JOIN_O = $(patsubst %.c,$(BUILD)/trace/join/o/%.o,$(1))
$(BUILD)/trace/join/hostlog2ctf: $(call JOIN_O,$(JOIN_SRC)/hostlog2ctf.c $(JOIN_HOSTLOG))
	$(CC) $(JOIN_CFLAGS) -o $@ $^

$(BUILD)/trace/join/ringjoin: $(call JOIN_O,$(JOIN_SRC)/ringjoin.c $(JOIN_CORE))
	$(CC) $(JOIN_CFLAGS) -o $@ $^ -lm

# ---- tests: from the repository's root, as `make test-join` ----
export BUILD
JOIN_TEST := $(BUILD)/trace/join/test
JOIN_TEST_CFLAGS := $(filter-out -O2,$(JOIN_CFLAGS)) -O1 -fsanitize=address,undefined \
	-fno-sanitize-recover=all -DTRACE=1
JOIN_TEST_KIT := $(addprefix $(JOIN_SRC)/test/,kit.c world.c world_write.c)
JOIN_ALL := $(JOIN_CORE) $(JOIN_SRC)/hostlog.c $(JOIN_SRC)/hostlog_write.c trace/ctf/stream.c
JOIN_TESTS := $(addprefix $(JOIN_TEST)/test_,match join full seeds input snap programs)
JOIN_TEST_PROGRAMS := $(JOIN_PROGRAMS) $(BUILD)/trace/ctf/ringsnap $(BUILD)/trace/ctf/ctf-metadata

.PHONY: test-join join-seeds
test-join: $(JOIN_TESTS) $(JOIN_TEST_PROGRAMS)
	@set -e; for t in $(JOIN_TESTS); do $$t; done

JOIN_TEST_O = $(patsubst %.c,$(JOIN_TEST)/o/%.o,$(1))
$(JOIN_TEST)/o/%.o: %.c $(JOIN_HDR) $(wildcard $(JOIN_SRC)/test/*.h)
	@mkdir -p $(@D)
	$(CC) $(JOIN_TEST_CFLAGS) -c -o $@ $<

# Many worlds: without sanitizers, for their number. FIRST_SEED=N goes on where others ended.
join-seeds: $(JOIN_TEST)/seeds
	SEEDS=$(or $(SEEDS),10000) $<
$(JOIN_TEST)/seeds: $(call JOIN_O,$(JOIN_SRC)/test/test_seeds.c $(JOIN_TEST_KIT) $(JOIN_ALL))
	@mkdir -p $(@D)
	$(CC) $(JOIN_CFLAGS) -o $@ $^ -lcmocka -lm

# The guest's own writer, as a Linux process, which runs between the snapshot's reads.
$(JOIN_TEST)/test_snap: $(call JOIN_TEST_O,$(TRACE_WRITER) trace/ctf/region.c trace/ctf/snapshot.c)
$(JOIN_TEST)/test_snap: JOIN_TEST_LDFLAGS := -Wl,--wrap=region_record,--wrap=region_reserved

$(JOIN_TESTS): $(JOIN_TEST)/%: $(JOIN_TEST)/o/$(JOIN_SRC)/test/%.o $(call JOIN_TEST_O,$(JOIN_TEST_KIT) $(JOIN_ALL))
	$(CC) $(JOIN_TEST_CFLAGS) $(JOIN_TEST_LDFLAGS) -o $@ $^ -lcmocka -lm

# ---- `make bench-join`: a program, not a test ----
JOIN_BENCH := $(addprefix $(BUILD)/trace/join/bench/,generate measure)
$(BUILD)/trace/join/bench/%: $(JOIN_SRC)/bench/%.c $(JOIN_CTF) $(JOIN_HDR)
	@mkdir -p $(@D)
	$(CC) $(JOIN_CFLAGS) -o $@ $(filter %.c,$^)

.PHONY: bench-join
bench-join: $(JOIN_PROGRAMS) $(JOIN_BENCH)
	@$(JOIN_SRC)/bench/bench.sh

# ---- fuzzing: one more target of `make fuzz` ----
JOIN_FUZZ_O := $(patsubst %.c,$(BUILD)/virtio_net/fuzz/o/%.o,$(JOIN_SRC)/fuzz/join.c $(JOIN_CORE) \
	trace/ctf/stream.c virtio_net/fuzz/seeds.c)
$(BUILD)/virtio_net/fuzz/o/%.o: %.c $(JOIN_HDR) virtio_net/fuzz/seeds.h
	@mkdir -p $(@D)
	clang $(JOIN_TEST_CFLAGS) -fsanitize=fuzzer-no-link -c -o $@ $<

$(BUILD)/virtio_net/fuzz/join: $(JOIN_FUZZ_O)
	clang $(JOIN_TEST_CFLAGS) -fsanitize=fuzzer -o $@ $^ -lm
