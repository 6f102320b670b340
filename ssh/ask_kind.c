/*
 * ask_kind: the kinds of questions by their names.
 */
#include "ask.h"

const char *ssh_ask_kind_name(enum ssh_question_kind kind)
{
    static const char *const NAMES[] = {[SSH_ASK_PROMPT] = "prompt",
                                        [SSH_ASK_PASSWORD] = "password",
                                        [SSH_ASK_PASSPHRASE] = "passphrase",
                                        [SSH_ASK_HOSTKEY] = "host-key"};
    return NAMES[kind];
}
