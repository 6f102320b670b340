/*
 * main: aditd's entry: options, then into the background unless told otherwise, then the daemon.
 */
#include <stdio.h>

#include "daemon/background.h"
#include "daemon/daemon.h"
#include "daemon/harden.h"
#include "daemon/options.h"

int main(int argc, char **argv)
{
    struct daemon_options options;
    struct background bg;

    int status = daemon_options_parse(&options, argc, argv);
    if (status >= 0)
        return status;
    harden_process();
    struct daemon_place place;
    status = daemon_place_find(&place, &options);
    if (status == 0)
        status = background_enter(&bg, options.foreground, place.log_file);
    if (status == 0)
        status = daemon_run(&options, &place, &bg);
    daemon_place_done(&place);
    return status;
}
