# Build products of the host's half of the trace.
BUILD ?= build
TRACE_HOST := $(BUILD)/trace/host

TRACE_HOST_SCRIPTS := $(foreach version,0.17 0.23,$(foreach set,basic full full-kvm summary,\
	$(TRACE_HOST)/vhost-$(set)-$(version).bt))

.PHONY: trace-host
trace-host: $(TRACE_HOST_SCRIPTS) $(TRACE_HOST)/mark

# The stem is SET-VERSION, and the set may hold a dash.
$(TRACE_HOST)/vhost-%.bt: trace/host/vhost.bt.in trace/host/notes.bt.in trace/host/full.bt.in \
		trace/host/summary.bt.in trace/host/language.h trace/host/generate.sh trace/events.def trace/record.h
	@mkdir -p $(@D)
	trace/host/generate.sh $(lastword $(subst -, ,$*)) $(patsubst %-$(lastword $(subst -, ,$*)),%,$*) \
		>$@.new && mv $@.new $@

# Static: it is copied to hosts whose C library may be another one.
$(TRACE_HOST)/mark: trace/host/mark.c
	@mkdir -p $(@D)
	$(CC) -std=c11 -O2 -Wall -Wextra -Werror -static -o $@ $<
