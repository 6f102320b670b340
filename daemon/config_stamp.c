/*
 * config_stamp: compares what stat(2) says of the configuration file, then and now.
 */
#include "config_stamp.h"

#include <errno.h>
#include <string.h>

static int look(struct config_stamp *out, const char *path)
{
    struct stat st;
    memset(out, 0, sizeof *out);
    if (stat(path, &st) != 0)
        return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
    *out = (struct config_stamp){
        .there = true, .dev = st.st_dev, .ino = st.st_ino, .size = st.st_size, .written = st.st_mtim};
    return 0;
}

void config_stamp_take(struct config_stamp *out, const char *path)
{
    (void)look(out, path);
}

bool config_stamp_differs(const struct config_stamp *was, const char *path)
{
    struct config_stamp now;
    if (look(&now, path) < 0 || (!was->there && !now.there))
        return false;
    return was->there != now.there || was->dev != now.dev || was->ino != now.ino || was->size != now.size ||
           was->written.tv_sec != now.written.tv_sec || was->written.tv_nsec != now.written.tv_nsec;
}
