# Completion of adit for bash. adit itself knows what may stand where; it is asked with the words up to the cursor.

_adit() {
    local words candidate about cur rest break cut
    read -ra words <<<"${COMP_LINE:0:COMP_POINT}"
    [[ ${COMP_LINE:0:COMP_POINT} == *[[:space:]] ]] && words+=("")
    cur=${words[${#words[@]} - 1]}
    # For bash a word ends behind a colon or an equals sign, and before an @: what stands in front is kept as it is.
    rest=$cur
    for break in : =; do
        [[ $COMP_WORDBREAKS == *$break* ]] && rest=${rest##*"$break"}
    done
    [[ $COMP_WORDBREAKS == *@* && $rest == *@* ]] && rest=@${rest##*@}
    cut=${cur%"$rest"}
    COMPREPLY=()
    while IFS=$'\t' read -r candidate about; do
        case $candidate in
        :files) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$rest") ;;
        :folders) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- "$rest") ;;
        *) COMPREPLY+=("${candidate#"$cut"}") ;;
        esac
    done < <(adit completion -- "${words[@]:1}" 2>/dev/null)
}

complete -F _adit adit
