/*
 * step_fns: the checks, mends and undos of the table's rows, each declared under the file that holds it.
 *
 * Private to prepare/. All are step_fn (steps.h).
 */
#ifndef ADIT_PREPARE_STEP_FNS_H
#define ADIT_PREPARE_STEP_FNS_H

#include "steps.h"

/* step_vm.c */
void sign_in_check(struct prepare_run *run, enum prepare_step s);
void vm_step_check(struct prepare_run *run, enum prepare_step s);

/* step_power.c */
void power_check(struct prepare_run *run, enum prepare_step s);
void power_mend(struct prepare_run *run, enum prepare_step s);
void power_undo(struct prepare_run *run, enum prepare_step s);

/* step_address.c, address_mend.c, address_undo.c */
void address_check(struct prepare_run *run, enum prepare_step s);
void address_mend(struct prepare_run *run, enum prepare_step s);
void address_undo(struct prepare_run *run, enum prepare_step s);

/* step_extension.c */
void extension_check(struct prepare_run *run, enum prepare_step s);
void extension_mend(struct prepare_run *run, enum prepare_step s);
void extension_undo(struct prepare_run *run, enum prepare_step s);

/* step_rule.c, rule_mend.c */
void rule_check(struct prepare_run *run, enum prepare_step s);
void rule_mend(struct prepare_run *run, enum prepare_step s);
void rule_undo(struct prepare_run *run, enum prepare_step s);

/* step_port.c */
void port_check(struct prepare_run *run, enum prepare_step s);

/* step_enter.c, login_mend.c */
void host_key_check(struct prepare_run *run, enum prepare_step s);
void login_check(struct prepare_run *run, enum prepare_step s);
void login_mend(struct prepare_run *run, enum prepare_step s);
void login_undo(struct prepare_run *run, enum prepare_step s);
void forward_check(struct prepare_run *run, enum prepare_step s);
void rdp_check(struct prepare_run *run, enum prepare_step s);

#endif
