/*
 * interrupt: Ctrl-C and SIGTERM as something to poll for, for commands that have to tidy up.
 */
#include "interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static int pipe_fds[2] = {-1, -1};
static volatile sig_atomic_t came, resized;

static void on_signal(int number)
{
    int saved = errno;
    if (number == SIGWINCH) {
        resized = 1;
    } else {
        came = number;
        if (write(pipe_fds[1], "", 1) < 0) /* full: readable already */
            errno = saved;
    }
    errno = saved;
}

static void catch (int number)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

int interrupt_catch(void)
{
    if (pipe_fds[0] >= 0 || pipe(pipe_fds) != 0)
        return pipe_fds[0];
    for (int i = 0; i < 2; i++) {
        fcntl(pipe_fds[i], F_SETFD, FD_CLOEXEC);
        fcntl(pipe_fds[i], F_SETFL, O_NONBLOCK);
    }
    catch (SIGINT);
    catch (SIGTERM);
    catch (SIGHUP);
    return pipe_fds[0];
}

void interrupt_wake(void)
{
    if (pipe_fds[1] >= 0 && write(pipe_fds[1], "", 1) < 0)
        return; /* full: readable already */
}

int interrupt_signal(void)
{
    return came;
}

void interrupt_catch_resize(void)
{
    catch (SIGWINCH);
}

int interrupt_sleep(uint32_t ms)
{
    struct pollfd p = {.fd = pipe_fds[0], .events = POLLIN};
    int rc = poll(&p, 1, (int)ms);
    if (came || rc > 0)
        return 1;
    if (rc < 0 && resized) {
        resized = 0;
        return 2;
    }
    return 0;
}
