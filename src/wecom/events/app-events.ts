import {
  child,
  children,
  decimal,
  integer,
  optionalInteger,
  text,
  texts,
  type XmlElement,
} from '../xml/element.ts';

const nothingMore = () => ({});
const eventKey = (event: XmlElement) => ({ eventKey: text(event, 'EventKey') });
const effectTime = (event: XmlElement) => ({ effectTime: integer(event, 'EffectTime') });

function scan(event: XmlElement) {
  const info = child(event, 'ScanCodeInfo');
  return { ...eventKey(event), scanType: text(info, 'ScanType'), scanResult: text(info, 'ScanResult') };
}

/** The images themselves arrive as ordinary image messages; here are only their MD5 sums. */
function pictures(event: XmlElement) {
  const info = child(event, 'SendPicsInfo');
  const items = children(child(info, 'PicList'), 'item');
  return {
    ...eventKey(event),
    count: optionalInteger(info, 'Count') ?? items.length,
    pictureMd5Sums: items.map((item) => text(item, 'PicMd5Sum')),
  };
}

function place(event: XmlElement) {
  const info = child(event, 'SendLocationInfo');
  return {
    ...eventKey(event),
    latitude: decimal(info, 'Location_X'),
    longitude: decimal(info, 'Location_Y'),
    scale: optionalInteger(info, 'Scale'),
    label: text(info, 'Label'),
    poiName: text(info, 'Poiname'),
    appType: text(event, 'AppType'),
  };
}

const task = (event: XmlElement) => ({ ...eventKey(event), taskId: text(event, 'TaskId') });

function card(event: XmlElement) {
  return { ...task(event), cardType: text(event, 'CardType'), responseCode: text(event, 'ResponseCode') };
}

function answeredCard(event: XmlElement) {
  const items = children(child(event, 'SelectedItems'), 'SelectedItem');
  return { ...card(event), selectedItems: items.map(selectedItem) };
}

/** `OpitonIds` is a spelling that some samples have (§2.4). */
function selectedItem(item: XmlElement) {
  const correct = texts(child(item, 'OptionIds'), 'OptionId');
  const misspelt = texts(child(item, 'OpitonIds'), 'OpitonId');
  return { questionKey: text(item, 'QuestionKey'), optionIds: [...correct, ...misspelt] };
}

/** How the events of an app and its chat are read (§2.4), by their name in lower case. `effectTime` is Unix seconds. */
export const appEvents = {
  subscribe: eventKey,
  unsubscribe: eventKey,
  enter_agent: eventKey,
  location: (event: XmlElement) => ({
    latitude: decimal(event, 'Latitude'),
    longitude: decimal(event, 'Longitude'),
    precision: decimal(event, 'Precision'),
    appType: text(event, 'AppType'),
  }),
  click: eventKey,
  view: eventKey,
  view_miniprogram: eventKey,
  scancode_push: scan,
  scancode_waitmsg: scan,
  pic_sysphoto: pictures,
  pic_photo_or_album: pictures,
  pic_weixin: pictures,
  location_select: place,
  template_card_event: answeredCard,
  template_card_menu_event: card,
  taskcard_click: task,
  share_agent_change: nothingMore,
  share_chain_change: nothingMore,
  inactive_alert: effectTime,
  low_active_alert: effectTime,
  close_inactive_agent: nothingMore,
  reopen_inactive_agent: nothingMore,
  low_active: nothingMore,
  active_restored: nothingMore,
  switch_workbench_mode: (event: XmlElement) => ({ mode: integer(event, 'Mode') }),
  upload_media_job_finish: (event: XmlElement) => ({ jobId: text(event, 'JobId') }),
  msgaudit_notify: nothingMore,
} as const;
