# Build products of the host's half of the trace.
BUILD ?= build
TRACE_HOST := $(BUILD)/trace/host

.PHONY: trace-host
trace-host: $(TRACE_HOST)/vhost-0.17.bt $(TRACE_HOST)/vhost-0.23.bt $(TRACE_HOST)/mark

$(TRACE_HOST)/vhost-%.bt: trace/host/vhost.bt.in trace/host/generate.sh \
		trace/events.def trace/record.h
	@mkdir -p $(@D)
	trace/host/generate.sh $* >$@.new && mv $@.new $@

# Static: it is copied to hosts whose C library may be another one.
$(TRACE_HOST)/mark: trace/host/mark.c
	@mkdir -p $(@D)
	$(CC) -std=c11 -O2 -Wall -Wextra -Werror -static -o $@ $<
