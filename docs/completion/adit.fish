# Completion of adit for fish: commands, options, VM names and forwards.

function __adit_vms
    begin
        adit status --json 2>/dev/null | string replace -rf '^ *"vm": "(.*)",?$' '$1'
        adit config show --json 2>/dev/null | string split , | string split '{' | string replace -rf '^ *"name": *"([^"]*)".*' '$1'
    end | sort -u
end

function __adit_forwards
    set -l words (commandline -opc)
    adit status --json $words[3] 2>/dev/null | string replace -rf '^ *"spec": "(.*)",?$' '$1'
end

function __adit_no_command
    not __fish_seen_subcommand_from up down status forward cancel rdp proxy ssh ssh-config known-hosts resolve login logout reload stop logs config version help
end

complete -c adit -f
complete -c adit -n __adit_no_command -s c -l config -r -F -d 'use this configuration'
complete -c adit -n __adit_no_command -l version -d 'print the version'
complete -c adit -s h -l help -d 'show help'

complete -c adit -n __adit_no_command -a up -d 'connect VMs and open their forwards'
complete -c adit -n __adit_no_command -a down -d 'close forwards and connections'
complete -c adit -n __adit_no_command -a status -d 'show VMs, forwards and traffic'
complete -c adit -n __adit_no_command -a forward -d 'add forwards to a VM'
complete -c adit -n __adit_no_command -a cancel -d 'end forwards of a VM'
complete -c adit -n __adit_no_command -a rdp -d 'open a desktop'
complete -c adit -n __adit_no_command -a proxy -d 'connect standard input and output to a VM'
complete -c adit -n __adit_no_command -a resolve -d 'show what Azure says of a VM'
complete -c adit -n __adit_no_command -a login -d 'sign in to Azure'
complete -c adit -n __adit_no_command -a logout -d 'forget the login'
complete -c adit -n __adit_no_command -a ssh -d 'run ssh on a VM'
complete -c adit -n __adit_no_command -a ssh-config -d 'print or install Host blocks for ssh'
complete -c adit -n __adit_no_command -a known-hosts -d 'print host keys for ssh'
complete -c adit -n __adit_no_command -a reload -d 'read the configuration again'
complete -c adit -n __adit_no_command -a stop -d 'end the daemon and every tunnel'
complete -c adit -n __adit_no_command -a logs -d 'show the log'
complete -c adit -n __adit_no_command -a config -d 'check or show the configuration'
complete -c adit -n __adit_no_command -a version -d 'show the versions'
complete -c adit -n __adit_no_command -a help -d 'show help for a command'

complete -c adit -n '__fish_seen_subcommand_from up down status forward cancel rdp proxy ssh ssh-config known-hosts resolve' -a '(__adit_vms)' -d VM
complete -c adit -n '__fish_seen_subcommand_from up down status forward resolve login reload version config' -l json -d 'as JSON'
complete -c adit -n '__fish_seen_subcommand_from up down' -l all -d 'every VM'
complete -c adit -n '__fish_seen_subcommand_from up' -l wait -d 'until up'
complete -c adit -n '__fish_seen_subcommand_from up' -l no-wait -d 'return at once'
complete -c adit -n '__fish_seen_subcommand_from up forward proxy resolve stop' -l timeout -x -d 'wait no longer'
complete -c adit -n '__fish_seen_subcommand_from status' -s w -l watch -d 'refresh in place'
complete -c adit -n '__fish_seen_subcommand_from forward' -s L -l local -x -d 'listen here, connect from the VM'
complete -c adit -n '__fish_seen_subcommand_from forward' -s d -l detach -d 'return when it is up'
complete -c adit -n '__fish_seen_subcommand_from cancel' -s L -l local -x -a '(__adit_forwards)' -d 'the forward'
complete -c adit -n '__fish_seen_subcommand_from forward cancel' -s u -l user -x -d 'log in as'
complete -c adit -n '__fish_seen_subcommand_from proxy' -l fdpass -d 'hand the descriptor on'
complete -c adit -n '__fish_seen_subcommand_from rdp' -l client -x -a 'xfreerdp remmina gnome-connections mstsc.exe' -d 'the RDP client'
complete -c adit -n '__fish_seen_subcommand_from rdp' -l print -d 'only the address'
complete -c adit -n '__fish_seen_subcommand_from rdp' -l write -r -F -d 'a .rdp file'
complete -c adit -n '__fish_seen_subcommand_from rdp' -l keep -d 'until cancelled'
complete -c adit -n '__fish_seen_subcommand_from rdp' -l port -x -d 'where the VM listens'
complete -c adit -n '__fish_seen_subcommand_from ssh' -s g -l resource-group -x -d 'resource group'
complete -c adit -n '__fish_seen_subcommand_from ssh' -s n -l name -x -a '(__adit_vms)' -d VM
complete -c adit -n '__fish_seen_subcommand_from ssh' -l ip -x -d 'connect to this address'
complete -c adit -n '__fish_seen_subcommand_from ssh' -s i -l private-key-file -r -F -d 'the key'
complete -c adit -n '__fish_seen_subcommand_from ssh' -s p -l public-key-file -r -F -d 'the public key'
complete -c adit -n '__fish_seen_subcommand_from ssh' -s c -l certificate-file -r -F -d 'the certificate'
complete -c adit -n '__fish_seen_subcommand_from ssh' -l local-user -x -d 'log in as'
complete -c adit -n '__fish_seen_subcommand_from ssh' -l port -x -d 'of sshd'
complete -c adit -n '__fish_seen_subcommand_from ssh' -l prefer-private-ip -d 'the private address'
complete -c adit -n '__fish_seen_subcommand_from ssh' -l ssh-client-folder -x -a '(__fish_complete_directories)' -d 'run the ssh of this folder'
complete -c adit -n '__fish_seen_subcommand_from ssh-config' -l install -d 'keep them in ~/.ssh'
complete -c adit -n '__fish_seen_subcommand_from ssh-config' -l uninstall -d 'take them away'
complete -c adit -n '__fish_seen_subcommand_from resolve' -l all -d 'every VM'
complete -c adit -n '__fish_seen_subcommand_from resolve' -l no-cache -d 'ask Azure'
complete -c adit -n '__fish_seen_subcommand_from login' -s t -l tenant -x -d 'at this tenant'
complete -c adit -n '__fish_seen_subcommand_from stop' -l now -d 'do not wait for flows'
complete -c adit -n '__fish_seen_subcommand_from logs' -s f -l follow -d 'go on'
complete -c adit -n '__fish_seen_subcommand_from logs' -s n -l lines -x -d 'how many'
complete -c adit -n '__fish_seen_subcommand_from logs' -l level -x -a 'debug info warn error' -d 'log from'
complete -c adit -n '__fish_seen_subcommand_from config' -a 'check show path'
complete -c adit -n '__fish_seen_subcommand_from config' -l running -d 'what aditd uses'
