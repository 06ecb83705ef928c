/* cmocka with what it wants included before. */
#ifndef VNET_TEST_CHECK_H
#define VNET_TEST_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#endif
