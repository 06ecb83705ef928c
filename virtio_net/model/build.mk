# The models: `make model` searches them all, test-model-order ties them to the driver's code.
# Works from the repository's root, included by virtio_net/build.mk.
MODEL_OUT := $(BUILD)/models
MODEL_ORDER := virtio_net/model/order.awk

$(MODEL_OUT)/order.inc: $(MODEL_ORDER) virtio_net/model/split.pml virtio_net/model/packed.pml
	@mkdir -p $(@D)
	@for f in split packed; do for n in EVENT_IDX FLAGS; do \
		case $$n in EVENT_IDX) row=$${f}_event ;; *) row=$${f}_flags ;; esac; \
		awk -v format=$$row -v defines=$$n -f $(MODEL_ORDER) virtio_net/model/$$f.pml || exit; \
	done; done > $@.part && mv $@.part $@

$(VNET_TEST_OUT)/virtio_net/model/test_order.o: VNET_TEST_FLAGS += -I$(MODEL_OUT)
$(VNET_TEST_OUT)/virtio_net/model/test_order.o: $(MODEL_OUT)/order.inc
$(VNET_TEST_OUT)/test_order: $(call vnet_test_objs,$(filter virtio_net/vring%,$(VNET_TEST_RING)) \
	virtio_net/model/test_order.c)
	$(VNET_TEST_CC) $(VNET_TEST_FLAGS) -o $@ $^ $(VNET_TEST_LIBS)

.PHONY: model test-model-order
test-model-order: $(VNET_TEST_OUT)/test_order
	@$<

model:
	@virtio_net/model/check.sh
	@virtio_net/model/cbmc/check.sh
