import { describe, expect, it } from 'vitest';
import { sourceOf } from '../../../documents/source.js';
import { renderTemplate } from './template.js';

const data = {
  Vars: {
    users: ['user1', 'user2'],
    port: 8080,
    none: null,
    centos: { packages: { kernel: ['4.9.11-centos', '4.9.11-centos2'], httpd: ['2.4'] } },
  },
  Env: { OS: 'centos' },
};

function render(text: string): string {
  const result = renderTemplate(sourceOf('goss.yaml', text), data);
  if ('code' in result)
    throw new Error(`${result.what}; ${result.hint} at ${result.place?.line}:${result.place?.column}`);
  return result.text;
}

/** Templates of goss's own documentation and tests, and what they render to. */
const documented: readonly (readonly [string, string, string])[] = [
  [
    'mkSlice defines a loop',
    'file:\n{{- range mkSlice "/etc/passwd" "/etc/group"}}\n  {{.}}:\n    exists: true\n{{end}}\n',
    'file:\n  /etc/passwd:\n    exists: true\n\n  /etc/group:\n    exists: true\n\n',
  ],
  ['Sprig in a pipeline', 'content: {{ "hello!" | upper | repeat 5 }}', 'content: HELLO!HELLO!HELLO!HELLO!HELLO!'],
  [
    'variables by the name of the system, keys in order',
    '{{range $name, $vers := index .Vars .Env.OS "packages"}}{{$name}}:{{range $vers}} {{.}}{{end}}\n{{end}}',
    'httpd: 2.4\nkernel: 4.9.11-centos 4.9.11-centos2\n',
  ],
  ['a pattern in a condition', '{{if .Env.OS | regexMatch "[Cc]ent(OS|os)"}}libselinux{{end}}', 'libselinux'],
  ['users in a loop', '{{range .Vars.users}}{{.}}: /home/{{.}}\n{{end}}', 'user1: /home/user1\nuser2: /home/user2\n'],
  ['a comparison', '{{if eq .Env.OS "debian"}}apt{{else if eq .Env.OS "centos"}}yum{{else}}apk{{end}}', 'yum'],
  ['toLower of goss', '{{range mkSlice "/etc/PAsswD"}}{{. | toLower}}{{end}}', '/etc/passwd'],
];

/** What Go's text/template says about itself. */
const language: readonly (readonly [string, string])[] = [
  ['{{23 -}} < {{- 45}}', '23<45'],
  ['{{/* a comment */}}x', 'x'],
  ['{{- /* trims */ -}} x', 'x'],
  ['{{"\\"output\\""}}{{`"raw"`}}', '"output""raw"'],
  ['{{printf "%q" "output"}}', '"output"'],
  ['{{"output" | printf "%q"}}', '"output"'],
  ['{{printf "%05.1f|%-4s|%3d%%" 3.14159 "ab" 7}}', '003.1|ab  |  7%'],
  ['{{with "output"}}{{printf "%q" .}}{{end}}', '"output"'],
  ['{{with $x := "output"}}{{$x}}{{end}}', 'output'],
  ['{{$n := 0}}{{range .Vars.users}}{{$n = add $n 1}}{{end}}{{$n}}', '2'],
  ['{{range $i, $u := .Vars.users}}{{$i}}{{$u}} {{end}}', '0user1 1user2 '],
  ['{{range .Vars.users}}{{$.Env.OS}}{{break}}{{end}}', 'centos'],
  ['{{range until 5}}{{if lt . 3}}{{continue}}{{end}}{{.}}{{end}}', '34'],
  ['{{range list}}x{{else}}nothing{{end}}', 'nothing'],
  ['{{if and .Vars.users (gt (len .Vars.users) 1)}}many{{end}}', 'many'],
  ['{{if or "" 0 .Vars.none}}yes{{else}}no{{end}}', 'no'],
  ['{{not true}} {{eq 1 2 1}} {{ne "a" "b"}} {{le 2 2}}', 'false true true true'],
  ['{{(index .Vars.users 1)}} {{(dict "a" "b").a}}', 'user2 b'],
  ['{{default 80 .Vars.none}} {{.Vars.port | default 80}}', '80 8080'],
  ['{{join "," .Vars.users}} {{toJson .Vars.users}}', 'user1,user2 ["user1","user2"]'],
  ['{{getEnv "OS"}} {{getEnv "NONE" "debian"}}', 'centos debian'],
  ['{{splitList "." "a.b" | last}} {{trimSuffix ".x" "a.x"}} {{replace "a" "b" "aa"}}', 'b a bb'],
  ['{{ternary "y" "n" true}} {{has "user1" .Vars.users}} {{"a b" | title | quote}}', 'y true "A B"'],
  ['{{0755}} {{0}} {{00}} {{0x1F}} {{1_000}} {{0.5}} {{-7}}', '493 0 0 31 1000 0.5 -7'],
  ['{{range 3}}{{.}}{{end}}{{with $x := .Vars.port}}{{$x}}{{else with .Vars.none}}{{end}}', '0128080'],
  ['{{if gt (len .Vars.users) 5}}a{{else if eq .Env.OS "centos"}}b{{else}}c{{end}}{{/* note */ -}}\n d', 'bd'],
  ['{{\n  .Env.OS\n | upper\n}}', 'CENTOS'],
  ['{{range .Vars.none}}x{{else}}nothing{{end}}', 'nothing'],
  ['{{range $name, $version := index .Vars "none"}}x{{end}}', ''],
  ['{{env "OS"}} {{env "NONE"}} {{env "constructor"}}{{getEnv "constructor" "none"}}', 'centos  none'],
  ['{{print 1 2 "a" 3}} {{println "a" 1}}', '1 2a3 a 1\n'],
  ['{{slice "abcd" 1 3}} {{slice (list 1 2 3) 1 | toJson}}', 'bc [2,3]'],
  ['{{"a-b it\'s a_b" | title}}', "A-B It'S A_b"],
  ['{{trimAll "/-" "/-a-b-/"}} {{"a b" | nospace}} {{cat "a" 1}}', 'a-b ab a 1'],
  ['{{b64enc "hi"}} {{b64dec "aGk="}} {{base "/a/b.c"}} {{dir "/a/b.c"}}', 'aGk= hi b.c /a'],
  ['{{regexFind "[0-9]+" "a12b3"}}{{regexFind "x" "a"}}', '12'],
  ['{{compact (list "a" "" "b") | reverse | join ","}} {{toStrings (list 1 2) | join ","}}', 'b,a 1,2'],
  ['{{untilStep 1 6 2 | toJson}} {{untilStep 3 0 -1 | toJson}}', '[1,3,5] [3,2,1]'],
  ['{{nindent 2 "a\\nb"}}', '\n  a\n  b'],
];

const refused: readonly (readonly [string, string])[] = [
  ['a: 1\nb: {{ .Vars.prot }}', 'there is no `prot` in these values; did you mean `port`? at 2:7'],
  ['{{ .Env.HOME }}', 'there is no `HOME` in .Env; give it under `with.env` at 1:4'],
  ['{{ .Values.x }}', 'there is no `Values` in a goss template; values are in .Vars and .Env at 1:4'],
  ['{{ .Vars.users }}', 'it is a list, which would be printed as Go writes it; use `range`, `join` or `toJson` at 1:4'],
  ['{{ .Vars.none }}', 'it has no value; give it one, or guard it with `if` at 1:4'],
  ['{{ uper "x" }}', 'the function `uper` is not supported; did you mean `upper`? at 1:4'],
  [
    '{{ readFile "/etc/passwd" }}',
    'the function `readFile` is not supported; give its result under `vars`; the README of check.goss lists what there is at 1:4',
  ],
  ['{{ if .Vars.port }}x', '`if` has no end; close it with {{ end }} at 1:1'],
  ['x {{ end }}', 'unexpected `end`; nothing is open here; remove it at 1:3'],
  ['x {{ .Vars.port', 'an action has no end; close it with }} at 1:3'],
  ['{{ "x }}', 'a text has no end; close it with " at 1:4'],
  [
    '{{ define "x" }}{{ end }}',
    '`define` is not supported; write its content where it is used, or use a `gossfile` include at 1:1',
  ],
  ['{{ index .Vars.users 7 }}', '`index`: there is no item 7 in a list of 2; correct the call or its values at 1:4'],
  [
    '{{ regexMatch "(?=x)" "x" }}',
    '`regexMatch`: look-ahead is not supported (linear engine); correct the call or its values at 1:4',
  ],
  ['{{ eq 1 "1" }}', '`eq`: cannot compare number with text; correct the call or its values at 1:4'],
  ['{{ upper }}', '`upper` takes 1 value, not 0; correct the call at 1:4'],
  ['{{ $x }}', 'the variable `$x` is not set here; set it before: {{ $x := … }} at 1:4'],
  [
    '{{ range $x := .Vars.users }}{{ end }}{{ $x }}',
    'the variable `$x` is not set here; set it before: {{ $x := … }} at 1:42',
  ],
  [
    '{{ range until 2000 }}{{ range until 2000 }}{{ if 1 }}{{ end }}{{ end }}{{ end }}',
    'it takes more than 1000000 actions to render; loop over less at 1:',
  ],
  [`{{ ${'('.repeat(50_000)} }}`, 'the template is nested too deeply; write it flatter at 1:1'],
  ['{{ slice "ab" 1 5 }}', '`slice`: there is no part 1 to 5; correct the call or its values at 1:4'],
  ['{{ div 1 0 }}', '`div`: division by zero; correct the call or its values at 1:4'],
  ['{{ repeat 9999999 "x" }}', '`repeat`: cannot repeat 9999999 times; correct the call or its values at 1:4'],
];

describe('templates in a goss file', () => {
  it.each(documented)('%s', (_, template, expected) => {
    expect(render(template)).toBe(expected);
  });

  it.each(language)('%s', (template, expected) => {
    expect(render(template)).toBe(expected);
  });

  it.each(refused)('%s is refused where it stands', (template, expected) => {
    expect(() => render(template)).toThrow(expected);
  });

  it('leave a text without actions as it is', () => {
    const source = sourceOf('goss.yaml', 'a: "{ }"\n');

    expect(renderTemplate(source, data)).toBe(source);
  });

  it('know where every part of the result comes from', () => {
    const source = renderTemplate(sourceOf('goss.yaml', 'a: 1\n{{ range .Vars.users }}\n{{ . }}: x\n{{ end }}'), data);
    if ('code' in source) throw new Error(source.what);

    expect(source.place(source.text.indexOf('user2'))).toMatchObject({ line: 3, column: 1 });
    expect(source.place(source.text.lastIndexOf('x'))).toMatchObject({ line: 3, column: 10, source: '{{ . }}: x' });
  });
});
