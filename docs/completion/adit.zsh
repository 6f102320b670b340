#compdef adit
# Completion of adit for zsh: commands, options, VM names and forwards.

_adit_vms() {
    local -a vms
    vms=(${(fu)"$(
        adit status --json 2>/dev/null | sed -n 's/^ *"vm": "\(.*\)",\{0,1\}$/\1/p'
        adit config show --json 2>/dev/null | tr ',{' '\n\n' | sed -n 's/^ *"name": *"\([^"]*\)".*/\1/p'
    )"})
    vms=(${vms//:/\\:})
    _describe -t vms VM vms
}

_adit_forwards() {
    local -a specs
    specs=(${(f)"$(adit status --json ${words[2]} 2>/dev/null | sed -n 's/^ *"spec": "\(.*\)",\{0,1\}$/\1/p')"})
    specs=(${specs//:/\\:})
    _describe -t forwards forward specs
}

_adit_commands() {
    local -a commands
    commands=(
        'up:connect VMs and open their forwards'
        'down:close VMs'\'' forwards and connections'
        'status:show VMs, forwards and traffic'
        'forward:add forwards to a VM'
        'cancel:end forwards of a VM'
        'rdp:open a desktop'
        'proxy:connect standard input and output to a VM'
        'resolve:show what Azure says of a VM'
        'login:sign in to Azure with a code in a browser'
        'logout:forget the login of adit login'
        'ssh:run ssh on a VM'
        'ssh-config:print or install Host blocks for ssh'
        'known-hosts:print host keys for ssh'
        'reload:read the configuration again'
        'stop:end the daemon and every tunnel'
        'logs:show the daemon'\''s log'
        'config:check or show the configuration'
        'version:show the versions of adit and aditd'
        'help:show help for a command'
    )
    _describe -t commands command commands
}

_adit() {
    local state
    _arguments -C \
        '(-c --config)'{-c,--config}'[use this configuration]:file:_files' \
        '(- *)'{-h,--help}'[show all commands]' \
        '(- *)--version[print the version]' \
        '1:command:_adit_commands' \
        '*::argument:->arguments'
    [[ $state == arguments ]] || return
    case $words[1] in
    up) _arguments '--all[every VM]' '--wait[until up]' '--no-wait[return at once]' '--timeout[wait no longer]:time:' \
        '--json[as JSON]' '*:VM:_adit_vms' ;;
    down) _arguments '--all[every VM]' '--json[as JSON]' '*:VM:_adit_vms' ;;
    status) _arguments '(-w --watch)'{-w,--watch}'[refresh in place]' '--json[as JSON]' '*:VM:_adit_vms' ;;
    forward) _arguments '*'{-L,--local}'[listen here, connect from the VM]:forward:' '(-d --detach)'{-d,--detach}'[return when it is up]' \
        '(-u --user)'{-u,--user}'[log in as]:user:' '--timeout[give up then]:time:' '--json[as JSON]' '1:VM:_adit_vms' ;;
    cancel) _arguments '*'{-L,--local}'[the forward]:forward:_adit_forwards' '(-u --user)'{-u,--user}'[of the connection as]:user:' \
        '1:VM:_adit_vms' ;;
    proxy) _arguments '--fdpass[hand the descriptor on]' '--timeout[give up then]:time:' '1:host:_adit_vms' '2:port:' ;;
    resolve) _arguments '--all[every VM]' '--no-cache[ask Azure]' '--timeout[give up then]:time:' '--json[as JSON]' '1:VM:_adit_vms' ;;
    login) _arguments '(-t --tenant)'{-t,--tenant}'[at this tenant]:tenant:' '--json[as JSON]' ;;
    rdp) _arguments '--client[the RDP client]:client:(xfreerdp remmina gnome-connections mstsc.exe)' '--print[only the address]' \
        '--write[a .rdp file]:file:_files' '--keep[until cancelled]' '--port[where the VM listens]:port:' \
        '(-u --user)'{-u,--user}'[log in as]:user:' '--timeout[give up then]:time:' '1:VM:_adit_vms' ;;
    ssh) _arguments '(-g --resource-group)'{-g,--resource-group}'[resource group]:group:' \
        '(-n --name)'{-n,--name}'[VM]:VM:_adit_vms' '--ip[connect to this address]:address:' \
        '(-i --private-key-file)'{-i,--private-key-file}'[the key]:file:_files' \
        '(-p --public-key-file)'{-p,--public-key-file}'[the public key]:file:_files' \
        '(-c --certificate-file)'{-c,--certificate-file}'[the certificate]:file:_files' '--local-user[log in as]:user:' \
        '--port[of sshd]:port:' '--prefer-private-ip[the private address]' '--ssh-client-folder[run the ssh of this folder]:folder:_files -/' \
        '1:VM:_adit_vms' ;;
    ssh-config) _arguments '--install[keep them in ~/.ssh]' '--uninstall[take them away]' '*:VM:_adit_vms' ;;
    known-hosts) _arguments '1:host:_adit_vms' ;;
    reload | version) _arguments '--json[as JSON]' ;;
    stop) _arguments '--now[do not wait for flows]' '--timeout[wait no longer]:time:' ;;
    logs) _arguments '(-f --follow)'{-f,--follow}'[go on]' '(-n --lines)'{-n,--lines}'[how many]:lines:' \
        '--level[log from]:level:(debug info warn error)' ;;
    config) _arguments '--json[as JSON]' '--running[what aditd uses]' '1:what:(check show path)' '2:file:_files' ;;
    help) _arguments '1:command:_adit_commands' ;;
    esac
}

_adit "$@"
