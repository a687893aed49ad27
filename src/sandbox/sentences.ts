/** What the user of an entry reads that had to be stopped. Entries only read: nothing has been changed. */
export const sentences = {
  stopped: '这一项的程序出了问题，已被停下，没有执行任何操作。请告诉菜单的负责人。',
  closed: '这一项的程序接连出问题，暂停一分钟，没有执行任何操作。请告诉菜单的负责人。',
  interrupted: '菜单的程序刚才中断了，没有执行任何操作，请再发一次。',
} as const;
