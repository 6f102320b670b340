/*
 * script: what a Run Command's script would do on a VM. Scripts are not run but recognised, and what they are
 * about is really done.
 *
 *   prints "adit: removed"    the public keys in it are taken out of the VM's authorized_keys
 *   prints "adit: added"      they are added to it
 *   prints "adit: host keys"  those of the VM's sshd are printed between that line and "adit: end"
 *   names authorized_keys, or ssh_host_ or ssh-keyscan: added, or printed, too (scripts of other people)
 *
 * The first of these that holds counts; all others succeed and say nothing. Public keys are found as they
 * are, and in single-quoted literals of base64.
 */
#ifndef ADIT_SANDBOX_SCRIPT_H
#define ADIT_SANDBOX_SCRIPT_H

#include <stdbool.h>

#include "base/strbuf.h"

struct vm;

struct script_result {
    struct strbuf out, bad; /* standard output and standard error */
    int exit_code;
};

bool script_only_reads(const char *text);
/* The text is kept in the VM's directory as `script`. The caller ends both buffers. */
void script_play(struct vm *vm, const char *text, struct script_result *r);
const char *script_tail(const struct strbuf *s); /* what the platform keeps of it */

#endif
