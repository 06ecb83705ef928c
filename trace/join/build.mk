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
	trace/record.h trace/events.def
JOIN_CTF := trace/ctf/complain.c trace/ctf/stream.c trace/ctf/tsdl.c
JOIN_HOSTLOG := $(JOIN_SRC)/hostlog.c $(JOIN_SRC)/hostlog_write.c $(JOIN_CTF)
JOIN_CORE := $(addprefix $(JOIN_SRC)/,events.c hull.c align.c causal.c sort_out.c match.c \
	classify.c call_reads.c chain.c stages.c numbers.c export.c print.c) trace/ctf/complain.c trace/ctf/tsdl.c
JOIN_PROGRAMS := $(BUILD)/trace/join/hostlog2ctf $(BUILD)/trace/join/ringjoin

.PHONY: trace-join
trace-join: $(JOIN_PROGRAMS)

$(BUILD)/trace/join/hostlog2ctf: $(JOIN_SRC)/hostlog2ctf.c $(JOIN_HOSTLOG) $(JOIN_HDR)
	@mkdir -p $(@D)
	$(CC) $(JOIN_CFLAGS) -o $@ $(filter %.c,$^)

$(BUILD)/trace/join/ringjoin: $(JOIN_SRC)/ringjoin.c $(JOIN_CORE) $(JOIN_HDR)
	@mkdir -p $(@D)
	$(CC) $(JOIN_CFLAGS) -o $@ $(filter %.c,$^) -lm

# ---- tests: from the repository's root, as `make test-join` ----
export BUILD
JOIN_TEST := $(BUILD)/trace/join/test
JOIN_TEST_CFLAGS := $(filter-out -O2,$(JOIN_CFLAGS)) -O1 -fsanitize=address,undefined \
	-fno-sanitize-recover=all -DTRACE=1
JOIN_TEST_KIT := $(addprefix $(JOIN_SRC)/test/,kit.c world.c world_write.c)
JOIN_ALL := $(JOIN_CORE) $(JOIN_SRC)/hostlog.c $(JOIN_SRC)/hostlog_write.c trace/ctf/stream.c
JOIN_TESTS := $(addprefix $(JOIN_TEST)/,test_join test_match test_input test_snap test_programs)
JOIN_TEST_PROGRAMS := $(JOIN_PROGRAMS) $(BUILD)/trace/ctf/ringsnap $(BUILD)/trace/ctf/ctf-metadata

.PHONY: test-join
test-join: $(JOIN_TESTS) $(JOIN_TEST_PROGRAMS)
	@set -e; for t in $(JOIN_TESTS); do $$t; done

# The guest's own writer, as a Linux process, which runs between the snapshot's reads.
$(JOIN_TEST)/test_snap: $(TRACE_WRITER) trace/ctf/region.c trace/ctf/snapshot.c
$(JOIN_TEST)/test_snap: JOIN_TEST_LDFLAGS := -Wl,--wrap=region_record,--wrap=region_reserved

$(JOIN_TEST)/test_%: $(JOIN_SRC)/test/test_%.c $(JOIN_TEST_KIT) $(JOIN_ALL) $(JOIN_HDR) \
		$(wildcard $(JOIN_SRC)/test/*.h)
	@mkdir -p $(@D)
	$(CC) $(JOIN_TEST_CFLAGS) $(JOIN_TEST_LDFLAGS) -o $@ $(filter %.c,$^) -lcmocka -lm
