/** One message as WeCom takes it: `msgtype`, and the object of the same name (§4.2, §4.5, §5). */
export interface Outgoing {
  readonly msgtype: 'text' | 'markdown' | 'textcard' | 'image' | 'file' | 'news' | 'template_card';
  readonly body: Readonly<Record<string, unknown>>;
}

/** Receivers of one message/send: at most 1000 users, 100 parties and 100 tags (§4.2). */
export interface Audience {
  readonly users?: readonly string[];
  readonly parties?: readonly string[];
  readonly tags?: readonly string[];
}
