/**
 * The page that a link opens. The token stands behind the # of its address, which no server, log or Referer ever sees;
 * it is taken out of the address bar at once, and sent only when a person presses the button.
 */
export const LOGIN_PAGE = `<!doctype html>
<html lang="zh-CN">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>控制台</title>
<main>
<h1>消息投递 · 控制台</h1>
<p id="says">点「进入」打开队列视图，只可查看。打开之后，这个链接就不能再用了。</p>
<button id="enter" type="button">进入</button>
</main>
<script src="login.js"></script>
</html>
`;

/** The script of that page. */
export const LOGIN_SCRIPT = `const token = location.hash.slice(1);
history.replaceState(null, '', location.pathname);
const button = document.getElementById('enter');
const says = document.getElementById('says');
button.addEventListener('click', async () => {
  button.disabled = true;
  const answered = await fetch('login', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token }),
  }).catch(() => undefined);
  if (answered?.ok) return location.replace('queues');
  const refused = await answered?.json().catch(() => undefined);
  says.textContent = refused?.error ?? '暂时无法登录，请稍后再试。';
  button.disabled = answered !== undefined && answered.status < 500;
});
`;
