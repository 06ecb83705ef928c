# The fault plan's test. Works from the repository's root, included by its Makefile or alone:
# make -f faultinj/build.mk test-faultinj
BUILD ?= build

FAULT_TEST_FLAGS := -std=c11 -O1 -g -Wall -Wextra -Werror -I. -DFAULT=1 -fsanitize=address,undefined \
	-fno-sanitize-recover=all

$(BUILD)/faultinj/test_plan: faultinj/test/test_plan.c faultinj/plan.c faultinj/plan.h \
		faultinj/fault.h faultinj/points.def
	@mkdir -p $(@D)
	gcc $(FAULT_TEST_FLAGS) -o $@ $(filter %.c,$^) -lcmocka

.PHONY: test-faultinj
test-faultinj: $(BUILD)/faultinj/test_plan
	@$<

# What crosses with the driver is tested by it: virtio_net/build.mk.
test-driver: test-faultinj
