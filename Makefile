# ringscope: named jobs. `make help` lists them.
BUILD   ?= build
RESULTS ?= results
SWEEP   ?= demo
MODE    ?= hybrid
TRACE   ?= 1
FAULT   ?= 1
CLANG_FORMAT ?= clang-format
export BUILD := $(abspath $(BUILD))
export RESULTS := $(abspath $(RESULTS))

.DEFAULT_GOAL := help
.SECONDARY:
# Commands are shown with V=1.
ifndef V
.SILENT:
endif
MAKEFLAGS += --no-print-directory
.PHONY: help demo test check run sweep probes figures report paper faults bench bench-trace bench-join mutants conformance qemu-matrix model schedule \
	coverage fuzz hosted lab lab-shell lab-stop setup \
	build kit format clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 20

demo: setup-demo ## the main job: measure three driver modes on vhost-net, draw results/demo/report.html
	@$(MAKE) sweep SWEEP=demo SETUP=no
	@$(MAKE) report SWEEP=demo SETUP=no

test: setup-test ## every test this machine can run
	@experiments/test/run.sh all

check: ## the fast tests: no lab, no TeX
	@experiments/test/run.sh fast

run: kernel ## MODE=poll|intr|hybrid: a guest on this terminal, echoing frames
	@experiments/run.sh $(MODE)

sweep: kit ## SWEEP=name: run experiments/sweeps/name.sweep, or what is missing of it
	@experiments/sweep.sh $(SWEEP)

probes: kit ## check that every probe of the host's tracer records something under traffic
	@experiments/probes.sh

figures: ## SWEEP=name: draw the figures of a sweep again
	@plots/figures.sh $(RESULTS)/$(SWEEP)

report: ## SWEEP=name: figures, checks and report.html of a sweep, and its table
	@plots/report.sh $(RESULTS)/$(SWEEP)
	@plots/table.sh $(RESULTS)/$(SWEEP)
	@plots/verdicts.sh $(RESULTS)/$(SWEEP)
	@echo "report: $(RESULTS)/$(SWEEP)/report.html"

paper: setup-paper ## SWEEP=name: the report as a PDF, every number generated
	@paper/build.sh $(SWEEP)

faults: setup-demo $(BUILD)/experiments/loadgen/loadgen ## inject each fault into each mode: results/faults/matrix.tsv
	@$(MAKE) kit SETUP=no
	@faultinj/matrix.sh

bench: setup-bench ## side by side with DPDK's driver, and what checks, trace and faults cost: results/bench/bench.tsv
	@$(MAKE) bench-built SETUP=no
	@experiments/bench/bench.sh

bench-trace: setup-bench ## what a trace event costs, beside LTTng-UST: results/bench/trace.tsv
	@$(MAKE) bench-trace-built SETUP=no
	@trace/bench/trace.sh

bench-join: ## MIB="16 256": the joiner's speed beside babeltrace2's: results/bench/join.tsv

mutants: ## faults planted in the driver, one by one, each of which its tests must find

conformance: ## which test shows that the driver keeps which rule: results/proof/conformance.tsv

qemu-matrix: kit ## the guest on every pair of QEMU's device properties: results/proof/qemu-matrix.tsv
	@experiments/qemu_matrix/matrix.sh

model: ## search the models of the notification race, prove the used-ring pop

schedule: ## SCHEDULES=1000000: every short schedule of driver and device, that many long ones a mode: results/proof/schedule.tsv

coverage: ## which lines and branches of the driver its hosted tests reach: results/proof/coverage.tsv

fuzz: ## T=60: seconds of libFuzzer on what a device may write: results/proof/fuzz.tsv

hosted: setup-hosted ## the driver as Linux processes over vhost: build/virtio_net/hosted/{source,sink,echo,pcap}-MODE
	@$(MAKE) hosted-programs SETUP=no

lab: setup-demo $(BUILD)/experiments/lab/probe_guest.bin ## build and start the vhost-net VM
	@experiments/lab/lab.sh start
	@experiments/lab/lab.sh status

lab-shell: ## a shell inside the lab
	@experiments/lab/lab.sh shell

lab-stop: ## power the lab off
	@experiments/lab/lab.sh stop

setup: setup-demo setup-test setup-paper ## install the Debian packages of every job (SETUP=no: never)
setup-demo:
	@experiments/setup/setup.sh build demo
setup-test:
	@experiments/setup/setup.sh build test demo paper
setup-hosted:
	@experiments/setup/setup.sh build hosted
setup-bench:
	@experiments/setup/setup.sh build hosted bench
setup-paper:
	@experiments/setup/setup.sh paper demo

build: kit ## compile everything
format: ## rewrite the C sources in the project's style
	@git ls-files '*.c' '*.h' | xargs $(CLANG_FORMAT) -i
clean: ## remove build products; the lab image and results stay
	@find $(BUILD) -mindepth 1 -maxdepth 1 ! -name lab -exec rm -rf {} +

include kernel/build.mk
include virtio_net/build.mk virtio_net/hosted/build.mk faultinj/build.mk
include virtio_net/coverage/build.mk virtio_net/fuzz/build.mk virtio_net/test/arch/build.mk
include trace/build.mk trace/host/build.mk trace/ctf/build.mk trace/join/build.mk
include experiments/loadgen/build.mk experiments/lab/build.mk experiments/rss/build.mk
include trace/bench/build.mk experiments/peers/build.mk experiments/bench/build.mk
include plots/build.mk paper/build.mk

# Everything that a sweep runs, here and on the host.
kit: kernel loadgen flows lab-probe trace-host trace-ctf trace-join
