# The driver's tests on machines of another byte order or a weaker memory order, under qemu-user.
# Included by the top Makefile after virtio_net/build.mk.
ARCHES := s390x aarch64

.PHONY: test-arch arch-tests
test-arch:
	@virtio_net/test/arch/arch.sh $(ARCHES)

# Asked for by arch.sh, which names the compiler and a BUILD of its own.
arch-tests: $(VNET_TESTS)
$(VNET_TEST_OUT)/cmocka.o: virtio_net/test/arch/cmocka.c
	@mkdir -p $(@D)
	$(VNET_TEST_CC) $(VNET_TEST_FLAGS) -c -o $@ $<
ifneq ($(VNET_TEST_LIBS),-lcmocka)
$(VNET_TESTS): | $(VNET_TEST_LIBS)
endif
