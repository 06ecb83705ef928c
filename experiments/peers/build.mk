# DPDK's side of `make bench`, on the libdpdk that pkg-config knows. Included by the top Makefile.
BUILD ?= build

PEERS_OUT   := $(BUILD)/experiments/peers
PEERS_FLAGS := -std=gnu11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Werror -MMD -MP
# Asked when a rule runs: other jobs need no DPDK.
PEERS_DPDK   = $(shell pkg-config --cflags libdpdk)
PEERS_LINK   = -lrte_eal -lrte_mempool -lrte_mbuf -lrte_ethdev -lrte_vhost

.PHONY: peers
peers: $(PEERS_OUT)/dpdk_driver $(PEERS_OUT)/vhost_backend
$(PEERS_OUT)/%: experiments/peers/%.c
	@mkdir -p $(@D)
	gcc $(PEERS_FLAGS) $(PEERS_DPDK) -o $@ $< $(PEERS_LINK)

-include $(wildcard $(PEERS_OUT)/*.d)
