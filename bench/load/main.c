/*
 * main: adit-load, the load generator of the benchmarks.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

#include "load.h"
#include "options.h"

/* Ten thousand flows need as many descriptors. */
static void lift_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int main(int argc, char **argv)
{
    struct load_options o;
    struct err err = {0};
    int status;

    load_mode_fn *run = options_parse(&o, argc, argv, &status);
    if (!run)
        return status;
    signal(SIGPIPE, SIG_IGN);
    lift_descriptor_limit();
    int rc = run(&o, &err);
    if (rc == 0)
        return 0;
    fprintf(stderr, "adit-load: %s\n", err.msg);
    return err_exit_status(rc);
}
