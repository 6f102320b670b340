/*
 * daemon_private: the daemon's parts, as its own files see them.
 *
 * Everything lives on the main loop's thread.
 */
#ifndef ADIT_DAEMON_DAEMON_PRIVATE_H
#define ADIT_DAEMON_DAEMON_PRIVATE_H

#include <jansson.h>
#include <stdint.h>
#include <uv.h>

#include "azure/azure.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "config/config.h"
#include "config_stamp.h"
#include "control/control.h"
#include "daemon.h"
#include "proxy/proxy.h"
#include "resolver/resolver.h"

struct truth;

/* Somebody who waits for truth_update() (truth.h). */
struct truth_wait {
    struct list node; /* list_init() it before the first use */
    /* d->config is the new one. before: the one it follows, borrowed. Whoever applies hands it to
     * proxy_apply(). */
    void (*cb)(struct truth_wait *w, const struct config *before);
    bool applies;
};

#define DAEMON_GRACE_MS 2000 /* that open flows get when the daemon is told to end */

enum { SIGNAL_TERM, SIGNAL_INT, SIGNAL_HUP, SIGNAL_COUNT };

struct daemon {
    const struct daemon_options *options;
    const struct daemon_place *place;
    struct background *bg;

    uv_loop_t loop;
    struct clock *clock;
    uv_signal_t signals[SIGNAL_COUNT];
    unsigned signal_count; /* that are open */

    const struct config *config;   /* the snapshot in use: adit.yaml, filled from ssh_config */
    struct truth *truth;           /* what it is filled from */
    struct truth_wait reload_wait; /* of SIGHUP */
    struct config_stamp stamp;     /* of the file that it was read from */
    struct control_server *control;
    struct azure *azure;       /* NULL with azure_err set when Azure cannot be asked */
    struct resolver *resolver; /* likewise */
    struct err azure_err;
    struct proxy *proxy;

    struct list jobs;                   /* requests under way (job.h) */
    struct list orphans;                /* what is left of some, until the proxy has called back */
    struct list host_keys;              /* being asked for (host_keys.c) */
    unsigned hands_open;                /* struct hands that are not closed yet */
    struct list watches;                /* VMs whose changes somebody wants to hear of (progress.h) */
    struct list questions, questioners; /* questions.h */
    int64_t next_question;
    struct timer ticker; /* asks for them */
    struct proxy_req *ticker_req;

    uint64_t started_wall_ms;
    bool ready; /* told the starter */
    bool ending;
    bool waits_for_hands; /* the end does, once the proxy is closed */
    int status;           /* to exit with */
};

extern const struct log_ctx DAEMON_LOG;

/* Begins the end; a second call ends at once. */
void daemon_end(struct daemon *d, uint32_t grace_ms);

/* One of hands_open is closed. */
void daemon_hands_gone(struct daemon *d);

/* azure_setup.c: on failure azure and resolver stay NULL and azure_err says why. */
void azure_setup(struct daemon *d);

#endif
