# Build products of the lab: the probe guest of accel.sh. Also usable alone:
# make -f experiments/lab/build.mk lab-probe
BUILD ?= build

.PHONY: lab-probe
lab-probe: $(BUILD)/experiments/lab/probe_guest.bin

$(BUILD)/experiments/lab/probe_guest.bin: experiments/lab/probe_guest.S
	@mkdir -p $(@D)
	as --64 -o $(@:.bin=.o) $<
	ld -m elf_x86_64 -Ttext=0 -e 0 --oformat binary -o $@ $(@:.bin=.o)
