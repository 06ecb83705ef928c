/* The ring of a model: split, or packed with -DPACKED. */
#include "buffers.pml"
#ifdef PACKED
#include "packed.pml"
#else
#include "split.pml"
#endif
