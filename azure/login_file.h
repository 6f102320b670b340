/*
 * login_file: the refresh token that `adit login` leaves on disk, for its owner's eyes only.
 *
 * JSON, mode 0600, replaced in one step. A few hundred bytes on a local disk, read about once an hour: not
 * worth a thread. Thread: any.
 */
#ifndef ADIT_AZURE_LOGIN_FILE_H
#define ADIT_AZURE_LOGIN_FILE_H

#include "base/err.h"

/* All owned. `login` is the sign-in endpoint that the token is for: it is sent to no other. */
struct login_saved {
    char *login, *tenant, *client, *user;
    char *refresh; /* secret */
};

/* ERR_NOTFOUND (nobody is signed in), ERR_DENIED (others can read it), ERR_INVAL (damaged), ERR_LIMIT,
 * ERR_SYSTEM, ERR_NOMEM. */
int login_file_read(struct login_saved *out, const char *path, struct err *err);
void login_saved_done(struct login_saved *s);

/* Makes the directory, 0700, if it is not there. ERR_DENIED, ERR_EXISTS, ERR_SYSTEM, ERR_NOMEM. */
int login_file_write(const char *path, const struct login_saved *saved, struct err *err);

int login_file_remove(const char *path, struct err *err); /* ERR_NOTFOUND, ERR_DENIED, ERR_SYSTEM */

#endif
