/*
 * server: real SSH servers for the tests, each on a loopback port with its own folder, host key and
 * authorized keys.
 */
#ifndef ADIT_TESTS_FLOW_SSH_SERVER_H
#define ADIT_TESTS_FLOW_SSH_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct server {
    char dir[64];
    char user[64];
    char key[96]; /* a private key that it lets in */
    uint16_t port;
    pid_t pid;
};

/* A folder of its own, removed by server_stop(). */
void server_folder(struct server *s);
void server_run(const char *fmt, ...)
    __attribute__((format(printf, 1, 2))); /* a shell command that must succeed */

/* OpenSSH's sshd; `more` are further lines of its configuration, or NULL. */
void server_start_sshd(struct server *s, const char *more);
void server_restart_sshd(struct server *s);   /* the same port, keys and configuration, after server_kill() */
bool server_start_dropbear(struct server *s); /* false: not installed */
/* python3 SCRIPT DIR, which prints its port; false: python3 or a module of it is missing. */
bool server_start_script(struct server *s, const char *script);

void server_kill(struct server *s); /* SIGKILL to it and every process it made */
void server_stop(struct server *s);

#endif
