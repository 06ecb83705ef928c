# The driver as Linux processes: one program of each kind in each mode. Included by the top Makefile
# after virtio_net/build.mk, whose list of the driver's sources it takes.
BUILD ?= build

HOSTED_PROGRAMS := source sink echo pcap
HOSTED_OUT      := $(BUILD)/virtio_net/hosted
HOSTED_CORE     := $(filter-out $(VNET_TRANSPORTS) %/vectors.c,$(VNET_CORE)) \
	$(patsubst %,virtio_net/transport/%.c,vhost vhost_ctrl vhost_user vhost_net)
HOSTED_COMMON   := $(patsubst %,virtio_net/hosted/%.c,main options device pool loop report)
HOSTED_source   := virtio_net/hosted/source.c virtio_net/hosted/sender.c
HOSTED_sink     := virtio_net/hosted/sink.c
HOSTED_echo     := virtio_net/hosted/echo.c
HOSTED_pcap     := virtio_net/hosted/pcap.c virtio_net/hosted/sender.c
HOSTED_LIBS_pcap := -lpcap
# Static where nothing is in the way: a host of another release runs them too.
HOSTED_LINK_source := -static
HOSTED_LINK_sink   := -static
HOSTED_LINK_echo   := -static
HOSTED_FLAGS    := -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -MMD -MP -I. -DPORT_PROCESS -DTRACE=0 -DFAULT=0
HOSTED_SAN      := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all

# Twice: as they are used, and with the sanitizers for the tests.
$(HOSTED_OUT)/opt/%.o: %.c
	@mkdir -p $(@D)
	gcc $(HOSTED_FLAGS) -O2 -g -c -o $@ $<
$(HOSTED_OUT)/san/%.o: %.c
	@mkdir -p $(@D)
	gcc $(HOSTED_FLAGS) $(HOSTED_SAN) -c -o $@ $<

# hosted_program PROGRAM MODE
define hosted_program
$(HOSTED_OUT)/$(1)-$(2): $$(patsubst %.c,$(HOSTED_OUT)/opt/%.o,$(HOSTED_CORE) $(HOSTED_COMMON) \
		$(HOSTED_$(1)) virtio_net/mode_$(2).c)
	gcc -O2 $$(HOSTED_LINK_$(1)) -o $$@ $$^ $$(HOSTED_LIBS_$(1))
$(HOSTED_OUT)/san/$(1)-$(2): $$(patsubst %.c,$(HOSTED_OUT)/san/%.o,$(HOSTED_CORE) $(HOSTED_COMMON) \
		$(HOSTED_$(1)) virtio_net/mode_$(2).c)
	gcc $$(HOSTED_SAN) -o $$@ $$^ $$(HOSTED_LIBS_$(1))
endef
$(foreach p,$(HOSTED_PROGRAMS),$(foreach m,$(VNET_MODES),$(eval $(call hosted_program,$(p),$(m)))))
HOSTED_BINARIES := $(foreach p,$(HOSTED_PROGRAMS),$(VNET_MODES:%=$(p)-%))

.PHONY: hosted-programs setup-hosted
hosted-programs: $(HOSTED_BINARIES:%=$(HOSTED_OUT)/%)

# Tests: the programs with the sanitizers against a backend of ours.
HOSTED_BACKEND := $(patsubst %,faultinj/%.c,device device_split device_packed) \
	$(patsubst %,virtio_net/hosted/test/%.c,backend messages rings)
$(HOSTED_OUT)/san/backend: $(patsubst %.c,$(HOSTED_OUT)/san/%.o,$(HOSTED_BACKEND))
	gcc $(HOSTED_SAN) -o $@ $^

# The kernel behind /dev/vhost-net: a table in the test.
HOSTED_TABLE_TESTS := $(patsubst %,$(HOSTED_OUT)/san/%,test_vhost_net test_vhost_queues)
$(HOSTED_TABLE_TESTS): $(HOSTED_OUT)/san/%: $(HOSTED_OUT)/san/virtio_net/hosted/test/%.o \
		$(patsubst %.c,$(HOSTED_OUT)/san/%.o,$(HOSTED_CORE) virtio_net/mode_hybrid.c \
		$(filter faultinj/%,$(HOSTED_BACKEND)) \
		$(patsubst %,virtio_net/hosted/test/%.c,vhost_net_kit table_kernel))
	gcc $(HOSTED_SAN) -Wl,--wrap=ioctl,--wrap=open,--wrap=close -o $@ $^ -lcmocka

# echo on a tap, with vhost-net pretended.
define hosted_pretended
$(HOSTED_OUT)/san/pretend-echo-$(1): $$(patsubst %.c,$(HOSTED_OUT)/san/%.o,$(HOSTED_CORE) $(HOSTED_COMMON) \
		$(HOSTED_echo) virtio_net/mode_$(1).c $(filter faultinj/%,$(HOSTED_BACKEND)) \
		virtio_net/hosted/test/pretend_vhost.c)
	gcc $$(HOSTED_SAN) -Wl,--wrap=ioctl,--wrap=open -o $$@ $$^ -lpthread
endef
$(foreach m,$(VNET_MODES),$(eval $(call hosted_pretended,$(m))))

HOSTED_TESTED := $(HOSTED_BINARIES:%=$(HOSTED_OUT)/san/%) $(HOSTED_OUT)/san/backend
test-hosted-built: $(HOSTED_TESTED)
.PHONY: test-hosted test-dpdk test-vhost-net
test-hosted: $(HOSTED_TESTED) $(HOSTED_TABLE_TESTS) $(VNET_MODES:%=$(HOSTED_OUT)/san/pretend-echo-%) \
		$(BUILD)/experiments/loadgen/loadgen
	@for t in $(HOSTED_TABLE_TESTS); do $$t || exit; done
	@bats --tap virtio_net/hosted/test/hosted.bats virtio_net/hosted/test/tap.bats
test-dpdk: $(HOSTED_TESTED)
	@bats --tap virtio_net/hosted/test/dpdk.bats
test-vhost-net: $(VNET_MODES:%=$(HOSTED_OUT)/echo-%) $(BUILD)/experiments/loadgen/loadgen
	@bats --tap virtio_net/hosted/test/vhost_net.bats

-include $(shell find $(HOSTED_OUT) -name '*.d' 2>/dev/null)
