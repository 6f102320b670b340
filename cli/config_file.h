/*
 * config_file: the configuration that counts for this command, read without a daemon.
 */
#ifndef ADIT_CLI_CONFIG_FILE_H
#define ADIT_CLI_CONFIG_FILE_H

#include "cli.h"
#include "config/config.h"

/* The file's path: `given`, else --config, else where it is looked for; mem_free(). *named: somebody said
 * which, so it must be there. NULL with err set. */
char *config_file_find(const struct cli *cli, const char *given, bool *named, struct err *err);

/* 0 with *out (config_unref()), or the status to exit with after every problem has been printed. A file that
 * nobody named may be missing: then *out holds the defaults and its path is NULL. *path (mem_free()) may be
 * set either way. */
int config_file_load(const struct cli *cli, const char *given, char **path, const struct config **out);

#endif
