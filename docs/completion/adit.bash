# Completion of adit for bash: commands, options, VM names and forwards.

_adit_vms() {
    # Names come from the running daemon, else from the configuration; neither is started or waited for.
    {
        adit status --json 2>/dev/null | sed -n 's/^ *"vm": "\(.*\)",\{0,1\}$/\1/p'
        adit config show --json 2>/dev/null | tr ',{' '\n\n' | sed -n 's/^ *"name": *"\([^"]*\)".*/\1/p'
    } | sort -u
}

_adit_forwards() {
    adit status --json "$1" 2>/dev/null | sed -n 's/^ *"spec": "\(.*\)",\{0,1\}$/\1/p'
}

_adit() {
    local cur prev command= vm= i words cword
    if declare -F _get_comp_words_by_ref >/dev/null; then
        _get_comp_words_by_ref -n : cur prev words cword
    else
        words=("${COMP_WORDS[@]}") cword=$COMP_CWORD
        cur=${words[cword]} prev=${words[cword - 1]}
    fi
    for ((i = 1; i < cword; i++)); do
        case ${words[i]} in
        --config | -c) ((i++)) ;;
        -L | --local | -u | --user | -t | --tenant | --timeout | -n | --lines | --level) ((i++)) ;;
        -*) ;;
        *) if [ -z "$command" ]; then command=${words[i]}; elif [ -z "$vm" ]; then vm=${words[i]}; fi ;;
        esac
    done

    case $prev in
    --config | -c) COMPREPLY=($(compgen -f -- "$cur")) && return ;;
    --level) COMPREPLY=($(compgen -W 'debug info warn error' -- "$cur")) && return ;;
    -L | --local)
        [ "$command" = cancel ] && [ -n "$vm" ] && COMPREPLY=($(compgen -W "$(_adit_forwards "$vm")" -- "$cur"))
        declare -F __ltrim_colon_completions >/dev/null && __ltrim_colon_completions "$cur"
        return
        ;;
    --timeout | -u | --user | -t | --tenant | -n | --lines) return ;;
    esac

    local options names=
    case $command in
    '') options='--config --help --version'
        names='up down status forward cancel rdp proxy ssh ssh-config known-hosts resolve login logout reload stop logs config version help' ;;
    up) options='--all --wait --no-wait --timeout --json --help' names=$(_adit_vms) ;;
    down) options='--all --json --help' names=$(_adit_vms) ;;
    status) options='--watch --json --help' names=$(_adit_vms) ;;
    forward) options='--local --detach --user --timeout --json --help' names=$(_adit_vms) ;;
    cancel) options='--local --user --help' names=$(_adit_vms) ;;
    proxy) options='--fdpass --timeout --help' names=$(_adit_vms) ;;
    resolve) options='--all --no-cache --timeout --json --help' names=$(_adit_vms) ;;
    login) options='--tenant --json --help' ;;
    rdp) options='--client --print --write --keep --port --user --timeout --help' names=$(_adit_vms) ;;
    ssh)
        options='--resource-group --name --vm-name --ip --hostname --private-key-file --public-key-file --certificate-file
            --local-user --port --prefer-private-ip --resource-type --ssh-client-folder --yes-without-prompt --help'
        names=$(_adit_vms)
        ;;
    ssh-config) options='--install --uninstall --help' names=$(_adit_vms) ;;
    known-hosts) options='--help' names=$(_adit_vms) ;;
    reload | version) options='--json --help' ;;
    stop) options='--now --timeout --help' ;;
    logs) options='--follow --lines --level --help' ;;
    config)
        options='--json --running --help' names='check show path'
        if [ "$vm" = check ]; then COMPREPLY=($(compgen -f -- "$cur")) && return; fi
        [ -n "$vm" ] && names=
        ;;
    help) options= names='up down status forward cancel rdp proxy ssh ssh-config known-hosts resolve login logout reload stop logs config version help' ;;
    *) options='--help' ;;
    esac
    if [[ $cur == -* ]]; then names=$options; fi
    COMPREPLY=($(compgen -W "$names" -- "$cur"))
    declare -F __ltrim_colon_completions >/dev/null && __ltrim_colon_completions "$cur"
}

complete -F _adit adit
