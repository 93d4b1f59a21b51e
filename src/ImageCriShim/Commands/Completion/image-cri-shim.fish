# fish completion for image-cri-shim: the program itself says what may follow.
function __image_cri_shim_complete
    set -l line (commandline -cp)
    set -l program (commandline -opc)[1]
    $program "[suggest:"(string length -- $line)"]" "$line" 2>/dev/null | string match -v -r '^(/.*|-\?)$'
end
complete -c image-cri-shim -a '(__image_cri_shim_complete)'
