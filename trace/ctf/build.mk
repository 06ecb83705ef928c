# Programs of trace/ctf. Included from the top, or used alone: make -f trace/ctf/build.mk
BUILD ?= build

CTF_CFLAGS := -std=c11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Werror
CTF_SRC := trace/ctf
CTF_HDR := $(wildcard $(CTF_SRC)/*.h) trace/record.h trace/events.def trace/triggers.def
CTF_COMMON := $(CTF_SRC)/tsdl.c $(CTF_SRC)/complain.c
CTF_SNAP := $(CTF_SRC)/region.c $(CTF_SRC)/snapshot.c $(CTF_SRC)/stream.c $(CTF_SRC)/classes.c
CTF_PROGRAMS := $(BUILD)/trace/ctf/ctf-metadata $(BUILD)/trace/ctf/ringsnap

.PHONY: trace-ctf
trace-ctf: $(CTF_PROGRAMS)

$(BUILD)/trace/ctf/ctf-metadata: $(CTF_SRC)/metadata.c $(CTF_COMMON) $(CTF_HDR)
	@mkdir -p $(@D)
	$(CC) $(CTF_CFLAGS) -o $@ $(filter %.c,$^)

# Static: it runs on lab machines with another libc.
$(BUILD)/trace/ctf/ringsnap: $(CTF_SRC)/ringsnap.c $(CTF_SNAP) $(CTF_COMMON) $(CTF_HDR)
	@mkdir -p $(@D)
	$(CC) $(CTF_CFLAGS) -static -o $@ $(filter %.c,$^)
