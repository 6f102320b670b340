/*
 * netlink: asks the kernel for links and addresses (rtnetlink(7), netdevice(7)) without iproute2.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netns.h"

#define BRIDGE_LEN 512

static int request(unsigned long what, void *arg)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    int rc = ioctl(fd, what, arg) < 0 ? errno : 0;
    close(fd);
    return rc;
}

int netlink_link_up(const char *name, struct err *err)
{
    struct ifreq r = {.ifr_flags = 0};
    snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
    int rc = request(SIOCGIFFLAGS, &r);
    if (!rc) {
        r.ifr_flags = (short)(r.ifr_flags | IFF_UP);
        rc = request(SIOCSIFFLAGS, &r);
    }
    return rc ? err_sys(err, rc, "link %s up", name) : 0;
}

int netlink_address_set(const char *name, const char *address, const char *mask, struct err *err)
{
    struct ifreq r = {.ifr_flags = 0};
    snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
    struct sockaddr_in in = {.sin_family = AF_INET};
    inet_pton(AF_INET, address, &in.sin_addr);
    memcpy(&r.ifr_addr, &in, sizeof in);
    int rc = request(SIOCSIFADDR, &r);
    if (!rc) {
        inet_pton(AF_INET, mask, &in.sin_addr);
        memcpy(&r.ifr_netmask, &in, sizeof in);
        rc = request(SIOCSIFNETMASK, &r);
    }
    return rc ? err_sys(err, rc, "address %s on %s", address, name) : 0;
}

int netlink_bridge_new(const char *name, struct err *err)
{
    char buf[IFNAMSIZ];
    snprintf(buf, sizeof buf, "%s", name);
    int rc = request(SIOCBRADDBR, buf);
    return rc ? err_sys(err, rc, "bridge %s", name) : 0;
}

struct message {
    union {
        struct nlmsghdr head;
        char bytes[BRIDGE_LEN];
    } u;
};

static void *tail_take(struct message *m, size_t n)
{
    void *at = m->u.bytes + NLMSG_ALIGN(m->u.head.nlmsg_len);
    m->u.head.nlmsg_len = (uint32_t)(NLMSG_ALIGN(m->u.head.nlmsg_len) + n);
    return at;
}

static struct rtattr *attr_put(struct message *m, uint16_t type, const void *data, size_t n)
{
    struct rtattr *a = tail_take(m, RTA_LENGTH(n));
    a->rta_type = type;
    a->rta_len = (uint16_t)RTA_LENGTH(n);
    if (n)
        memcpy(RTA_DATA(a), data, n);
    return a;
}

static void attr_end(struct message *m, struct rtattr *a)
{
    a->rta_len = (uint16_t)(m->u.bytes + m->u.head.nlmsg_len - (char *)a);
}

static int exchange(struct message *m)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0)
        return errno;
    int rc = EPROTO;
    union {
        struct nlmsghdr head;
        char bytes[2048];
    } in;
    if (send(fd, m->u.bytes, m->u.head.nlmsg_len, 0) < 0) {
        rc = errno;
    } else if (recv(fd, in.bytes, sizeof in.bytes, 0) >= (ssize_t)NLMSG_LENGTH(sizeof(struct nlmsgerr)) &&
               in.head.nlmsg_type == NLMSG_ERROR) {
        const struct nlmsgerr *e = NLMSG_DATA(&in.head);
        rc = -e->error;
    }
    close(fd);
    return rc;
}

int netlink_veth_new(const char *name, const char *bridge, const char *peer, int peer_ns, struct err *err)
{
    struct message m;
    memset(&m, 0, sizeof m);
    m.u.head.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg));
    m.u.head.nlmsg_type = RTM_NEWLINK;
    m.u.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK;
    struct ifinfomsg *info = NLMSG_DATA(&m.u.head);
    info->ifi_flags = info->ifi_change = IFF_UP;
    unsigned master = if_nametoindex(bridge);
    attr_put(&m, IFLA_IFNAME, name, strlen(name) + 1);
    attr_put(&m, IFLA_MASTER, &master, sizeof master);
    struct rtattr *link = attr_put(&m, IFLA_LINKINFO, NULL, 0);
    attr_put(&m, IFLA_INFO_KIND, "veth", 4);
    struct rtattr *data = attr_put(&m, IFLA_INFO_DATA, NULL, 0);
    struct rtattr *other = attr_put(&m, VETH_INFO_PEER, NULL, 0);
    memset(tail_take(&m, sizeof *info), 0, sizeof *info);
    attr_put(&m, IFLA_IFNAME, peer, strlen(peer) + 1);
    attr_put(&m, IFLA_NET_NS_FD, &peer_ns, sizeof peer_ns);
    attr_end(&m, other);
    attr_end(&m, data);
    attr_end(&m, link);
    int rc = exchange(&m);
    return rc ? err_sys(err, rc, "veth %s", name) : 0;
}
