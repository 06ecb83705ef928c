# The guest kernel: $(BUILD)/kernel/ringscope-$(MODE).elf for each mode of the driver.
# Included by the Makefile of the repository's root, where paths start.
#
# VNET_OBJS_poll, VNET_OBJS_intr, VNET_OBJS_hybrid: objects that a mode's kernel links besides the
# kernel's own; may be set before or after the inclusion. Compile them with $(KERNEL_CFLAGS).
# KERNEL_SRCS: the C files of the kernel; without the port to the driver it links alone.

BUILD ?= build
KERNEL_CC ?= gcc
KERNEL_MODES := poll intr hybrid

KERNEL_CFLAGS := -std=gnu11 -O2 -g -Wall -Wextra -Werror -Wstrict-prototypes \
	-I. -DPORT_GUEST -ffreestanding -fno-pic -mcmodel=small -mno-red-zone -mgeneral-regs-only -mno-mmx \
	-fno-omit-frame-pointer -fno-optimize-sibling-calls -fno-strict-aliasing \
	-fno-asynchronous-unwind-tables -fcf-protection=none \
	-fstack-protector-strong -mstack-protector-guard=global
KERNEL_LDFLAGS := -nostdlib -static -no-pie -Wl,--build-id=none -Wl,-z,max-page-size=4096 \
	-Wl,--no-warn-rwx-segments -Wl,-T,kernel/kernel.ld

KERNEL_SRCS ?= $(sort $(wildcard kernel/*.c))
KERNEL_OBJS := $(KERNEL_SRCS:kernel/%.c=$(BUILD)/kernel/%.o) \
	$(patsubst kernel/%.S,$(BUILD)/kernel/%.o,$(sort $(wildcard kernel/*.S)))
KERNEL_ELFS := $(KERNEL_MODES:%=$(BUILD)/kernel/ringscope-%.elf)

.PHONY: kernel
kernel: $(KERNEL_ELFS)

$(BUILD)/kernel/%.o: kernel/%.c kernel/build.mk
	@mkdir -p $(@D)
	$(KERNEL_CC) $(KERNEL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/kernel/%.o: kernel/%.S kernel/build.mk
	@mkdir -p $(@D)
	$(KERNEL_CC) -I. -MMD -MP -c -o $@ $<

# GCC would make calls of memcpy out of the loops that are memcpy.
$(BUILD)/kernel/string.o: KERNEL_CFLAGS += -fno-tree-loop-distribute-patterns

# Linked twice: the table of function names is made from the first pass and lies behind the text,
# so that it moves no function.
$(BUILD)/kernel/ksyms-none.S: kernel/ksyms.awk
	@mkdir -p $(@D)
	awk -f kernel/ksyms.awk /dev/null > $@

$(BUILD)/kernel/ksyms-%.o: $(BUILD)/kernel/ksyms-%.S
	$(KERNEL_CC) -c -o $@ $<

KERNEL_LINK := $(KERNEL_OBJS) kernel/kernel.ld

.SECONDEXPANSION:
$(BUILD)/kernel/pass1-%.elf: $(KERNEL_LINK) $(BUILD)/kernel/ksyms-none.o $$(VNET_OBJS_$$*)
	$(KERNEL_CC) $(KERNEL_LDFLAGS) -o $@ $(filter %.o,$^)

$(BUILD)/kernel/ksyms-%.S: $(BUILD)/kernel/pass1-%.elf kernel/ksyms.awk
	nm -n $< | awk -f kernel/ksyms.awk > $@

$(BUILD)/kernel/ringscope-%.elf: $(KERNEL_LINK) $(BUILD)/kernel/ksyms-%.o $$(VNET_OBJS_$$*)
	$(KERNEL_CC) $(KERNEL_LDFLAGS) -o $@ $(filter %.o,$^)

.SECONDARY: $(foreach m,$(KERNEL_MODES),$(addprefix $(BUILD)/kernel/,ksyms-$m.o ksyms-$m.S pass1-$m.elf)) \
	$(BUILD)/kernel/ksyms-none.S $(BUILD)/kernel/ksyms-none.o

-include $(KERNEL_OBJS:.o=.d)

.PHONY: test-kernel
test-kernel: $(BUILD)/kernel/ringscope-hybrid.elf
	KERNEL_ELF=$< bats --tap kernel/test/boot.bats
