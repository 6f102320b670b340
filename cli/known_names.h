/*
 * known_names: the VMs and forwards that can be told without asking Azure and without starting anything.
 *
 * They come from the configuration, from what aditd remembers on disk, and from an aditd that runs, which is
 * given little time. What cannot be read, or makes no sense, adds nothing and is no error.
 */
#ifndef ADIT_CLI_KNOWN_NAMES_H
#define ADIT_CLI_KNOWN_NAMES_H

#include "cli.h"
#include "config/forward_spec.h"

struct known_names {
    struct known_name {
        char *name;
        char *about; /* or NULL */
    } * items;
    size_t count, capacity;
};

/* Zero-initialise; known_names_done() after use. with_groups: "group/name" of every remembered VM, else only
 * of those whose name is not theirs alone. */
void known_names_vms(struct known_names *k, const struct cli *cli, bool with_groups);
/* The forwards of a VM, as they are written after the option of their kind. */
void known_names_forwards(struct known_names *k, const struct cli *cli, const char *vm,
                          enum forward_kind kind);
/* Sorted, each once. */
void known_names_sort(struct known_names *k);
void known_names_done(struct known_names *k);

#endif
