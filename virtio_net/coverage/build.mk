# What the hosted tests reach of the driver. Included by the top Makefile after virtio_net/build.mk
# and virtio_net/hosted/build.mk.
.PHONY: coverage coverage-build coverage-data
coverage:
	@virtio_net/coverage/coverage.sh

# Asked for by coverage.sh, in a BUILD of its own, with gcov in the place of the sanitizers.
coverage-build: $(VNET_TESTS) $(HOSTED_TESTED) $(HOSTED_TABLE_TESTS)

# Each source is measured in the build whose tests are about it.
coverage-data:
	@printf '%s\n' $(patsubst %.c,$(VNET_TEST_OUT)/%.gcda,$(VNET_CORE) $(VNET_MODES:%=virtio_net/mode_%.c)) \
		$(patsubst %,$(HOSTED_OUT)/san/virtio_net/transport/%.gcda,vhost vhost_ctrl vhost_user vhost_net)
