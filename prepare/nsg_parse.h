/*
 * nsg_parse: one rule out of ARM's documents. Private to prepare/.
 */
#ifndef ADIT_PREPARE_NSG_PARSE_H
#define ADIT_PREPARE_NSG_PARSE_H

#include "nsg.h"

void nsg_rule_done(struct nsg_rule *r);

#endif
