# Completion of adit for fish. adit itself knows what may stand where; it is asked with the words up to the cursor.

function __adit_candidates
    set -l words (commandline -opc)
    set -l typed (commandline -ct)
    for line in (adit completion -- $words[2..-1] "$typed" 2>/dev/null)
        switch $line
            case :files
                __fish_complete_path (string replace -r '^--[^=]*=' '' -- $typed)
            case :folders
                __fish_complete_directories (string replace -r '^--[^=]*=' '' -- $typed)
            case '*'
                echo $line
        end
    end
end

complete -c adit -f -a '(__adit_candidates)'
