#compdef image-cri-shim
# zsh completion for image-cri-shim: the program itself says what may follow.
_image_cri_shim() {
    local line=$BUFFER position=$CURSOR
    local -a found
    found=(${(f)"$(${words[1]} "[suggest:$position]" "$line" 2>/dev/null)"})
    found=(${found:#/*})
    found=(${found:#-\?})
    if (( $#found )); then
        compadd -- $found
    else
        _files
    fi
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _image_cri_shim "$@"
else
    compdef _image_cri_shim image-cri-shim
fi
