/* The two 8259 interrupt controllers, remapped and masked; INTx lines arrive through them. */
#ifndef KERNEL_PIC_H
#define KERNEL_PIC_H

#include <stdbool.h>

#define PIC_FIRST_VECTOR 32
#define PIC_LINES        16

void pic_init(void);

/* line < PIC_LINES. Unmasking makes the line level triggered; false where there is no 8259. */
bool pic_unmask_level(unsigned line);
void pic_mask(unsigned line);

/* False for the ghost that a line leaves when it falls before it is served; then no EOI is due. */
bool pic_in_service(unsigned line);
void pic_eoi(unsigned line);

#endif
