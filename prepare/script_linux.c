/*
 * script_linux: the scripts for RunShellScript, in POSIX sh.
 *
 * Root runs them, and the files they change lie where their user may put links to anything. So root only
 * looks the user up; all reading and writing of files is done by a second sh that runs as that user (runuser,
 * or su where there is none). What it is to do comes to it in the environment, never in its text.
 */
#include "base/mem.h"
#include "script_text.h"

#define AS_ROOT                                                                                              \
    "#!/bin/sh\n"                                                                                            \
    "set -eu\n"                                                                                              \
    "LC_ALL=C\n"                                                                                             \
    "PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin\n"                                                             \
    "adit_key=$(printf %%s '%s' | base64 -d)\n"                                                              \
    "adit_user=$(printf %%s '%s' | base64 -d)\n"                                                             \
    "fail() {\n"                                                                                             \
    "    printf 'adit: %%s\\n' \"$1\" >&2\n"                                                                 \
    "    exit 1\n"                                                                                           \
    "}\n"                                                                                                    \
    "entry=$(getent passwd -- \"$adit_user\") || fail \"there is no user $adit_user\"\n"                     \
    "[ \"${entry%%%%:*}\" = \"$adit_user\" ] || fail \"there is no user $adit_user\"\n"                      \
    "adit_home=$(printf '%%s\\n' \"$entry\" | cut -d : -f 6)\n"                                              \
    "export LC_ALL PATH adit_key adit_user adit_home\n"

/* Between these two stands what the user's own sh does. */
#define AS_USER_BEGIN                                                                                        \
    "work=$(cat <<'ADIT_END'\n"                                                                              \
    "set -eu\n"                                                                                              \
    "umask 077\n"                                                                                            \
    "fail() {\n"                                                                                             \
    "    printf 'adit: %%s\\n' \"$1\" >&2\n"                                                                 \
    "    exit 1\n"                                                                                           \
    "}\n"                                                                                                    \
    "own() {\n"                                                                                              \
    "    [ \"$(stat -c %%u \"$1\")\" = \"$(id -u)\" ] && [ \"$(stat -L -c %%u \"$1\")\" = \"$(id -u)\" ] "   \
    "||\n"                                                                                                   \
    "        fail \"$adit_home/$1 does not belong to $adit_user\"\n"                                         \
    "}\n"                                                                                                    \
    "cd -- \"$adit_home\" || fail \"$adit_user has no home directory\"\n"                                    \
    "file=.ssh/authorized_keys\n"

#define AS_USER_END                                                                                          \
    "ADIT_END\n"                                                                                             \
    ")\n"                                                                                                    \
    "cd /\n"                                                                                                 \
    "if command -v runuser >/dev/null 2>&1; then\n"                                                          \
    "    exec runuser -u \"$adit_user\" -- /bin/sh -c \"$work\"\n"                                           \
    "fi\n"                                                                                                   \
    "exec su -s /bin/sh -c \"$work\" -- \"$adit_user\"\n"

/* A key counts as there whatever its comment and options; a line of comment does not count. */
#define ADD                                                                                                  \
    "if [ -e .ssh ] || [ -L .ssh ]; then\n"                                                                  \
    "    own .ssh\n"                                                                                         \
    "else\n"                                                                                                 \
    "    mkdir -m 700 .ssh\n"                                                                                \
    "fi\n"                                                                                                   \
    "if [ -e $file ] || [ -L $file ]; then\n"                                                                \
    "    own $file\n"                                                                                        \
    "    [ -f $file ] || fail \"$adit_home/$file is no file\"\n"                                             \
    "    if awk 'BEGIN { split(ENVIRON[\"adit_key\"], key, \" \") }\n"                                       \
    "        /^[ \\t]*#/ { next }\n"                                                                         \
    "        { for (i = 1; i < NF; i++) if ($i == key[1] && $(i + 1) == key[2]) found = 1 }\n"               \
    "        END { exit !found }' $file; then\n"                                                             \
    "        chmod 600 $file\n"                                                                              \
    "        echo 'adit: present'\n"                                                                         \
    "        exit 0\n"                                                                                       \
    "    fi\n"                                                                                               \
    "    if [ -n \"$(tail -c 1 $file)\" ]; then\n"                                                           \
    "        echo >> $file\n"                                                                                \
    "    fi\n"                                                                                               \
    "fi\n"                                                                                                   \
    "printf '%%s\\n' \"$adit_key\" >> $file\n"                                                               \
    "chmod 600 $file\n"                                                                                      \
    "if command -v restorecon >/dev/null 2>&1; then\n"                                                       \
    "    restorecon .ssh $file || :\n"                                                                       \
    "fi\n"                                                                                                   \
    "echo 'adit: added'\n"

/* The new file takes the old one's place at once, except where that is a link of the user's making. */
#define REMOVE                                                                                               \
    "if ! [ -f $file ]; then\n"                                                                              \
    "    echo 'adit: absent'\n"                                                                              \
    "    exit 0\n"                                                                                           \
    "fi\n"                                                                                                   \
    "own .ssh\n"                                                                                             \
    "own $file\n"                                                                                            \
    "rest=$(mktemp .ssh/adit.XXXXXX)\n"                                                                      \
    "trap 'rm -f \"$rest\"' EXIT\n"                                                                          \
    "awk '$0 \"\" != ENVIRON[\"adit_key\"] \"\"' $file > \"$rest\"\n"                                        \
    "if [ \"$(awk 'END { print NR }' $file)\" = \"$(awk 'END { print NR }' \"$rest\")\" ]; then\n"           \
    "    echo 'adit: absent'\n"                                                                              \
    "    exit 0\n"                                                                                           \
    "fi\n"                                                                                                   \
    "if [ -L $file ]; then\n"                                                                                \
    "    cat \"$rest\" > $file\n"                                                                            \
    "else\n"                                                                                                 \
    "    mv -f \"$rest\" $file\n"                                                                            \
    "fi\n"                                                                                                   \
    "echo 'adit: removed'\n"

char *script_linux_key(bool add, const char *key64, const char *user64)
{
    return add ? mem_printf(AS_ROOT AS_USER_BEGIN ADD AS_USER_END, key64, user64)
               : mem_printf(AS_ROOT AS_USER_BEGIN REMOVE AS_USER_END, key64, user64);
}

/* The keys that sshd says it uses; where it says nothing, those at the usual place. */
char *script_linux_host_keys(void)
{
    return mem_strdup("#!/bin/sh\n"
                      "set -eu\n"
                      "LC_ALL=C\n"
                      "PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin\n"
                      "files=$(sshd -T 2>/dev/null | sed -n 's/^hostkey //p')\n"
                      "[ -n \"$files\" ] || files=$(ls /etc/ssh/ssh_host_*_key 2>/dev/null) || :\n"
                      "if [ -z \"$files\" ]; then\n"
                      "    echo 'adit: there are no host keys: no SSH server is installed' >&2\n"
                      "    exit 1\n"
                      "fi\n"
                      "echo 'adit: host keys'\n"
                      "printf '%s\\n' \"$files\" | while IFS= read -r file; do\n"
                      "    if [ -r \"$file.pub\" ]; then\n"
                      "        awk '{ print $1, $2 }' \"$file.pub\"\n"
                      "    elif [ -r \"$file\" ]; then\n"
                      "        ssh-keygen -y -f \"$file\" </dev/null | awk '{ print $1, $2 }'\n"
                      "    fi\n"
                      "done\n"
                      "echo 'adit: end'\n");
}
