#include "vhost.h"
int vhost_net_open(struct vhost *v, const char *tap, unsigned deadline_ms)
{
    vhost_init(v, NULL, "vhost-net", tap, deadline_ms);
    return vhost_fail(v, "not yet");
}
