#compdef adit
# Completion of adit for zsh. adit itself knows what may stand where; it is asked with the words up to the cursor.

_adit() {
    local line
    local -a candidates
    for line in "${(@f)$(adit completion -- "${(@Q)words[2,CURRENT - 1]}" "${(Q)PREFIX}" 2>/dev/null)}"; do
        case $line in
        '') ;;
        :files) compset -P '*='; _files ;;
        :folders) compset -P '*='; _files -/ ;;
        *$'\t'*) candidates+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}") ;;
        *) candidates+=("${line//:/\\:}") ;;
        esac
    done
    (( $#candidates )) && _describe -V adit candidates
}

if [ "$funcstack[1]" = _adit ]; then
    _adit "$@"
else
    compdef _adit adit
fi
