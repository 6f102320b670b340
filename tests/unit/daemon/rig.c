/*
 * rig: aditd on a thread of its own, in a directory of its own, over the fake proxy; and clients that send
 * lines.
 */
#include "rig.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define DEADLINE_MS 20000

const char RIG_CONFIG[] = "log-level: error\n"
                          "defaults: {user: me}\n"
                          "vms:\n"
                          "  - name: win11\n"
                          "    vm: rg-desk/win11\n"
                          "  - name: web1\n"
                          "    address: 127.0.0.1\n";

int rig_pipe = -1;
const char *rig_notify;

void rig_dir(struct rig *r)
{
    memset(r, 0, sizeof *r);
    snprintf(r->dir, sizeof r->dir, "/tmp/adit-daemon-XXXXXX");
    assert_non_null(mkdtemp(r->dir));
    setenv("XDG_RUNTIME_DIR", r->dir, 1);
    setenv("XDG_STATE_HOME", r->dir, 1);
    setenv("XDG_CACHE_HOME", r->dir, 1);
    setenv("XDG_CONFIG_HOME", r->dir, 1);
    unsetenv("ADIT_CONFIG");
    if (rig_notify)
        setenv("NOTIFY_SOCKET", rig_notify, 1);
    else
        unsetenv("NOTIFY_SOCKET");
    fake_proxy_hold(false);
    fake_proxy_fail_up(0);
    r->bg = (struct background){.pipe = rig_pipe, .log_fd = -1};
    r->options = (struct daemon_options){.foreground = true, .level_given = true, .level = LOG_ERROR};
}

void rig_config(const struct rig *r, const char *yaml)
{
    char path[128];
    snprintf(path, sizeof path, "%s/adit.yaml", r->dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(yaml, f);
    fclose(f);
}

static void *run(void *arg)
{
    struct rig *r = arg;
    r->status = daemon_run(&r->options, &r->place, &r->bg);
    return NULL;
}

static bool serves(const struct rig *r)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    memcpy(to.sun_path, r->place.socket, strlen(r->place.socket));
    bool yes = connect(fd, (struct sockaddr *)&to, sizeof to) == 0;
    close(fd);
    return yes;
}

void rig_start(struct rig *r, const char *yaml)
{
    char path[128];
    rig_dir(r);
    rig_config(r, yaml);
    snprintf(path, sizeof path, "%s/adit.yaml", r->dir);
    r->options.config = path;
    assert_int_equal(daemon_place_find(&r->place, &r->options), 0);
    assert_int_equal(pthread_create(&r->thread, NULL, run, r), 0);
    for (int i = 0; !serves(r); i++) {
        assert_true(i < DEADLINE_MS);
        poll(NULL, 0, 1);
    }
    r->options.config = NULL;
}

void rig_remove(struct rig *r)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", r->dir);
    assert_int_equal(system(command), 0);
    daemon_place_done(&r->place);
}

void rig_join(struct rig *r)
{
    pthread_join(r->thread, NULL);
    assert_int_equal(r->status, 0);
    assert_int_equal(fake_proxy_forwards(), 0);
    assert_int_equal(fake_proxy_waiting(), 0);
    assert_int_not_equal(access(r->place.socket, F_OK), 0);
    rig_remove(r);
}

void rig_stop(struct rig *r)
{
    struct peer p;
    peer_open(&p, r);
    json_decref(peer_call(&p, "stop", "{}"));
    rig_join(r);
    peer_close(&p);
}

void peer_open(struct peer *p, const struct rig *r)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    struct timeval deadline = {.tv_sec = DEADLINE_MS / 1000};
    memcpy(to.sun_path, r->place.socket, strlen(r->place.socket));
    p->next_id = 1;
    p->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(p->fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline);
    assert_int_equal(connect(p->fd, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(send(p->fd, "{\"adit\":1}\n", 11, MSG_NOSIGNAL), 11);
    json_t *hello = peer_line(p);
    assert_int_equal(json_integer_value(json_object_get(hello, "adit")), 1);
    json_decref(hello);
}

void peer_close(struct peer *p)
{
    close(p->fd);
}

int peer_send_op(struct peer *p, const char *op, const char *args)
{
    char line[2048];
    int n = snprintf(line, sizeof line, "{'id':%d,'op':'%s','args':%s}\n", p->next_id, op, args);
    for (char *c = line; *c; c++)
        if (*c == '\'')
            *c = '"';
    assert_int_equal(send(p->fd, line, (size_t)n, MSG_NOSIGNAL), n);
    return p->next_id++;
}

json_t *peer_line(struct peer *p)
{
    char line[65536];
    size_t n = 0;
    while (n + 1 < sizeof line) {
        if (recv(p->fd, line + n, 1, 0) <= 0)
            return NULL;
        if (line[n] == '\n')
            break;
        n++;
    }
    json_t *json = json_loadb(line, n, 0, NULL);
    assert_non_null(json);
    return json;
}

/* The answer itself: progress is passed over. */
static json_t *answer(struct peer *p, int id)
{
    for (;;) {
        json_t *line = peer_line(p);
        assert_non_null(line);
        assert_int_equal(json_integer_value(json_object_get(line, "id")), id);
        if (!json_object_get(line, "progress"))
            return line;
        json_decref(line);
    }
}

json_t *peer_call(struct peer *p, const char *op, const char *args)
{
    json_t *line = answer(p, peer_send_op(p, op, args));
    json_t *ok = json_object_get(line, "ok");
    if (!ok)
        fail_msg("%s %s: %s", op, args, json_dumps(line, 0));
    json_incref(ok);
    json_decref(line);
    return ok;
}

void peer_refused(struct peer *p, const char *op, const char *args, const char *code, const char *part)
{
    json_t *line = answer(p, peer_send_op(p, op, args));
    const json_t *error = json_object_get(line, "error");
    if (!error)
        fail_msg("%s %s was not refused", op, args);
    assert_string_equal(json_string_value(json_object_get(error, "code")), code);
    const char *message = json_string_value(json_object_get(error, "message"));
    if (!strstr(message, part))
        fail_msg("no \"%s\" in: %s", part, message);
    json_decref(line);
}

void rig_until(size_t (*what)(void), size_t value)
{
    for (int i = 0; what() != value; i++) {
        if (i > DEADLINE_MS)
            fail_msg("it stays %zu, not %zu", what(), value);
        poll(NULL, 0, 1);
    }
}
