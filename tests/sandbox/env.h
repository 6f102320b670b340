/*
 * env: the files that point adit at this sandbox: DIR/env, DIR/adit.yaml, DIR/ca.pem, and the client's key
 * pair.
 */
#ifndef ADIT_SANDBOX_ENV_H
#define ADIT_SANDBOX_ENV_H

#include "base/err.h"

struct sandbox;

/* The directories and the client key, before any VM is made; fills in sb->public_key. */
int env_prepare(struct sandbox *sb, struct err *err);

/* env and adit.yaml, once the addresses and ports are known. */
int env_write(struct sandbox *sb, struct err *err);

/* DIR/ready: exists while everything is up. */
int env_ready(struct sandbox *sb, struct err *err);
void env_not_ready(struct sandbox *sb);

#endif
