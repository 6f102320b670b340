/*
 * fs: the few file operations whose safe form takes more than one call.
 *
 * Blocking: only small files on a local disk, at start-up or on a thread of the pool. Thread: any.
 */
#ifndef ADIT_BASE_FS_H
#define ADIT_BASE_FS_H

#include <stddef.h>
#include <sys/types.h>

#include "err.h"

/* Reads a whole file of at most max bytes. *out is owned by the caller, terminated with a NUL that *len
 * leaves out. ERR_NOTFOUND, ERR_DENIED, ERR_LIMIT, ERR_SYSTEM, ERR_NOMEM. */
int fs_read(const char *path, size_t max, char **out, size_t *len, struct err *err);

/* Writes through a temporary file of the same directory and rename(2); readers see the old or the new text,
 * never half. */
int fs_replace(const char *path, const void *data, size_t len, mode_t mode, struct err *err);

/* Makes the directory and its parents, the last one with `mode`. One that exists must be ours and not
 * writable by others. */
int fs_mkdirs(const char *path, mode_t mode, struct err *err);

#endif
