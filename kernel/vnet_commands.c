#include "vnet_commands.h"
#include "cmdline.h"
#include "console.h"
#include "string.h"

#define MULTICAST_MAX 100

static int rx_mode(struct vnet_dev *dev, uint8_t mode, uint64_t on)
{
    return vnet_ctrl_rx_mode(dev, mode, on);
}

/* So many groups, 33:33:00:00:00:00 and on. */
static int multicast(struct vnet_dev *dev, uint64_t n)
{
    static uint8_t macs[MULTICAST_MAX][6];
    for (unsigned i = 0; i < n && i < MULTICAST_MAX; i++) {
        macs[i][0] = macs[i][1] = 0x33;
        macs[i][5] = (uint8_t)i;
    }
    return n > MULTICAST_MAX ? -VNET_E_CTRL_DATA
                             : vnet_ctrl_mac_table(dev, NULL, 0, macs, (uint32_t)n);
}

/* One thing of what steers receiving is another, the rest as it was. */
static int rss(struct vnet_dev *dev, uint64_t entries, uint64_t hash_types, uint64_t unclassified)
{
    struct vnet_rss rss = dev->rss;
    if (entries > VNET_RSS_TABLE_MAX || hash_types > UINT32_MAX || unclassified > UINT8_MAX)
        return -VNET_E_CTRL_DATA;
    if (entries != rss.entries)
        vnet_rss_spread(dev, &rss, (uint16_t)entries);
    rss.hash_types = (uint32_t)hash_types;
    rss.unclassified = (uint8_t)unclassified;
    return vnet_ctrl_rss(dev, &rss);
}

/* COMMAND(name, call); `n` is the argument. */
#define COMMANDS                                                                                   \
    COMMAND(promisc, rx_mode(dev, VIRTIO_NET_CTRL_RX_PROMISC, n))                                  \
    COMMAND(allmulti, rx_mode(dev, VIRTIO_NET_CTRL_RX_ALLMULTI, n))                                \
    COMMAND(alluni, rx_mode(dev, VIRTIO_NET_CTRL_RX_ALLUNI, n))                                    \
    COMMAND(nomulti, rx_mode(dev, VIRTIO_NET_CTRL_RX_NOMULTI, n))                                  \
    COMMAND(nouni, rx_mode(dev, VIRTIO_NET_CTRL_RX_NOUNI, n))                                      \
    COMMAND(nobcast, rx_mode(dev, VIRTIO_NET_CTRL_RX_NOBCAST, n))                                  \
    COMMAND(multicast, multicast(dev, n))                                                          \
    COMMAND(vlan_add, vnet_ctrl_vlan(dev, (uint16_t)n, true))                                      \
    COMMAND(vlan_del, vnet_ctrl_vlan(dev, (uint16_t)n, false))                                     \
    COMMAND(pairs, vnet_ctrl_pairs(dev, (uint16_t)n))                                              \
    COMMAND(rss_entries, rss(dev, n, dev->rss.hash_types, dev->rss.unclassified))                  \
    COMMAND(rss_types, rss(dev, dev->rss.entries, n, dev->rss.unclassified))                       \
    COMMAND(rss_unclassified, rss(dev, dev->rss.entries, dev->rss.hash_types, n))                  \
    COMMAND(offloads, vnet_ctrl_offloads(dev, n))                                                  \
    COMMAND(rx_packets, vnet_ctrl_coalesce(dev, true, (struct vnet_coalesce){ (uint32_t)n, 100 })) \
    COMMAND(tx_packets, vnet_ctrl_coalesce(dev, false, (struct vnet_coalesce){ (uint32_t)n, 100 }))

#define NO_SUCH_COMMAND 1

static int run(struct vnet_dev *dev, const char *name, uint64_t n)
{
#define COMMAND(command, call)                                                                     \
    if (!strcmp(name, #command))                                                                   \
        return call;
    COMMANDS
#undef COMMAND
    return NO_SUCH_COMMAND;
}

static int complain(const char *name, int error)
{
#define COMMAND(command, call) #command " "
    if (error == NO_SUCH_COMMAND)
        kprintf("ctrl=: no command \"%s\"; there are: " COMMANDS "\n", name);
    else
        kprintf("ctrl=: %s: %s\n", name, vnet_error_text(error));
#undef COMMAND
    return -1;
}

/* Cuts the next NAME:ARG off the list. */
static int run_next(struct vnet_dev *dev, char *word)
{
    char *colon = strchr(word, ':');
    uint64_t n = 0;
    if (colon)
        *colon = 0;
    if (!colon || !parse_u64(colon + 1, &n)) {
        kprintf("ctrl=: \"%s\": expected NAME:NUMBER\n", word);
        return -1;
    }
    int error = run(dev, word, n);
    return error ? complain(word, error) : 0;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool parse_mac(const char *text, uint8_t mac[6])
{
    for (int i = 0; i < 6; i++, text += 3) {
        int high = hex_digit(text[0]), low = high < 0 ? -1 : hex_digit(text[1]);
        if (low < 0 || text[2] != (i < 5 ? ':' : 0))
            return false;
        mac[i] = (uint8_t)(high << 4 | low);
    }
    return !(mac[0] & 1);
}

/* A device that cannot be told sends from it all the same, and receives as it filters. */
static int set_mac(struct vnet_dev *dev, const char *text)
{
    uint8_t mac[6];
    if (!parse_mac(text, mac)) {
        kprintf("mac=%s: expected aa:bb:cc:dd:ee:ff, of one station and in small letters\n", text);
        return -1;
    }
    memcpy(dev->mac, mac, sizeof(mac));
    int error = vnet_ctrl_mac(dev, mac);
    if (!error || error == -VNET_E_CTRL_FEATURE)
        return 0;
    kprintf("mac=: %s\n", vnet_error_text(error));
    return -1;
}

int vnet_commands(struct vnet_dev *dev, const char *list, const char *mac)
{
    char word[64];
    if (*mac && set_mac(dev, mac))
        return -1;
    while (*list) {
        size_t n = 0;
        while (*list && *list != ',' && n < sizeof(word) - 1)
            word[n++] = *list++;
        word[n] = 0;
        list += *list == ',';
        if (run_next(dev, word))
            return -1;
    }
    return 0;
}

uint32_t vnet_commands_rarp(uint8_t *frame, const uint8_t mac[6])
{
    /* EtherType, Ethernet and IPv4 addresses of 6 and 4 bytes, request */
    static const uint8_t head[] = { 0x80, 0x35, 0, 1, 8, 0, 6, 4, 0, 3 };
    memset(frame, 0, 60);
    memset(frame, 0xff, 6);
    memcpy(frame + 6, mac, 6);
    memcpy(frame + 12, head, sizeof(head));
    memcpy(frame + 22, mac, 6); /* sender; its protocol address stays 0 */
    memcpy(frame + 32, mac, 6); /* target */
    return 60;
}
