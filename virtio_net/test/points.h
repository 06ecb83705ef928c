/* Forced into every driver object of the tests (gcc -include): each access to memory shared with
 * the device, and each barrier, calls test_point before (and a store also after), where a test lets
 * the device act or an interrupt come. So races are played through one by one instead of waited
 * for.
 *
 * A function-like macro is not expanded again inside itself: the inner names are the built-ins. */
#ifndef VNET_TEST_POINTS_H
#define VNET_TEST_POINTS_H

/* POINT_REGISTER: around an access to a device register, which the model device calls. */
enum test_point_kind { POINT_LOAD, POINT_STORE, POINT_STORED, POINT_FENCE, POINT_REGISTER };

void test_point(enum test_point_kind kind, const volatile void *at, int order);

#define __atomic_load_n(p, order) (test_point(POINT_LOAD, p, order), __atomic_load_n(p, order))
#define __atomic_store_n(p, v, order)                                                              \
    (test_point(POINT_STORE, p, order), __atomic_store_n(p, v, order),                             \
     test_point(POINT_STORED, p, order))
#define __atomic_thread_fence(order)                                                               \
    (test_point(POINT_FENCE, 0, order), __atomic_thread_fence(order))

#endif
