# The guest's side of the trace, which whoever links the traced driver links too, and its tests.
# Included by name, so that each can be used alone: make -f trace/build.mk test-trace
BUILD ?= build
ifndef TRACE_WRITER
TRACE_WRITER := $(addprefix trace/,buffer.c write.c trigger.c)

TRACE_TEST      := $(BUILD)/trace/test
TRACE_TEST_HDR  := $(wildcard trace/*.h trace/*.def trace/test/*.h)
TRACE_TEST_FLAGS := -std=c11 -D_GNU_SOURCE -g -Wall -Wextra -Werror -DTRACE=1
TRACE_TEST_SAN  := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all

# Stepped through instruction by instruction, so as the guest has it: without the sanitizers.
$(TRACE_TEST)/test_nesting: trace/test/test_nesting.c trace/test/step.c $(TRACE_WRITER) $(TRACE_TEST_HDR)
	@mkdir -p $(@D)
	$(CC) $(TRACE_TEST_FLAGS) -O2 -o $@ $(filter %.c,$^) -lcmocka

$(TRACE_TEST)/test_trigger: trace/test/test_trigger.c $(TRACE_WRITER) \
		trace/ctf/region.c trace/ctf/snapshot.c trace/ctf/stream.c trace/ctf/tsdl.c trace/ctf/complain.c \
		trace/ctf/classes.c $(TRACE_TEST_HDR)
	@mkdir -p $(@D)
	$(CC) $(TRACE_TEST_FLAGS) $(TRACE_TEST_SAN) -o $@ $(filter %.c,$^) -lcmocka

.PHONY: test-trace
test-trace: $(TRACE_TEST)/test_nesting $(TRACE_TEST)/test_trigger
	@set -e; for t in $^; do $$t; done
	@BUILD=$(BUILD) bats --tap trace/test/guest.bats
endif
