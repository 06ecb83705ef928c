# `make bench-trace`. Included by the top Makefile after trace/build.mk.
TRACE_BENCH := $(BUILD)/trace/bench
TRACE_BENCH_FLAGS := -std=gnu11 -O2 -g -Wall -Wextra -Werror -I.
TRACE_BENCH_HDR := $(wildcard trace/*.h trace/*.def trace/bench/*.h)

# The tracepoints' macros are not written for our warnings.
$(TRACE_BENCH)/side_lttng.o: trace/bench/side_lttng.c $(TRACE_BENCH_HDR)
	@mkdir -p $(@D)
	gcc -std=gnu11 -O2 -g -I. -c -o $@ $<
$(TRACE_BENCH)/side_ours_off.o: trace/bench/side_ours.c $(TRACE_BENCH_HDR)
	@mkdir -p $(@D)
	gcc $(TRACE_BENCH_FLAGS) -DTRACE=0 -c -o $@ $<
$(TRACE_BENCH)/trace_cost: $(addprefix trace/bench/,trace_cost.c side_ours.c side_ring.c) $(TRACE_WRITER) \
		$(TRACE_BENCH)/side_lttng.o $(TRACE_BENCH)/side_ours_off.o $(TRACE_BENCH_HDR)
	gcc $(TRACE_BENCH_FLAGS) -DTRACE=1 -o $@ $(filter %.c %.o,$^) -llttng-ust -ldl

.PHONY: bench-trace-built test-bench-trace
bench-trace-built: $(TRACE_BENCH)/trace_cost
