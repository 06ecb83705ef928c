# The deterministic scheduler: the driver and the model device, stopped at every access they share.
# Works from the repository's root, included by virtio_net/build.mk.
SCHEDULE_OUT   := $(BUILD)/virtio_net/schedule
SCHEDULE_FLAGS := -std=c11 -D_GNU_SOURCE -O1 -g -Wall -Wextra $(VNET_WERROR) -MMD -MP -I. -no-pie -fno-pie \
	-DTRACE=0 -DFAULT=0 -DRING_DEV_SIZE_MAX=8u
# Only the registers of the other parts are missing, and no schedule comes there. Uninitialised locals
# would tell equal states apart.
SCHEDULE_DRIVER := $(filter-out $(VNET_TRANSPORTS),$(VNET_CORE)) $(VNET_MODES:%=virtio_net/mode_%.c)
SCHEDULE_PARTS  := $(patsubst %,virtio_net/schedule/%.c,main random schedule scene search graph snapshot steps describe check owners \
	world worker task access memory coroutine)
SCHEDULE_STOPS  := -include virtio_net/schedule/points.h
SCHEDULE_STILL  := -ftrivial-auto-var-init=zero -fno-stack-protector -fcf-protection=none

$(SCHEDULE_OUT)/%.o: %.c
	@mkdir -p $(@D)
	gcc $(SCHEDULE_FLAGS) $(SCHEDULE_STILL) \
		$(if $(filter $(SCHEDULE_DRIVER) $(VNET_DEVICE),$<),$(SCHEDULE_STOPS)) \
		$(if $(filter $(SCHEDULE_DRIVER),$<),-fsanitize=thread) -c -o $@ $<

SCHEDULE_PROGRAMS := $(VNET_MODES:%=$(SCHEDULE_OUT)/schedule-%)
$(SCHEDULE_OUT)/schedule-%: $(patsubst %.c,$(SCHEDULE_OUT)/%.o,$(filter-out virtio_net/mode_%,$(SCHEDULE_DRIVER)) $(VNET_DEVICE) $(SCHEDULE_PARTS)) \
		$(SCHEDULE_OUT)/virtio_net/mode_%.o
	gcc $(SCHEDULE_FLAGS) -o $@ $^

.PHONY: schedule schedule-programs test-schedule
schedule-programs: $(SCHEDULE_PROGRAMS)

# SCHEDULES=n: random ones, a mode
schedule: schedule-programs
	@virtio_net/schedule/schedule.sh deep

test-schedule: schedule-programs
	@virtio_net/schedule/schedule.sh test

-include $(shell find $(SCHEDULE_OUT) -name '*.d' 2>/dev/null)
