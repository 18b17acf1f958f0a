/** `${{ … }}` and nothing else: the value takes the type that the expression gives. */
export function isTemplate(text: string): boolean {
  const trimmed = text.trim();
  return trimmed.startsWith('${{') && trimmed.endsWith('}}') && !trimmed.includes('${{', 3);
}

export function containsTemplate(text: string): boolean {
  return text.includes('${{');
}
