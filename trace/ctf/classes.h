/* The event classes of the run-time mask, as text. */
#ifndef TRACE_CLASSES_H
#define TRACE_CLASSES_H

#include <stdint.h>

/* "?" for a class without a name. */
const char *trace_class_name(unsigned class);

/* Changes *mask as `text` says: a number, "all", "none", class names separated by commas, or a list
 * in which every name has a + or - before it, to be switched on or off. Returns 0, or -1 after
 * complaining; *mask is then as it was. */
int trace_mask_parse(const char *text, uint32_t *mask);

#endif
