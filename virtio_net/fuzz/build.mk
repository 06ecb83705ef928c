# The fuzz targets: libFuzzer, AddressSanitizer, UndefinedBehaviorSanitizer. Included by the top
# Makefile after virtio_net/build.mk.
FUZZ_CC      := clang
FUZZ_OUT     := $(BUILD)/virtio_net/fuzz
FUZZ_TARGETS := used_ring used_ring-intr used_ring-poll config ctrl rx_header
# The model device of a small ring: less to forget at each run.
FUZZ_FLAGS   := -std=c11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Werror -MMD -MP -I. -fno-pie -fno-omit-frame-pointer \
	-DTRACE=0 -DFAULT=0 -DRING_DEV_SIZE_MAX=1024u -include virtio_net/fuzz/clock.h \
	-fsanitize=address,undefined -fno-sanitize-recover=all
# Only what the driver does is new to the fuzzer.
FUZZ_DRIVER  := $(VNET_CORE) $(VNET_MODES:%=virtio_net/mode_%.c)
FUZZ_AROUND  := $(VNET_TEST_MODEL) $(patsubst %,virtio_net/fuzz/%.c,kit liar seeds)

$(FUZZ_OUT)/%.o: %.c
	@mkdir -p $(@D)
	$(FUZZ_CC) $(FUZZ_FLAGS) $(if $(filter $(FUZZ_DRIVER),$<),-fsanitize=fuzzer-no-link $(VNET_POINTS)) -c -o $@ $<

FUZZ_BINARIES := $(FUZZ_TARGETS:%=$(FUZZ_OUT)/%)
# fuzz_binary NAME: TARGET or TARGET-MODE, in mode hybrid where none is named
define fuzz_binary
$(FUZZ_OUT)/$(1): $(patsubst %.c,$(FUZZ_OUT)/%.o,virtio_net/fuzz/$(firstword $(subst -, ,$(1))).c $(VNET_CORE) \
	virtio_net/mode_$(or $(word 2,$(subst -, ,$(1))),hybrid).c $(FUZZ_AROUND))
endef
$(foreach name,$(FUZZ_TARGETS),$(eval $(call fuzz_binary,$(name))))
$(FUZZ_BINARIES):
	$(FUZZ_CC) $(FUZZ_FLAGS) -no-pie -fsanitize=fuzzer -o $@ $^

.PHONY: fuzz fuzz-targets fuzz-names fuzz-corpus test-fuzz
# Beside the driver's: the joiner, see trace/join/build.mk.
fuzz-targets: $(FUZZ_BINARIES) $(FUZZ_OUT)/join
fuzz-names:
	@echo $(FUZZ_TARGETS) join
T ?= 60
fuzz:
	@virtio_net/fuzz/fuzz.sh for $(T)
test-fuzz:
	@virtio_net/fuzz/fuzz.sh test
fuzz-corpus:
	@virtio_net/fuzz/fuzz.sh seeds

-include $(shell find $(FUZZ_OUT) -name '*.d' 2>/dev/null)
