# Fragment for the top Makefile: the sender of the test of receive-side scaling.
BUILD ?= build

.PHONY: flows
flows: $(BUILD)/experiments/rss/flows

$(BUILD)/experiments/rss/flows: experiments/rss/flows.c experiments/rss/toeplitz.c experiments/rss/toeplitz.h \
		virtio_net/virtio_spec.h
	@mkdir -p $(@D)
	$(CC) -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -o $@ $(filter %.c,$^)
