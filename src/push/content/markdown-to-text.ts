/** One inline form of WeCom's markdown (§4.2, and `<@userid>` of §4.5); lengths are bounded so that none is slow. */
const INLINE =
  /`([^`\n]{1,4096})`|\*\*([^\n]{1,4096}?)\*\*|\[([^\]\n]{0,1024})\]\(([^)\s]{1,2048})\)|<font\b[^>\n]{0,64}>|<\/font>|<(@[^>\s]{1,64})>/g;

/** At the beginning of a line: quotes, then a heading. */
const LINE_START = /^(?:> ?)*(?:#{1,6} +)?/gm;

/**
 * Turns WeCom's markdown (§4.2) into text that reads well where markdown is not shown: marks go, words and addresses
 * stay, `[title](url)` becomes `title (url)`, and what is inside backticks is left as it is.
 */
export function markdownToText(markdown: string): string {
  return inline(markdown.replace(LINE_START, ''));
}

function inline(text: string): string {
  return text.replace(
    INLINE,
    (_, code?: string, bold?: string, title?: string, url?: string, at?: string) => {
      if (code !== undefined) return code;
      if (bold !== undefined) return inline(bold);
      if (url !== undefined) return linkText(inline(title ?? ''), url);
      return at ?? '';
    },
  );
}

function linkText(title: string, url: string): string {
  return title === '' || title === url ? url : `${title} (${url})`;
}
