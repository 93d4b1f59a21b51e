# bash completion for image-cri-shim: the program itself says what may follow.
_image_cri_shim() {
    local current=${COMP_WORDS[COMP_CWORD]} line
    COMPREPLY=()
    while IFS= read -r line; do
        case $line in
            /* | -\?) ;; # help, spelled for another system
            "$current"*) COMPREPLY+=("$line") ;;
        esac
    done < <("${COMP_WORDS[0]}" "[suggest:$COMP_POINT]" "$COMP_LINE" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 0 && $current != -* ]]; then
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
    fi
}
complete -F _image_cri_shim image-cri-shim
