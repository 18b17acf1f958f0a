import { script } from '@bomb.sh/tab';

/** For bash our own: that of the package runs what stands on the command line, and needs bash-completion. */
export const bashScript = `# bash completion for opsctl
_opsctl() {
    local line cur=\${COMP_WORDS[COMP_CWORD]} cword=$COMP_CWORD
    local -a words=("\${COMP_WORDS[@]}")
    # bash takes = and : as ends of words; with bash-completion at hand they are not.
    declare -F _get_comp_words_by_ref >/dev/null && _get_comp_words_by_ref -n =: cur words cword
    COMPREPLY=()
    while IFS= read -r line; do
        [[ $line == :* ]] || COMPREPLY+=("\${line%%$'\\t'*}")
    done < <(opsctl complete -- "\${words[@]:1:cword}" 2>/dev/null)
    declare -F __ltrim_colon_completions >/dev/null && __ltrim_colon_completions "$cur"
    return 0
}
complete -o default -F _opsctl opsctl
`;

/** The package writes the script to stdout itself. */
export function printScript(shell: string): void {
  script(shell, 'opsctl', 'opsctl');
}
