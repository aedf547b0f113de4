# SPDX-License-Identifier: MIT
# Completion of ringside's command line for bash. Commands, options, models and features are asked of the program itself.
# Load it:  . tools/completion.bash     or install it as  /usr/share/bash-completion/completions/ringside

_ringside_commands() { "$1" --help 2>/dev/null | sed -n 's/^  \([a-z]\+\) .*/\1/p'; }

_ringside_options() { "$1" "$2" --help 2>/dev/null | sed 's/ --to / \n  --to /' | sed -n 's/^  \(--\{0,1\}[A-Za-z0-9-]\+\).*/\1/p'; }

_ringside_models() { "$1" cpus 2>/dev/null | sed -n 's/^  \([^ ]\+\) \+\(intel\|amd\) .*/\1/p'; }

_ringside_features() { "$1" cpus 2>/dev/null | sed -n '/^features/,$p' | sed 1d; }

# -cpu MODEL,+feature,-feature,vendor=...: complete what stands behind the last comma.
_ringside_cpu() {
    local head=${2%,*} feature words=""

    if [[ $2 != *,* ]]; then
        COMPREPLY=($(compgen -W "$(_ringside_models "$1")" -- "$2"))
        return
    fi
    for feature in $(_ringside_features "$1"); do
        words+="$head,+$feature $head,-$feature "
    done
    COMPREPLY=($(compgen -W "$words $head,vendor=intel $head,vendor=amd" -- "$2"))
}

_ringside() {
    local program=$1 current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local command=${COMP_WORDS[1]} words

    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        COMPREPLY=($(compgen -W "$(_ringside_commands "$program") --help --version" -- "$current"))
        return
    fi
    case $command in
    run | record)
        case ${previous#-} in
        cpu | -cpu) _ringside_cpu "$program" "$current"; return ;;
        machine | -machine | M) COMPREPLY=($(compgen -W "pc pc,acpi=on pc,acpi=off pc,hpet=on pc,hpet=off" -- "$current")); return ;;
        serial | -serial) COMPREPLY=($(compgen -W "stdio null file:" -- "$current")); return ;;
        engine | -engine) COMPREPLY=($(compgen -W "block step" -- "$current")); return ;;
        clock | -clock) COMPREPLY=($(compgen -W "virtual host" -- "$current")); return ;;
        on-shutdown | -on-shutdown) COMPREPLY=($(compgen -W "stop reset" -- "$current")); return ;;
        device | -device) COMPREPLY=($(compgen -W "isa-debug-exit" -- "$current")); return ;;
        summary | -summary) COMPREPLY=($(compgen -W "json" -- "$current")); return ;;
        esac
        ;;
    report | stat | show | path | msrs | info | replay)
        case $previous in
        --engine) COMPREPLY=($(compgen -W "block step" -- "$current")); return ;;
        --format) COMPREPLY=($(compgen -W "text verbose json" -- "$current")); return ;;
        --color) COMPREPLY=($(compgen -W "auto always never" -- "$current")); return ;;
        -e | --filter) COMPREPLY=($(compgen -W "mech= vec= kind= dir= cpl= rule= cr3= trace= errno=" -- "$current")); return ;;
        esac
        ;;
    conform)
        case $previous in
        --engine) COMPREPLY=($(compgen -W "block step" -- "$current")); return ;;
        --vendor) COMPREPLY=($(compgen -W "intel amd both" -- "$current")); return ;;
        --format) COMPREPLY=($(compgen -W "text tap junit json" -- "$current")); return ;;
        --progress) COMPREPLY=($(compgen -W "auto always never" -- "$current")); return ;;
        --moo) COMPREPLY=($(compgen -d -- "$current")); return ;;
        --corpus) COMPREPLY=($(compgen -f -- "$current")); return ;;
        esac
        [[ $current == -* ]] || words=$("$program" conform --suites | sed -n 's/^ *\([a-z][a-z0-9_-]*\) .*/\1/p')
        ;;
    symbols)
        case $previous in
        --format) COMPREPLY=($(compgen -W "text json" -- "$current")); return ;;
        --find | --at) return ;;
        esac
        ;;
    trace)
        case $previous in
        -cpu | --cpu) _ringside_cpu "$program" "$current"; return ;;
        --engine) COMPREPLY=($(compgen -W "block step" -- "$current")); return ;;
        --color) COMPREPLY=($(compgen -W "auto always never" -- "$current")); return ;;
        -e | --filter) COMPREPLY=($(compgen -W "trace= errno= mech= vec= kind= dir= cpl= rule=" -- "$current")); return ;;
        esac
        [[ $current != -* ]] && COMPREPLY=($(compgen -c -- "$current"))
        ;;
    *) return ;;
    esac
    if [[ $current == -* ]]; then
        words=$(_ringside_options "$program" "$command")
        # One dash or two makes no difference to the program: offer what the user began.
        [[ $current == --* ]] && words=$(sed 's/^-\{1,2\}\(..\)/--\1/' <<<"$words")
        COMPREPLY=($(compgen -W "$words --help" -- "$current"))
    else
        COMPREPLY+=($(compgen -f -- "$current"))
        [[ $command == run || $command == record ]] && COMPREPLY+=($(compgen -W "tour:32 tour:64" -- "$current"))
        compopt -o filenames 2>/dev/null
        # A colon parts words for readline (tour:64).
        if declare -F __ltrimcolon_completions >/dev/null; then __ltrimcolon_completions "$current"; fi
    fi
}

complete -F _ringside ringside
