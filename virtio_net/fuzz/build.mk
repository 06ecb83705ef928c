# The fuzz targets: libFuzzer, AddressSanitizer, UndefinedBehaviorSanitizer. Included by the top
# Makefile after virtio_net/build.mk.
FUZZ_CC      := clang
FUZZ_OUT     := $(BUILD)/virtio_net/fuzz
FUZZ_TARGETS := used_ring config ctrl rx_header
# The model device of a small ring: less to forget at each run.
FUZZ_FLAGS   := -std=c11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Werror -MMD -MP -I. -fno-pie -fno-omit-frame-pointer \
	-DTRACE=0 -DFAULT=0 -DRING_DEV_SIZE_MAX=1024u -include virtio_net/fuzz/clock.h \
	-fsanitize=address,undefined -fno-sanitize-recover=all
# Only what the driver does is new to the fuzzer.
FUZZ_DRIVER  := $(VNET_CORE) virtio_net/mode_hybrid.c
FUZZ_AROUND  := $(VNET_TEST_MODEL) $(patsubst %,virtio_net/fuzz/%.c,kit liar seeds)

$(FUZZ_OUT)/%.o: %.c
	@mkdir -p $(@D)
	$(FUZZ_CC) $(FUZZ_FLAGS) $(if $(filter $(FUZZ_DRIVER),$<),-fsanitize=fuzzer-no-link $(VNET_POINTS)) -c -o $@ $<

FUZZ_BINARIES := $(FUZZ_TARGETS:%=$(FUZZ_OUT)/%)
$(FUZZ_BINARIES): $(FUZZ_OUT)/%: $(FUZZ_OUT)/virtio_net/fuzz/%.o \
		$(patsubst %.c,$(FUZZ_OUT)/%.o,$(FUZZ_DRIVER) $(FUZZ_AROUND))
	$(FUZZ_CC) $(FUZZ_FLAGS) -no-pie -fsanitize=fuzzer -o $@ $^

.PHONY: fuzz fuzz-targets fuzz-names fuzz-corpus test-fuzz
fuzz-targets: $(FUZZ_BINARIES)
fuzz-names:
	@echo $(FUZZ_TARGETS)
T ?= 60
fuzz:
	@virtio_net/fuzz/fuzz.sh for $(T)
test-fuzz:
	@virtio_net/fuzz/fuzz.sh test
fuzz-corpus:
	@virtio_net/fuzz/fuzz.sh seeds

-include $(shell find $(FUZZ_OUT) -name '*.d' 2>/dev/null)
