/*
 * fake_ssh: ssh.h without SSH: connections that are up at once and channels to targets that live in this
 * process.
 *
 * What a target does is told by its port. The rules of ssh.h are asserted: who breaks them aborts the test.
 * Events come on later turns, in chunks of random size. Thread: a connection is its loop's; what is counted
 * here may be read by any.
 */
#ifndef ADIT_TESTS_FAKE_SSH_H
#define ADIT_TESTS_FAKE_SSH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define FAKE_HANGS 5     /* never answers the open; those behind it on the same connection wait */
#define FAKE_REFUSED 4   /* refuses the open */
#define FAKE_ECHO 7      /* sends back what it gets; ends after the client has ended */
#define FAKE_SINK 9      /* swallows; after the client's end it ends, too */
#define FAKE_SOURCE 19   /* sends fake.source_bytes of the pattern, then ends; swallows what it gets */
#define FAKE_LATER 13    /* keeps what it gets until the client has ended, then sends it back and ends */
#define FAKE_SILENT 11   /* says nothing, reads nothing */
#define FAKE_NAMES 20000 /* from here on: sends its port number and a newline, then ends */

struct fake_settings {
    int auth_code;          /* what authentication fails with; 0 = never */
    unsigned auth_failures; /* so many times; 0 = always */
    size_t source_bytes;
    size_t chunk_max;    /* of one event or one reservation; 0 = 64 KiB */
    bool stall_opens;    /* no open is answered while this is set */
    const char *refusal; /* what FAKE_REFUSED says; NULL: "Connection refused" */
    uint32_t rtt_us;
    int listen_code;          /* what listening fails with; 0 = never; ERR_UNSUPPORTED: at once */
    unsigned listen_failures; /* so many times; 0 = always */
};
extern struct fake_settings fake;

/* What has happened so far. */
struct fake_counts {
    unsigned conns_made, conns_alive, conns_most; /* most alive at once */
    unsigned chans_opened, chans_alive;
    size_t held_most;    /* bytes that one channel had delivered and not been credited for, at most */
    uint64_t swallowed;  /* by sinks and sources */
    unsigned ends_seen;  /* channels whose client ended in order */
    char last_host[256]; /* what was asked for last */
    uint16_t last_port;
    unsigned listens; /* places where a server listens */
    unsigned calls_accepted, calls_refused;
    char refusal[128]; /* the last one */
};
struct fake_counts fake_counts(void);
void fake_reset(void); /* everything to its defaults; no connection may be alive */

/* Kills every connection, or the n-th one made (from 1), with this error, on its next turn. This loop's only.
 */
void fake_kill(unsigned nth, int code, const char *why);
unsigned fake_channels_of(unsigned nth); /* alive on the n-th connection made */

/* Somebody connects to a port (or a path) where a server listens for us; behaves as a target of this kind. */
bool fake_call(const char *host, uint16_t port, uint16_t kind);
unsigned fake_listener(const char *host, uint16_t port); /* the number of its connection; 0: nobody listens */

uint8_t fake_pattern(uint64_t offset); /* the byte of FAKE_SOURCE at this place */

#endif
