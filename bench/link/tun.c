/*
 * tun: reading packets, holding them for as long as the link takes, writing them back.
 */
#include "tun.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/mem.h"
#include "measure.h"

/* The kernel hands over runs of TCP segments in one piece, as network cards take them, with this before the
 * packet. */
#define VNET sizeof(struct virtio_net_hdr)
#define PACKET_MAX (VNET + 65536)
#define PACKETS_A_TURN 64

struct packet {
    struct list node;
    uint64_t due_ns;
    size_t len;
    uint8_t data[];
};

int link_tun_open(struct link_tun *t, struct err *err)
{
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR};
    t->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (t->fd < 0)
        return err_sys(err, errno, "/dev/net/tun");
    strcpy(request.ifr_name, LINK_DEVICE);
    if (ioctl(t->fd, TUNSETIFF, &request) == 0 && ioctl(t->fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4) == 0)
        return 0;
    int rc = err_sys(err, errno, "creating the device " LINK_DEVICE);
    close(t->fd);
    return rc;
}

/* Checksums stay right: they are sums over both addresses, in whatever order. */
static bool turn_around(uint8_t *ip, size_t len)
{
    uint8_t source[4];
    if (len < 40 || ip[0] >> 4 != 4 || ip[9] != IPPROTO_TCP || len < 4 * (size_t)(ip[0] & 15) + 20)
        return false;
    memcpy(source, ip + 12, 4);
    memcpy(ip + 12, ip + 16, 4);
    memcpy(ip + 16, source, 4);
    return true;
}

static bool goes_up(const struct link_tun *t, const uint8_t *ip)
{
    const uint8_t *tcp = ip + 4 * (ip[0] & 15);
    unsigned port = (unsigned)tcp[2] << 8 | tcp[3];
    for (unsigned i = 0; i < t->port_count; i++)
        if (t->ports[i] == port)
            return true;
    return false;
}

static void put(struct link_tun *t, struct list *up, struct list *down, const uint8_t *data, size_t len,
                uint64_t now)
{
    bool is_up = goes_up(t, data + VNET);
    struct link_line *line = is_up ? &t->up : &t->down;
    if (line->free_ns > now + t->queue_ns)
        return; /* dropped, as a router does */
    struct packet *p = mem_alloc(sizeof *p + len);
    if (!p)
        return;
    memcpy(p->data, data, len);
    p->len = len;
    if (line->free_ns < now)
        line->free_ns = now;
    line->free_ns += (len - VNET) * NS_PER_S / line->bytes_per_s;
    p->due_ns = line->free_ns + line->delay_ns;
    list_push(is_up ? up : down, &p->node);
}

/* Writes what has arrived; returns when the next packet will have. */
static uint64_t deliver(struct link_tun *t, struct list *packets, uint64_t now)
{
    for (struct list *node; (node = list_first(packets));) {
        struct packet *p = container_of(node, struct packet, node);
        if (p->due_ns > now)
            return p->due_ns;
        /* A packet that the kernel will not have is lost, as on a wire. */
        ssize_t n = write(t->fd, p->data, p->len);
        (void)n;
        list_remove(&p->node);
        mem_free(p);
    }
    return UINT64_MAX;
}

void link_tun_run(struct link_tun *t)
{
    static uint8_t data[PACKET_MAX];
    struct list up, down;
    list_init(&up);
    list_init(&down);
    for (;;) {
        for (int i = 0; i < PACKETS_A_TURN; i++) {
            ssize_t n = read(t->fd, data, sizeof data);
            if (n < 0 && errno != EAGAIN && errno != EINTR &&
                errno != EIO) /* EIO: the device is still down */
                return;
            if (n <= (ssize_t)VNET)
                break;
            if (turn_around(data + VNET, (size_t)n - VNET))
                put(t, &up, &down, data, (size_t)n, measure_now());
        }
        uint64_t now = measure_now();
        uint64_t due_up = deliver(t, &up, now), due_down = deliver(t, &down, now);
        uint64_t due = due_up < due_down ? due_up : due_down;
        struct timespec wait = {0};
        now = measure_now();
        if (due > now && due != UINT64_MAX) {
            wait.tv_sec = (time_t)((due - now) / NS_PER_S);
            wait.tv_nsec = (long)((due - now) % NS_PER_S);
        }
        struct pollfd readable = {.fd = t->fd, .events = POLLIN};
        ppoll(&readable, 1, due == UINT64_MAX ? NULL : &wait, NULL);
    }
}
