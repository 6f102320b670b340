/*
 * notify: tells systemd how far the daemon is: one datagram to $NOTIFY_SOCKET (sd_notify(3), Type=notify).
 */
#ifndef ADIT_DAEMON_NOTIFY_H
#define ADIT_DAEMON_NOTIFY_H

/* "READY=1", "RELOADING=1\nMONOTONIC_USEC=…", "STOPPING=1". Nothing happens when nobody listens. */
void notify_send(const char *state);
void notify_reloading(void);

#endif
