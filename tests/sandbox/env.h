/*
 * env: the files that point adit at this sandbox: DIR/env, DIR/adit.yaml, DIR/ca.pem, and the client's key
 * pair.
 */
#ifndef ADIT_SANDBOX_ENV_H
#define ADIT_SANDBOX_ENV_H

#include "base/err.h"

struct sandbox;
struct strbuf;

/* The directories and the client key, before any VM is made; fills in sb->public_key. */
int env_prepare(struct sandbox *sb, struct err *err);

/* env and adit.yaml, once the addresses and ports are known. */
int env_write(struct sandbox *sb, struct err *err);

/* The parts of an env file. */
void env_places(const struct sandbox *sb, struct strbuf *b, const char *config); /* all but the credential */
void env_line(struct strbuf *b, const char *name, const char *value);            /* export NAME='VALUE' */
int env_file_write(struct sandbox *sb, const char *name, struct strbuf *b,
                   struct err *err); /* DIR/NAME, 0600; ends b */

/* DIR/ready: exists while everything is up. */
int env_ready(struct sandbox *sb, struct err *err);
void env_not_ready(struct sandbox *sb);

#endif
