/*
 * replay: runs a fuzz target over the files of a corpus directory, for compilers without libFuzzer.
 *
 * Each input is copied to a block of its exact size, so that ASan sees a read one byte past its end. An empty
 * directory is a failure: a corpus that nobody finds would pass for ever.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#define INPUT_MAX (1 << 20)

static int replay_file(const char *path)
{
    static uint8_t block[INPUT_MAX];
    FILE *f = fopen(path, "rb");
    if (!f) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return -1;
    }
    size_t n = fread(block, 1, sizeof block, f);
    int bad = ferror(f);
    fclose(f);
    uint8_t *exact = malloc(n ? n : 1);
    if (bad || !exact) {
        fprintf(stderr, "%s: cannot be read\n", path);
        free(exact);
        return -1;
    }
    memcpy(exact, block, n);
    LLVMFuzzerTestOneInput(exact, n);
    free(exact);
    return 0;
}

int main(int argc, char **argv)
{
    int files = 0;
    for (int i = 1; i < argc; i++) {
        DIR *dir = opendir(argv[i]);
        if (!dir) {
            fprintf(stderr, "%s: %s\n", argv[i], strerror(errno));
            return 1;
        }
        struct dirent *entry;
        while ((entry = readdir(dir)) != NULL) {
            char path[4096];
            if (entry->d_name[0] == '.')
                continue;
            snprintf(path, sizeof path, "%s/%s", argv[i], entry->d_name);
            if (replay_file(path) < 0) {
                closedir(dir);
                return 1;
            }
            files++;
        }
        closedir(dir);
    }
    printf("%d inputs\n", files);
    return files > 0 ? 0 : 1;
}
