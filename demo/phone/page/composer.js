/**
 * The line to type in and the keys. Digits are typed, quick keys are sent at once.
 * @param {{ form: HTMLFormElement, keypad: HTMLElement, toggle: HTMLElement, onSend: (text: string) => void }} parts
 * @returns {{ type: (text: string) => void }} `type` puts a text in the line, in place of what stands there.
 */
export function createComposer({ form, keypad, toggle, onSend }) {
  const input = form.elements.namedItem('text');

  const send = (/** @type {string} */ text) => {
    if (text.trim() === '') return;
    onSend(text);
  };

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    send(input.value);
    input.value = '';
  });

  // A key must not take the focus: neither open a phone's own keyboard nor take the line from a real one.
  keypad.addEventListener('pointerdown', (event) => event.preventDefault());
  keypad.addEventListener('mousedown', (event) => event.preventDefault());
  keypad.addEventListener('click', (event) => {
    const { key, send: quick, erase } = event.target.closest('button')?.dataset ?? {};
    if (key !== undefined) input.value += key;
    if (erase !== undefined) input.value = input.value.slice(0, -1);
    if (quick !== undefined) send(quick);
  });

  toggle.addEventListener('click', () => {
    keypad.hidden = !keypad.hidden;
    toggle.ariaExpanded = String(!keypad.hidden);
    if (keypad.hidden) input.focus();
  });

  return {
    type: (text) => {
      input.value = text;
    },
  };
}
