# The driver: its objects for the guest, one set a mode, and its tests.
# Works from the repository's root, included by its Makefile or alone:
# make -f virtio_net/build.mk test-driver
BUILD ?= build
TRACE ?= 1
FAULT ?= 1

VNET_MODES   := poll intr hybrid
VNET_TRANSPORTS := $(patsubst %,virtio_net/transport/%.c,pci_modern pci_legacy mmio)
VNET_CORE    := $(patsubst %,virtio_net/%.c,vring vring_split vring_packed features dev wait ctrl ctrl_commands rss queue_reset restart vectors \
	rx rx_frame tx offload irq) $(VNET_TRANSPORTS)
VNET_SUPPORT := trace/buffer.c faultinj/plan.c

# Guest: VNET_OBJS_<mode> is what kernel/build.mk links. Its flags come from there, so they are
# looked up when the rule runs.
VNET_GUEST_FLAGS = $(KERNEL_CFLAGS) -DPORT_GUEST -DTRACE=$(TRACE) -DFAULT=$(FAULT)

define vnet_mode_objects
VNET_OBJS_$(1) := $$(patsubst %.c,$$(BUILD)/guest/$(1)/%.o,$$(VNET_CORE) virtio_net/mode_$(1).c $$(VNET_SUPPORT))
$$(BUILD)/guest/$(1)/%.o: %.c $$(BUILD)/guest/flags
	@mkdir -p $$(@D)
	$$(KERNEL_CC) $$(VNET_GUEST_FLAGS) -MMD -MP -c -o $$@ $$<
-include $$(VNET_OBJS_$(1):.o=.d)
endef
$(foreach mode,$(VNET_MODES),$(eval $(call vnet_mode_objects,$(mode))))

# Switching the seams on or off rebuilds.
$(BUILD)/guest/flags: virtio_net/flags_force
	@mkdir -p $(@D)
	@echo 'TRACE=$(TRACE) FAULT=$(FAULT)' | cmp -s - $@ || echo 'TRACE=$(TRACE) FAULT=$(FAULT)' > $@
.PHONY: virtio_net/flags_force
virtio_net/flags_force:

# Tests: hosted, with the sanitizers; the driver's own objects also with its points (test/points.h).
VNET_WERROR     := -Werror
VNET_TEST_CC    := gcc
VNET_TEST_LIBS  := -lcmocka
VNET_TEST_OUT   := $(BUILD)/virtio_net/test
VNET_TEST_SAN   := -fsanitize=address,undefined -fno-sanitize-recover=all
# Not position-independent: a legacy device knows a ring by 32 bits of page number, so statics lie low.
VNET_TEST_FLAGS := -std=c11 -D_GNU_SOURCE -O1 -g -Wall -Wextra $(VNET_WERROR) -MMD -MP -I. -no-pie -fno-pie \
	-DTRACE=1 -DFAULT=1 $(VNET_TEST_SAN)
VNET_POINTS     := -include virtio_net/test/points.h

$(VNET_TEST_OUT)/%.o: %.c
	@mkdir -p $(@D)
	$(VNET_TEST_CC) $(VNET_TEST_FLAGS) $(if $(filter $(VNET_CORE) virtio_net/mode_%.c,$<),$(VNET_POINTS)) -c -o $@ $<

vnet_test_objs = $(patsubst %.c,$(VNET_TEST_OUT)/%.o,$(1))
VNET_DEVICE := $(patsubst %,faultinj/%.c,device device_split device_packed)
VNET_TEST_RING := $(patsubst %,virtio_net/%.c,vring vring_split vring_packed) $(VNET_DEVICE) virtio_net/test/ring_pair.c

VNET_TEST_MODEL := $(VNET_DEVICE) \
	$(patsubst %,virtio_net/test/%.c,model model_any model_bus model_pci model_legacy model_mmio)
VNET_TEST_WORLD := $(VNET_CORE) $(VNET_SUPPORT) $(VNET_TEST_MODEL) virtio_net/test/world.c
VNET_TEST_KIT   := $(filter-out %/world.c,$(VNET_TEST_WORLD)) virtio_net/test/kit.c virtio_net/mode_hybrid.c
VNET_KIT_TESTS  := test_attach test_ctrl test_vectors test_transports test_rules test_mmio test_legacy

VNET_TESTS := $(addprefix $(VNET_TEST_OUT)/,test_ring test_ring_parts test_ring_notify $(VNET_KIT_TESTS) \
	test_rss test_merge test_offload test_trace \
	$(VNET_MODES:%=test_mode_%) test_watchdog_intr test_watchdog_hybrid \
	$(VNET_MODES:%=test_queue_reset_%) $(VNET_MODES:%=test_restart_%))
$(VNET_TEST_OUT)/test_ring: $(call vnet_test_objs,$(VNET_TEST_RING) virtio_net/test/test_ring.c)
$(VNET_TEST_OUT)/test_ring_parts: $(call vnet_test_objs,$(VNET_TEST_RING) virtio_net/test/test_ring_parts.c)
$(VNET_TEST_OUT)/test_ring_notify: $(call vnet_test_objs,$(VNET_TEST_RING) virtio_net/test/test_ring_notify.c)
$(foreach test,$(VNET_KIT_TESTS),$(eval $(VNET_TEST_OUT)/$(test): \
	$(call vnet_test_objs,$(VNET_TEST_KIT) virtio_net/test/$(test).c)))
$(VNET_TEST_OUT)/test_rss: $(call vnet_test_objs,$(VNET_TEST_KIT) virtio_net/test/model_rss.c virtio_net/test/test_rss.c)
$(foreach test,test_merge test_offload,$(eval $(VNET_TEST_OUT)/$(test): $(call vnet_test_objs,\
	$(filter-out %/world.c,$(VNET_TEST_WORLD)) virtio_net/test/frames.c virtio_net/mode_hybrid.c virtio_net/test/$(test).c)))
$(VNET_TEST_OUT)/test_trace: $(call vnet_test_objs,$(VNET_TEST_WORLD) \
	virtio_net/test/test_trace.c virtio_net/mode_hybrid.c)
$(foreach mode,$(VNET_MODES),$(eval $(VNET_TEST_OUT)/test_mode_$(mode): \
	$(call vnet_test_objs,$(VNET_TEST_WORLD) virtio_net/test/test_modes.c virtio_net/mode_$(mode).c)))
$(foreach mode,intr hybrid,$(eval $(VNET_TEST_OUT)/test_watchdog_$(mode): \
	$(call vnet_test_objs,$(VNET_TEST_WORLD) virtio_net/test/test_watchdog.c virtio_net/mode_$(mode).c)))
$(foreach mode,$(VNET_MODES),$(eval $(VNET_TEST_OUT)/test_queue_reset_$(mode): \
	$(call vnet_test_objs,$(VNET_TEST_WORLD) virtio_net/test/test_queue_reset.c virtio_net/mode_$(mode).c)))

$(foreach mode,$(VNET_MODES),$(eval $(VNET_TEST_OUT)/test_restart_$(mode): \
	$(call vnet_test_objs,$(VNET_TEST_WORLD) virtio_net/test/test_restart.c virtio_net/mode_$(mode).c)))

$(VNET_TESTS):
	$(VNET_TEST_CC) $(VNET_TEST_FLAGS) -o $@ $^ $(VNET_TEST_LIBS)

.PHONY: test-driver
test-driver: $(VNET_TESTS)
	@for t in $(VNET_TESTS); do $$t || exit; done
	virtio_net/test/text_identical.sh $(VNET_TEST_OUT)/text $(VNET_CORE) $(VNET_MODES:%=virtio_net/mode_%.c)

include virtio_net/model/build.mk virtio_net/schedule/build.mk

.PHONY: conformance
conformance:
	@virtio_net/conformance/conformance.sh

.PHONY: mutants
mutants: $(VNET_TESTS)
	@virtio_net/mutants/mutants.sh

.PHONY: test-names
test-names:
	@echo $(VNET_TESTS)

-include $(shell find $(VNET_TEST_OUT) -name '*.d' 2>/dev/null)
