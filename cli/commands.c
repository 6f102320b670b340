/*
 * commands: the one table of adit's commands.
 */
#include <string.h>

#include "cli.h"

#define TUNNELS "Tunnels"
#define SSH "For ssh"
#define AZURE "Azure"
#define DAEMON "The daemon"
#define MORE "More"

const struct cli_command CLI_COMMANDS[] = {
    {"up", TUNNELS, "connect VMs and open their forwards",
     "[--no-wait] [--batch] [--timeout TIME] [--json] [VM...]",
     "Without a VM: every VM of the configuration. A VM that the configuration does not name is looked up in "
     "Azure.\n"
     "\n"
     "      --all              every VM of the configuration\n"
     "      --no-wait          return at once; aditd goes on trying\n"
     "      --wait             return when each is up or has failed (the default)\n"
     "      --timeout TIME     wait no longer than this (60)\n"
     "      --batch            ask nobody: what needs a passphrase or a password fails\n"
     "      --json             print the outcome as JSON\n",
     cmd_up},
    {"down", TUNNELS, "close VMs' forwards and connections", "[--json] VM... | --all",
     "      --all              every VM of the configuration\n"
     "      --json             print the outcome as JSON\n",
     cmd_down},
    {"status", TUNNELS, "show VMs, forwards and traffic", "[--watch[=TIME]] [--json] [VM...]",
     "  -w, --watch[=TIME]     stay, and refresh every second (or TIME)\n"
     "      --json             print the status as JSON; with --watch one object a line\n",
     cmd_status},
    {"forward", TUNNELS, "add forwards to a VM",
     "VM -L SPEC | -D SPEC | -R SPEC [-L SPEC...] [--detach] [--user USER] [--batch] [--timeout TIME]",
     "SPEC is as after ssh's -L: [bind:]port:host:hostport, or a bare 3389 for 3389:localhost:3389.\n"
     "After -D it is [bind:]port: clients there name their targets by SOCKS or HTTP CONNECT.\n"
     "The forwards last until Ctrl-C; with --detach until `adit cancel`, `adit down` or aditd's end.\n"
     "\n"
     "  -L, --local SPEC       listen here, connect from the VM; may be given again\n"
     "  -D, --dynamic SPEC     a proxy to wherever the VM can connect; may be given again\n"
     "  -R, --remote SPEC      listen at the VM, connect from here; may be given again\n"
     "  -d, --detach           return when the forwards listen and the VM is up\n"
     "  -u, --user USER        log in as USER\n"
     "      --timeout TIME     give up when the VM is not up by then (60)\n"
     "      --batch            ask nobody: what needs a passphrase or a password fails\n"
     "      --json             print what listens where as JSON\n",
     cmd_forward},
    {"cancel", TUNNELS, "end forwards of a VM", "VM -L FORWARD | -D FORWARD | -R FORWARD [-L FORWARD...]",
     "  -L, --local FORWARD    the forward, written as when it was added\n"
     "  -D, --dynamic FORWARD  the same of a proxy\n"
     "  -R, --remote FORWARD   the same of one that listens at the VM\n"
     "  -u, --user USER        of the connection as USER\n",
     cmd_cancel},
    {"rdp", TUNNELS, "open a VM's desktop in your RDP client",
     "[--client CLIENT] [--print] [--write FILE.rdp] [--keep] [--batch] VM [-- CLIENT-ARGUMENT...]",
     "The tunnel has a loopback port of its own and stays as long as a window is open on it.\n"
     "\n"
     "      --client CLIENT    instead of the first that is here of those in adit(1)\n"
     "      --print            start no client, print the address; until Ctrl-C\n"
     "      --write FILE.rdp   start no client, write a file for one; until Ctrl-C\n"
     "      --keep             leave the tunnel to aditd, until `adit cancel`\n"
     "      --port PORT        where the VM listens (3389)\n"
     "  -u, --user USER        log in to SSH as USER\n"
     "      --batch            ask nobody: what needs a passphrase or a password fails\n"
     "      --timeout TIME     give up when the VM is not up by then (60)\n",
     cmd_rdp},
    {"doctor", AZURE, "find what stands in the way of a tunnel to a VM",
     "[--source ADDRESS] [--timeout TIME] [--json] VM",
     "Checks read only. 0 only if a tunnel will work.\n"
     "\n"
     "      --source ADDRESS   who the security rules must let in, instead of this machine's public address\n"
     "      --timeout TIME     give up then (600)\n"
     "      --json             print all of it as JSON\n",
     cmd_doctor},
    {"prepare", AZURE, "do what doctor finds missing on a VM", "[OPTION...] VM",
     "Shows what it would do, asks once, does it, and looks whether it worked. Again, it changes nothing.\n"
     "\n"
     "  -y, --yes              do not ask\n"
     "      --dry-run          show the plan, do nothing\n"
     "      --only STEP[,STEP...]   mend these alone: power, address, extension, rule, login\n"
     "      --undo             take back what adit prepare added, and nothing else\n"
     "      --print FORM       print the missing steps instead: az, powershell, arm or bicep\n"
     "      --source ADDRESS   let this address or prefix in, instead of this machine's public one\n"
     "      --create-public-ip   give it a public address if it has none; that costs money\n"
     "      --key FILE.pub     the public key to log in with, instead of the first one of the VM's "
     "identities\n"
     "      --make-key         make a key pair, without a passphrase, if there is none\n"
     "      --timeout TIME     give up then (1800)\n"
     "      --json             print all of it as JSON\n",
     cmd_prepare},
    {"start", AZURE, "start VMs", "[--timeout TIME] [--json] VM...",
     "Returns when they run. Nothing happens to those that run already.\n"
     "\n"
     "      --timeout TIME     wait no longer than this (600)\n"
     "      --json             print the outcome as JSON\n",
     cmd_start},
    {"deallocate", AZURE, "stop VMs so that they cost no computing",
     "[--yes] [--timeout TIME] [--json] VM...",
     "Everything that runs on them ends. Disks and static addresses stay, and are paid for on.\n"
     "\n"
     "  -y, --yes              do not ask\n"
     "      --timeout TIME     wait no longer than this (600)\n"
     "      --json             print the outcome as JSON\n",
     cmd_deallocate},
    {"login", AZURE, "sign in to Azure with a code in a browser", "[--tenant TENANT] [--json]",
     "For machines where neither az nor variables sign you in. The login is kept, for your eyes only, until "
     "`adit "
     "logout`.\n"
     "\n"
     "  -t, --tenant TENANT    the tenant's GUID or domain, instead of the configuration's or your own\n"
     "      --json             print the code, then the outcome, as JSON; one object a line\n",
     cmd_login},
    {"logout", AZURE, "forget the login of `adit login`", "",
     "Removes the kept login and aditd's tokens from this machine. Azure is not told: what was stolen before "
     "stays good\n"
     "until it is revoked there.\n",
     cmd_logout},
    {"proxy", SSH, "connect standard input and output to a VM",
     "[--fdpass] [--wait] [--start] [--batch] [--timeout TIME] HOST PORT",
     "For ssh_config:  ProxyCommand adit proxy %h %p\n"
     "or, with nothing left in the data path:  ProxyCommand adit proxy --fdpass %h %p  and  ProxyUseFdpass "
     "yes\n"
     "\n"
     "      --fdpass           hand the connected descriptor on through standard output and end\n"
     "      --wait             try again while the VM is not up yet\n"
     "      --start            start the VM when it is off, and those that it is reached through; then as "
     "--wait\n"
     "      --batch            ask nobody: a VM in between that needs a passphrase or a password fails\n"
     "      --timeout TIME     give up when there is no connection by then (30; with --wait or --start "
     "300)\n",
     cmd_proxy},
    {"resolve", SSH, "show what Azure says of a VM", "[--no-cache] [--json] NAME | --all",
     "      --all              every VM of the configured subscriptions, or of all that you may see\n"
     "      --no-cache         ask Azure even if the answer is at hand; an old answer will not do\n"
     "      --timeout TIME     give up then (30)\n"
     "      --batch            taken for the other commands' sake: it asks nobody\n"
     "      --json             print it as JSON\n",
     cmd_resolve},
    {"ssh", SSH, "run ssh on a VM, with az ssh vm's options",
     "[OPTION...] VM | -g GROUP -n VM [-- SSH-ARGUMENT...]",
     "  -g, --resource-group GROUP, -n, --name VM   the VM, as az ssh vm takes it\n"
     "      --ip ADDRESS                            connect to this address\n"
     "  -i, --private-key-file FILE, -p, --public-key-file FILE, -c, --certificate-file FILE\n"
     "      --local-user USER, --port PORT          instead of the configured ones\n"
     "      --prefer-private-ip                     connect to the VM's private address\n"
     "      --ssh-client-folder FOLDER              run the ssh of this folder\n"
     "      --batch                                 nobody is asked, by ssh neither\n"
     "      --resource-type TYPE, -y                taken for az's sake\n"
     "\n"
     "With nothing but -N, -L, -D and -R behind -- adit carries the forwards itself, as `adit forward` "
     "does.\n",
     cmd_ssh},
    {"ssh-config", SSH, "print Host blocks for ssh_config, or install them",
     "[VM...] | --install [VM...] | --uninstall",
     "Without a VM: a block for each VM of the configuration and one for every other (Host *.adit).\n"
     "A VM that is named here is served by its plain name too.\n"
     "\n"
     "      --install          keep them in ~/.ssh/adit.conf, which ~/.ssh/config then includes\n"
     "      --uninstall        take both away again\n",
     cmd_ssh_config},
    {"known-hosts", SSH, "print a VM's host keys for ssh", "HOST [TYPE KEY]",
     "For ssh_config:  KnownHostsCommand /usr/bin/adit known-hosts %H\n"
     "Prints nothing when adit has not met the VM. Under host-key-check: arm Azure is asked first; then\n"
     "%t %K behind it has a key that changed asked for anew.\n",
     cmd_known_hosts},
    {"reload", DAEMON, "read the configuration again", "[--json]",
     "What did not change goes on undisturbed. A wrong file changes nothing.\n"
     "\n"
     "      --json             print what changed as JSON\n",
     cmd_reload},
    {"stop", DAEMON, "end the daemon and every tunnel", "[--now] [--timeout TIME]",
     "      --now              do not let open flows finish\n"
     "      --timeout TIME     wait for its end no longer than this (10)\n",
     cmd_stop},
    {"logs", DAEMON, "show the daemon's log", "[-f] [-n LINES] [--level LEVEL]",
     "  -f, --follow           go on with what is added\n"
     "  -n, --lines LINES      begin with the last LINES (50)\n"
     "      --level LEVEL      have aditd log from this level on: debug, info, warn, error\n",
     cmd_logs},
    {"config", MORE, "check or show the configuration",
     "check [FILE] | show [--json] [--running | --vm VM] | path",
     "  check [FILE]           report every error of the file; 78 when there is one\n"
     "  show                   print it with all defaults applied\n"
     "      --json             as JSON\n"
     "      --running          what aditd uses now, instead of the file\n"
     "      --vm VM            what aditd uses for this VM, and where each setting comes from\n"
     "  path                   print where the file is looked for\n",
     cmd_config},
    {"version", MORE, "show the versions of adit and aditd", "[--json]",
     "      --json             print them as JSON\n", cmd_version},
    {"completion", MORE, "print the script that completes adit in a shell", "bash | zsh | fish",
     "For this bash:  source <(adit completion bash)\n"
     "For good:       adit completion bash >~/.local/share/bash-completion/completions/adit\n"
     "                adit completion zsh >FOLDER/_adit, a FOLDER of zsh's fpath\n"
     "                adit completion fish >~/.config/fish/completions/adit.fish\n"
     "VMs and forwards come from the configuration, from what aditd remembers, and from an aditd that "
     "runs.\n",
     cmd_completion},
    {"help", MORE, "show help for a command", "[COMMAND]", "", cmd_help},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

const struct cli_command *cli_command_find(const char *name)
{
    for (const struct cli_command *c = CLI_COMMANDS; c->name; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}
