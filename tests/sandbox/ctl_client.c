/*
 * ctl_client: sends one call to a running sandbox and prints its answer.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl.h"

const char ctl_help[] =
    "usage: adit-sandbox ctl --dir DIR WORD...\n"
    "  start VM           deallocate VM (a dynamic address is given up)\n"
    "  recreate VM        another vmId and other host keys, the same name and address\n"
    "  kill-ssh VM        kill -9 of its sshd and all sessions; a new sshd listens at once\n"
    "  fault VM latency 25ms    one way, both directions: the round trip grows by twice that\n"
    "  fault VM rate 100mbit    of each direction, shared by all connections\n"
    "  fault VM reset           every connection ends with RST now\n"
    "  fault VM blackhole on|off    nothing moves, SYNs are swallowed\n"
    "  fault VM clear\n"
    "  arm throttle N     the next N calls get 429 with Retry-After 1\n"
    "  arm status CODE    every call gets CODE\n"
    "  arm delay 2s       every reply comes late\n"
    "  arm expire-tokens  every token given out so far\n"
    "  arm claims-challenge N    the next N calls with tokens from before get 401 with a claims challenge\n"
    "  arm other-tenant on|off   all subscriptions belong to another tenant (401 "
    "InvalidAuthenticationTokenTenant)\n"
    "  arm quota on|off   whether callers who ask too often are refused (they are)\n"
    "KIND is a kind of calls as status counts them (vm.start, extension.put, rule.put), or KIND@VM:\n"
    "  arm fail-operation KIND [CODE [MESSAGE]]    the next such operation ends Failed\n"
    "  arm hang-operation KIND    such operations stay InProgress\n"
    "  arm release-operation [KIND]    until now; says how many were under way\n"
    "  arm conflict KIND N [CODE]      the next N such calls get 409\n"
    "  arm retryable KIND N [SECONDS|none]    429 RetryableErrorDueToAnotherOperation, with that Retry-After "
    "(1)\n"
    "  arm refuse KIND N STATUS [CODE [MESSAGE]]\n"
    "  arm deny ACTION    403 AuthorizationFailed; * stands for any text; arm allow ACTION lifts it\n"
    "  arm writes         JSON: the requests to change something since arm clear\n"
    "  arm clear          of all that; every caller may ask as much as at the start\n"
    "  world snapshot     JSON: power, addresses, rules, extensions, keys of every VM; canonical\n"
    "  world caller ADDRESS    whoever calls is there now, for rules and new tokens\n"
    "  graph stale 30s    Resource Graph is so far behind; graph clear: it is not\n"
    "  device approve|deny [CODE]    what the person does who was shown the code (all of them)\n"
    "  device revoke      access and refresh tokens are worth nothing any more\n"
    "  identity fail CODE N    the next N answers of IMDS, App Service or Arc are CODE\n"
    "  status             JSON: VMs, relays, requests by kind\n"
    "  wait VM running|deallocated|stopped    at most 60 s\n"
    "VM is a name, group/name, or its name in the written adit.yaml.\n";

static int dial(const char *dir)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int n = snprintf(at.sun_path, sizeof at.sun_path, "%s/ctl.sock", dir);
    if (n < 0 || (size_t)n >= sizeof at.sun_path) {
        fprintf(stderr, "adit-sandbox: the path of --dir is too long\n");
        return -1;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) == 0)
        return fd;
    fprintf(stderr, "adit-sandbox: %s: %s; is `adit-sandbox run --dir %s` running?\n", at.sun_path,
            strerror(errno), dir);
    if (fd >= 0)
        close(fd);
    return -1;
}

int ctl_client(const char *dir, int count, char **words)
{
    json_t *call = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(call, json_string(words[i]));
    char *line = json_dumps(call, JSON_COMPACT);
    json_decref(call);
    int fd = dial(dir);
    if (fd < 0 || !line) {
        free(line);
        return 1;
    }
    dprintf(fd, "%s\n", line);
    free(line);
    json_t *answer = json_loadfd(fd, JSON_DISABLE_EOF_CHECK, NULL);
    close(fd);
    const char *text = json_string_value(json_object_get(answer, "text"));
    int ok = json_is_true(json_object_get(answer, "ok"));
    if (ok && text && strcmp(text, "done") != 0)
        printf("%s\n", text);
    else if (!ok)
        fprintf(stderr, "adit-sandbox: %s\n", text ? text : "the sandbox ended before it answered");
    json_decref(answer);
    return ok ? 0 : 1;
}
