/*
 * far_private: between far's two files.
 */
#ifndef ADIT_TESTS_UNIT_SSH_NATIVE_FAR_PRIVATE_H
#define ADIT_TESTS_UNIT_SSH_NATIVE_FAR_PRIVATE_H

#include "far.h"

#define FAR_VERSION "SSH-2.0-far_1"

void far_keys_init(struct far *f);
void far_keys_done(struct far *f);
int far_keys_message(struct far *f, uint8_t type, const uint8_t *payload, size_t n);

#endif
