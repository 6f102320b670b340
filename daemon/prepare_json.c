/*
 * prepare_json: what a run of prepare tells, as the events of docs/protocol.md.
 */
#include "prepare_json.h"

#include <string.h>

#include "control/control.h"

json_t *prepare_json_step(const struct prepare_outcome *o)
{
    json_t *json =
        json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:b, s:I}", "event", "step", "step",
                  prepare_step_name(o->step), "title", prepare_step_title(o->step), "status",
                  prepare_status_name(o->status), "text", control_text(o->text), "mend",
                  control_text(o->mend), "mendable", o->mendable, "took_ms", (json_int_t)o->took_ms);
    if (o->status == PREPARE_SKIP)
        json_object_set_new(json, "because",
                            o->because < PREPARE_STEPS ? json_string(prepare_step_name(o->because))
                                                       : json_null());
    if (o->action && *o->action)
        json_object_set_new(json, "action", control_text(o->action));
    if (o->code)
        json_object_set_new(json, "code", json_string(err_code_name(o->code)));
    return json;
}

json_t *prepare_json_changed(enum prepare_step step, const char *text)
{
    return json_pack("{s:s, s:s, s:o}", "event", "changed", "step", prepare_step_name(step), "text",
                     control_text(text));
}

json_t *prepare_json_printed(const char *text)
{
    return json_pack("{s:s, s:o}", "event", "printed", "text", control_text(text));
}

enum prepare_form prepare_json_form(const char *name)
{
    static const char *const NAMES[] = {[PREPARE_FORM_AZ] = "az",
                                        [PREPARE_FORM_POWERSHELL] = "powershell",
                                        [PREPARE_FORM_ARM] = "arm",
                                        [PREPARE_FORM_BICEP] = "bicep"};
    for (enum prepare_form f = PREPARE_FORM_AZ; f <= PREPARE_FORM_BICEP; f++)
        if (strcmp(NAMES[f], name) == 0)
            return f;
    return PREPARE_FORM_NONE;
}
