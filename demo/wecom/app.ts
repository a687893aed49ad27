/** One self-built app as its administrator finds it in WeCom's console (protocol §1.1). */
export interface WeComApp {
  readonly corpId: string;
  readonly agentId: number;
  readonly secret: string;
  readonly token: string;
  readonly encodingAesKey: string;
}

/** One member who can see the app; `department` is the list that user/get answers (protocol §4.8). */
export interface Member {
  readonly userid: string;
  readonly name: string;
  readonly position: string;
  readonly department: readonly number[];
  /** Those of them that this member leads. */
  readonly leads?: readonly number[];
}

/** One group chat that the app created (protocol §4.5). */
export interface Chat {
  readonly chatid: string;
  readonly name: string;
  /** Its userids; people who are in no other chat when left out. */
  readonly members?: readonly string[];
}

/** The present, in Unix milliseconds. */
export type Clock = () => number;

/** The four people of the demo: two sres, a developer of one unit, and one who may do nothing. */
export const demoMembers: readonly Member[] = [
  { userid: 'zhangsan', name: '张三', position: 'SRE', department: [1, 2] },
  { userid: 'lisi', name: '李四', position: '电商开发', department: [1, 3] },
  { userid: 'wangwu', name: '王五', position: 'SRE 负责人', department: [1, 2], leads: [2] },
  { userid: 'mallory', name: 'Mallory', position: '无角色', department: [1] },
];

/** The tag of the demo, and who carries it. */
export const demoTags: Readonly<Record<string, readonly string[]>> = { '1': ['zhangsan', 'wangwu'] };

/** The group chat of the demo. */
export const demoChats: readonly Chat[] = [{ chatid: 'oncall', name: '值班群' }];
