# `make bench`. Included by the top Makefile after virtio_net/hosted/build.mk, whose list of the
# driver's sources it takes.
BUILD ?= build

BENCH_OUT   := $(BUILD)/experiments/bench
BENCH_SRC   := $(filter-out %/vhost_user.c %/vhost_net.c,$(HOSTED_CORE)) virtio_net/mode_poll.c \
	experiments/bench/in_process.c $(TRACE_WRITER) \
	$(patsubst %,faultinj/%.c,plan device device_split device_packed)
BENCH_USES  := $(BENCH_SRC) $(wildcard $(addsuffix /*.[hd]*,virtio_net virtio_net/port virtio_net/transport faultinj trace))
BENCH_FLAGS := $(filter-out -MMD -MP -DTRACE=% -DFAULT=%,$(HOSTED_FLAGS)) -O2 -g

# The driver in one process with a device, once for each thing whose cost is asked for.
BENCH_BUILDS   := plain trace fault unchecked
BENCH_ON_trace := -DTRACE=1 -DFAULT=0
BENCH_ON_fault := -DTRACE=0 -DFAULT=1
bench_on        = $(or $(BENCH_ON_$(1)),-DTRACE=0 -DFAULT=0)

$(BENCH_OUT)/%/in_process: $(BENCH_USES)
	@mkdir -p $(@D)
	gcc $(BENCH_FLAGS) $(call bench_on,$*) -o $@ $(BENCH_SRC)

# Without the checks: from a copy of the sources.
$(BENCH_OUT)/unchecked/in_process: $(BENCH_USES) experiments/bench/unchecked.tsv virtio_net/mutants/replace.awk
	@rm -rf $(@D)
	@mkdir -p $(@D)/src/experiments
	cp -r virtio_net faultinj trace $(@D)/src/
	cp -r experiments/bench $(@D)/src/experiments/
	awk -F '\t' -v dir=$(@D)/src -f virtio_net/mutants/replace.awk experiments/bench/unchecked.tsv
	cd $(@D)/src && gcc $(BENCH_FLAGS) $(call bench_on,unchecked) -o $@ $(BENCH_SRC)

.PHONY: bench-built
bench-built: peers hosted-programs $(BENCH_BUILDS:%=$(BENCH_OUT)/%/in_process)

.PHONY: test-bench
test-bench:
	@! pkg-config --exists libdpdk || ! command -v valgrind >/dev/null || $(MAKE) bench-built SETUP=no
	@bats --tap experiments/bench/test
