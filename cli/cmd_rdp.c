/*
 * cmd_rdp: `adit rdp`: a tunnel to a VM's RDP port and the user's RDP client on it.
 *
 *   forward asked for ──listening, VM up──► client started ──ends──► open windows ──none left──► done
 *
 * The forward is tied to this process, as `adit forward`'s is. A second process of ours attends to the
 * client, because this one waits for what befalls the VM: some clients hand over to one that runs already and
 * end at once, and others leave a second window open, so what counts is whether connections are open. With
 * --keep the forward is the daemon's, and nothing waits.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "ask.h"
#include "base/mem.h"
#include "cli.h"
#include "forward_list.h"
#include "interrupt.h"
#include "options.h"
#include "output.h"
#include "progress.h"
#include "rdp_client.h"

#define RDP_PORT 3389
#define MARGIN_MS 5000
#define ASK_MS 5000
#define LOOK_MS 300
#define HAND_OVER_MS 5000 /* a client that ended may have told another one to connect */

enum { OPT_CLIENT = 512, OPT_WRITE, OPT_PRINT, OPT_KEEP, OPT_RDP_PORT };

struct rdp {
    struct cli *cli;
    const char *vm, *user, *client_name, *file;
    const struct rdp_client *client;
    bool print, keep, started, batch;
    uint32_t timeout_ms, remote_port, port;
    char *spec;
    char **extra;
    int extra_count;
    struct progress progress;
    struct ask ask;
    pid_t attendant;
    struct err err; /* of the client's start */
};

/* A port that nobody listens on. Should another program take it meanwhile, the daemon says so. */
static int choose_port(uint32_t *port, struct err *err)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), rc = 0;

    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &len) != 0)
        rc = err_sys(err, errno, "a free loopback port");
    *port = ntohs(a.sin_port);
    if (fd >= 0)
        close(fd);
    return rc;
}

/* The connections that are open in our forward, and whether there was ever one; −1 when nobody knows. */
static int count_windows(struct rdp *r, bool *ever)
{
    struct control_client *c = NULL;
    struct err err = {0};
    json_t *status = NULL, *vm, *f;
    size_t i, k;
    int open = -1;

    if (cli_connect(r->cli, CLI_RUNNING_ONLY, &c, &err) == 0)
        control_call(c, "status", NULL, ASK_MS, NULL, NULL, &status, NULL, &err);
    json_array_foreach(json_object_get(status, "vms"), i, vm)
    {
        json_array_foreach(json_object_get(vm, "forwards"), k, f)
        {
            const char *spec = json_string_value(json_object_get(f, "spec"));
            if (spec && strcmp(spec, r->spec) == 0) {
                open = (int)json_integer_value(json_object_get(f, "flows"));
                *ever = json_integer_value(json_object_get(f, "flows_total")) > 0;
            }
        }
    }
    json_decref(status);
    control_client_close(c);
    return open;
}

static void attend(struct rdp *r, pid_t client)
{
    bool ever = false;

    while (waitpid(client, NULL, 0) < 0 && errno == EINTR && !interrupt_signal())
        continue;
    for (uint32_t ms = 0; !interrupt_signal(); ms += LOOK_MS) {
        int open = count_windows(r, &ever);
        if (open < 0 || (open == 0 && (ever || ms >= HAND_OVER_MS)))
            break;
        if (interrupt_sleep(LOOK_MS) == 1)
            break;
    }
}

/* The client is the attendant's child, so that it can be waited for. */
static void start_attendant(struct rdp *r)
{
    int report[2] = {-1, -1};

    if (pipe(report) != 0) {
        err_sys(&r->err, errno, "pipe");
        return;
    }
    fflush(NULL);
    r->attendant = fork();
    if (r->attendant == 0) {
        close(report[0]);
        pid_t client = rdp_client_start(r->client, r->port, r->extra, r->extra_count, &r->err);
        bool told = write(report[1], &r->err, sizeof r->err) == (ssize_t)sizeof r->err;
        close(report[1]);
        if (told && client > 0)
            attend(r, client);
        interrupt_wake();
        _exit(0);
    }
    close(report[1]);
    if (r->attendant < 0)
        err_sys(&r->err, errno, "fork");
    else if (read(report[0], &r->err, sizeof r->err) != (ssize_t)sizeof r->err)
        err_set(&r->err, ERR_SYSTEM, "the client's attendant ended");
    close(report[0]);
}

/* The forward listens and the VM is up. */
static void begin(struct rdp *r)
{
    progress_end(&r->progress);
    r->started = true;
    if (r->file && rdp_file_write(r->file, r->port, &r->err) == 0) {
        fputs("adit: ", stderr);
        output_text(stderr, r->file);
        fprintf(stderr, " leads to 127.0.0.1:%u\n", r->port);
    }
    if (r->print)
        printf("127.0.0.1:%u\n", r->port);
    fflush(stdout);
    if (r->client && r->keep) {
        pid_t pid = rdp_client_start(r->client, r->port, r->extra, r->extra_count, &r->err);
        while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    } else if (r->client) {
        start_attendant(r);
    }
    if (r->err.code)
        interrupt_wake();
}

static void on_event(void *arg, const json_t *data)
{
    begin(arg);
}

static void on_progress(void *arg, const char *text)
{
    struct rdp *r = arg;
    if (ask_active(&r->ask))
        return;
    if (!r->started) {
        progress_show(&r->progress, text);
        return;
    }
    fputs("adit: ", stderr);
    output_text(stderr, text);
    fputc('\n', stderr);
}

static enum control_asked on_question(void *arg, const struct control_question *q, int wake_fd,
                                      char answer[CONTROL_ANSWER_MAX + 1])
{
    struct rdp *r = arg;
    return ask_question(&r->ask, q, wake_fd, answer);
}

static void on_withdrawn(void *arg)
{
    struct rdp *r = arg;
    ask_withdrawn(&r->ask);
}

static int finish(struct rdp *r, int rc, struct err *err)
{
    progress_end(&r->progress);
    if (rc == 0) {
        begin(r);
        fprintf(stderr, "adit: 127.0.0.1:%u stays: `adit cancel %s -L %s` ends it\n", r->port, r->vm,
                r->spec);
    }
    if (r->attendant > 0) {
        kill(r->attendant, SIGTERM);
        while (waitpid(r->attendant, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    if (r->err.code)
        return cli_fail(&r->err, "rdp %s", r->vm);
    if (rc == ERR_CANCELED && interrupt_signal())
        return interrupt_signal() == SIGINT && r->started ? 0 : 128 + interrupt_signal();
    if (rc == 0 || (rc == ERR_CANCELED && r->started && r->attendant > 0))
        return 0;
    return cli_fail(err, "rdp %s", r->vm);
}

static int call(struct rdp *r)
{
    struct control_client *c = NULL;
    struct err err = {0};
    json_t *data = NULL;
    const struct control_watch watch = {.progress = on_progress,
                                        .event = on_event,
                                        .question = on_question,
                                        .withdrawn = on_withdrawn,
                                        .arg = r};
    char *vm = forward_list_vm(r->vm, r->user);

    progress_begin(&r->progress);
    ask_init(&r->ask, r->batch, &r->progress);
    int rc = cli_connect(r->cli, CLI_START, &c, &err);
    if (rc == 0) {
        control_client_interrupt_fd(c, interrupt_catch());
        json_t *args = json_pack("{s:o, s:[{s:s, s:o}], s:b, s:I}", "vm", control_text(vm), "forwards",
                                 "kind", "local", "spec", control_text(r->spec), "detach", r->keep,
                                 "timeout_ms", (json_int_t)r->timeout_ms);
        ask_args(&r->ask, args);
        rc = control_call_watch(c, "forward", args, r->keep ? r->timeout_ms + MARGIN_MS : 0, &watch, &data,
                                NULL, &err);
    }
    int status = finish(r, rc, &err);
    json_decref(data);
    mem_free(vm);
    control_client_close(c);
    return status;
}

static int parse(struct rdp *r, int argc, char **argv)
{
    static const struct option OPTIONS[] = {
        {"client", required_argument, NULL, OPT_CLIENT},
        {"write", required_argument, NULL, OPT_WRITE},
        {"print", no_argument, NULL, OPT_PRINT},
        {"keep", no_argument, NULL, OPT_KEEP},
        {"port", required_argument, NULL, OPT_RDP_PORT},
        {"user", required_argument, NULL, 'u'},
        {"timeout", required_argument, NULL, OPT_TIMEOUT},
        {"batch", no_argument, NULL, OPT_BATCH},
        {NULL, 0, NULL, 0},
    };
    int own = 1;
    while (own < argc && strcmp(argv[own], "--") != 0)
        own++;
    r->extra = argv + (own < argc ? own + 1 : own);
    r->extra_count = own < argc ? argc - own - 1 : 0;
    for (int o; (o = options_next(r->cli, own, argv, "u:", OPTIONS)) != -1;) {
        if (o == '?' || (o == OPT_TIMEOUT && options_seconds(r->cli, optarg, &r->timeout_ms) != 0) ||
            (o == OPT_RDP_PORT &&
             options_number(r->cli, "the port", optarg, 1, UINT16_MAX, &r->remote_port) != 0))
            return EX_USAGE;
        const char **text = o == OPT_CLIENT ? &r->client_name : o == OPT_WRITE ? &r->file : NULL;
        if (text)
            *text = optarg;
        if (o == 'u')
            r->user = optarg;
        r->print |= o == OPT_PRINT;
        r->keep |= o == OPT_KEEP;
        r->batch |= o == OPT_BATCH;
    }
    if (optind + 1 != own)
        return cli_usage(r->cli, optind == own ? "which VM?" : "one VM at a time");
    if ((r->print || r->file) && (r->client_name || r->extra_count > 0))
        return cli_usage(r->cli, "--print and --write start no client");
    if (r->extra_count > RDP_CLIENT_EXTRA_MAX)
        return cli_usage(r->cli, "more than %d words for the client", RDP_CLIENT_EXTRA_MAX);
    r->vm = argv[optind];
    return 0;
}

int cmd_rdp(struct cli *cli, int argc, char **argv)
{
    struct rdp r = {.cli = cli, .timeout_ms = 60000, .remote_port = RDP_PORT};
    struct err err = {0};
    int status = parse(&r, argc, argv), rc = 0;

    if (status != 0)
        return status;
    if (!r.print && !r.file) {
        r.client = rdp_client_find(r.client_name, &err);
        rc = r.client ? 0 : err.code;
    }
    if (rc == 0)
        rc = choose_port(&r.port, &err);
    if (rc == 0) {
        r.spec = mem_printf("127.0.0.1:%u:localhost:%u", r.port, r.remote_port);
        rc = r.spec ? 0 : err_set(&err, ERR_NOMEM, "out of memory");
    }
    status = rc == 0 ? call(&r) : cli_fail(&err, "rdp %s", r.vm);
    mem_free(r.spec);
    return status;
}
