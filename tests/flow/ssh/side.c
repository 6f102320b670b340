/*
 * side: one engine with a server that it talks to.
 */
#include "side.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake.h"

static const char *side_name(void)
{
    const char *name = getenv("ADIT_SIDE");
    return name ? name : "sshd";
}

bool side_is(const char *name)
{
    return strcmp(side_name(), name) == 0;
}

int side_start(void **state)
{
    struct side *s = calloc(1, sizeof *s);
    signal(SIGPIPE, SIG_IGN);
    if (side_is("dropbear")) {
        if (!server_start_dropbear(&s->server)) {
            printf("dropbear or nss_wrapper is not installed\n");
            exit(77);
        }
    } else if (side_is("fake")) {
        server_folder(&s->server);
        s->server.pid = fake_server_start(&s->server.port);
        ssh_engine_set_extra(&fake_engine);
    } else {
        server_start_sshd(&s->server, "RekeyLimit 16M\nMaxSessions 10\n");
    }
    targets_start(&s->targets, s->server.dir);
    snprintf(s->known_hosts, sizeof s->known_hosts, "%s/state/known_hosts", s->server.dir);
    s->options = (struct link_options){.engine = side_is("fake") ? "fake" : world_engine(),
                                       .port = s->server.port,
                                       .user = s->server.user,
                                       .key = s->server.key,
                                       .known_hosts = s->known_hosts,
                                       .keepalive_ms = 2000,
                                       .wake = true};
    *state = s;
    return 0;
}

int side_stop(void **state)
{
    struct side *s = *state;
    targets_stop(&s->targets);
    server_stop(&s->server);
    free(s);
    return 0;
}

int side_link_up(void **state)
{
    struct side *s = *state;
    world_open(&s->world);
    link_up(&s->world, &s->link, &s->options);
    return 0;
}

int side_link_down(void **state)
{
    struct side *s = *state;
    link_close(&s->world, &s->link);
    world_close(&s->world);
    return 0;
}
