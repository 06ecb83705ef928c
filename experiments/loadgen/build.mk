# Fragment for the top Makefile; also works alone: make -f experiments/loadgen/build.mk
BUILD ?= build

LOADGEN_DIR    := experiments/loadgen
LOADGEN_OUT    := $(BUILD)/experiments/loadgen
LOADGEN_CFLAGS := -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -MMD -MP
LOADGEN_SAN    := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all

LOADGEN_SRC  := $(wildcard $(LOADGEN_DIR)/*.c)
LOADGEN_TEST := $(wildcard $(LOADGEN_DIR)/test/*.c)
LOADGEN_OBJ  := $(LOADGEN_SRC:$(LOADGEN_DIR)/%.c=$(LOADGEN_OUT)/%.o)
LOADGEN_TOBJ := $(patsubst $(LOADGEN_DIR)/%.c,$(LOADGEN_OUT)/san/%.o,\
                $(filter-out $(LOADGEN_DIR)/main.c,$(LOADGEN_SRC)) $(LOADGEN_TEST))

.PHONY: loadgen test-loadgen
loadgen: $(LOADGEN_OUT)/loadgen

$(LOADGEN_OUT)/loadgen: $(LOADGEN_OBJ)
	$(CC) -static -o $@ $^ -lm

$(LOADGEN_OUT)/%.o: $(LOADGEN_DIR)/%.c
	@mkdir -p $(@D)
	$(CC) $(LOADGEN_CFLAGS) -O2 -c -o $@ $<

$(LOADGEN_OUT)/test_loadgen: $(LOADGEN_TOBJ)
	$(CC) $(LOADGEN_SAN) -o $@ $^ -lcmocka -lm -lpthread

$(LOADGEN_OUT)/san/%.o: $(LOADGEN_DIR)/%.c
	@mkdir -p $(@D)
	$(CC) $(LOADGEN_CFLAGS) $(LOADGEN_SAN) -c -o $@ $<

test-loadgen: $(LOADGEN_OUT)/test_loadgen $(LOADGEN_OUT)/loadgen
	$(LOADGEN_OUT)/test_loadgen $(LOADGEN_DIR)/test $(LOADGEN_OUT)/loadgen

-include $(LOADGEN_OBJ:.o=.d) $(LOADGEN_TOBJ:.o=.d)
