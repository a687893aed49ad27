/** The published and self-made test vectors of the protocol page, §8. */
export interface Vector {
  readonly name: string;
  readonly token: string;
  readonly encodingAesKey: string;
  readonly receiveId: string;
  readonly timestamp: string;
  readonly nonce: string;
  readonly signature: string;
  readonly encrypted: string;
  readonly text: string;
}

/** A1, A2, A3, B1, B2: published by Tencent. S1–S5: made with openssl, random prefix `0123456789abcdef`. */
export const vectors: readonly Vector[] = [
  {
    name: 'A1',
    token: 'QDG6eK',
    encodingAesKey: 'jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C',
    receiveId: 'wx5823bf96d3bd56c7',
    timestamp: '1409659589',
    nonce: '263014780',
    signature: '5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3',
    encrypted: 'P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ==',
    text: '1616140317555161061',
  },
  {
    name: 'A2',
    token: 'QDG6eK',
    encodingAesKey: 'jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C',
    receiveId: 'wx5823bf96d3bd56c7',
    timestamp: '1409659813',
    nonce: '1372623149',
    signature: '477715d11cdb4164915debcba66cb864d751f3e6',
    encrypted:
      'RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj911L3vg3W/sYYvuJTs3TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DOdnLxAUHzM6+kDZ+HMZfJYuR+LtwGc2hgf5gsijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8V2t9EL4EhzJWrQUax5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDAVe0lXdQ2YoyyH2uyPIGHBZZIs2pDBS8R07+qN+E7Q==',
    text: '<xml><ToUserName><![CDATA[wx5823bf96d3bd56c7]]></ToUserName>\n<FromUserName><![CDATA[mycreate]]></FromUserName>\n<CreateTime>1409659813</CreateTime>\n<MsgType><![CDATA[text]]></MsgType>\n<Content><![CDATA[hello]]></Content>\n<MsgId>4561255354251345929</MsgId>\n<AgentID>218</AgentID>\n</xml>',
  },
  {
    name: 'A3',
    token: 'hJqcu3uJ9Tn2gXPmxx2w9kkCkCE2EPYo',
    encodingAesKey: '6qkdMrq68nTKduznJYO1A37W2oEgpkMUvkttRToqhUt',
    receiveId: 'ww1436e0e65a779aee',
    timestamp: '1409659813',
    nonce: '1372623149',
    signature: 'e3647471e395139e2308c1fa963f2d648a00b90e',
    encrypted:
      'cjhLUX7UU4yCSelv1vz7T0zT8huF51bAMVWriNvO1FMegHrQZNrtvRxbwf0fUPsFvwqR0U0fgiJNEA5Y30F2MoI2S7vv3EjVQ68C0cjw9frBoUE2Hj0BvFp9h3u6Vbsg4lc1C8AtHdaN8orKuNKkLRLuYEL52R1J3v8olJGZRLnRdVKIivixmX/eQpzgeExtp20jI1HxRP1AAZ6xZoILdqDPO549LO4WeG+685JRUTdiwcY5fjZlqeMxuT4PpMn1X9OWsS7NRj06Wa5E3Tvg4twjWp39KPfOdRte6P1T4JU=',
    text: '{ "ToUserName": "wx5823bf96d3bd56c7", "FromUserName": :mycreate", "CreateTime": 1409659813, "MsgType": "text", "Content": "hello", "MsgId": 4561255354251345929, "AgentID": 218}',
  },
  {
    name: 'B1',
    token: 'hJqcu3uJ9Tn2gXPmxx2w9kkCkCE2EPYo',
    encodingAesKey: '6qkdMrq68nTKduznJYO1A37W2oEgpkMUvkttRToqhUt',
    receiveId: 'ww1436e0e65a779aee',
    timestamp: '1476416373',
    nonce: '47744683',
    signature: '012bc692d0a58dd4b10f8dfe5c4ac00ae211ebeb',
    encrypted: 'fsi1xnbH4yQh0+PJxcOdhhK6TDXkjMyhEPA7xB2TGz6b+g7xyAbEkRxN/3cNXW9qdqjnoVzEtpbhnFyq6SVHyA==',
    text: '1288432023552776189',
  },
  {
    name: 'B2',
    token: 'hJqcu3uJ9Tn2gXPmxx2w9kkCkCE2EPYo',
    encodingAesKey: '6qkdMrq68nTKduznJYO1A37W2oEgpkMUvkttRToqhUt',
    receiveId: 'ww1436e0e65a779aee',
    timestamp: '1476422779',
    nonce: '1597212914',
    signature: '0c3914025cb4b4d68103f6bfc8db550f79dcf48e',
    encrypted:
      'Kl7kjoSf6DMD1zh7rtrHjFaDapSCkaOnwu3bqLc5tAybhhMl9pFeK8NslNPVdMwmBQTNoW4mY7AIjeLvEl3NyeTkAgGzBhzTtRLNshw2AEew+kkYcD+Fq72Kt00fT0WnN87hGrW8SqGc+NcT3mu87Ha3dz1pSDi6GaUA6A0sqfde0VJPQbZ9U+3JWcoD4Z5jaU0y9GSh010wsHF8KZD24YhmZH4ch4Ka7ilEbjbfvhKkNL65HHL0J6EYJIZUC2pFrdkJ7MhmEbU2qARR4iQHE7wy24qy0cRX3Mfp6iELcDNfSsPGjUQVDGxQDCWjayJOpcwocugux082f49HKYg84EpHSGXAyh+/oxwaWbvL6aSDPOYuPDGOCI8jmnKiypE+',
    text: '<xml><ToUserName>ww1436e0e65a779aee</ToUserName><FromUserName>ChenJiaShun</FromUserName><CreateTime>1476422779</CreateTime><MsgType>text</MsgType><Content>你好</Content><MsgId>1456453720</MsgId><AgentID>1000002</AgentID></xml>',
  },
  {
    name: 'S1',
    token: 'DemoToken2026',
    encodingAesKey: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8',
    receiveId: '',
    timestamp: '1767225600',
    nonce: 'n0nce',
    signature: '0e14442710e50ca7ee968940f9c848bd2de5301a',
    encrypted:
      '4j/AuRx71kQlxVlzbpsMWJOhefxrgFmLRvRYwQdL8vZbMHIzfExECwJIc93L+yhprEymHOKXYd/U4sUKYCo7YyaNgEqkM+xsOLT8F+8Y63hsuk3cjPa79pT13MNonoZ1Jz/IsewhRk/gH2grylgD+jud7mABEiFYLo5IFl9UZJZBLHMNJhFzOEr+d57SfvhmqzM1cTWv55uORH8MYGq8Hg==',
    text: '{"msgid":"m1","aibotid":"b1","chattype":"single","from":{"userid":"zhangsan"},"msgtype":"text","text":{"content":"你好😀"}}',
  },
  {
    name: 'S2',
    token: 'DemoToken2026',
    encodingAesKey: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8',
    receiveId: 'ww0123456789abcdef',
    timestamp: '1767225600',
    nonce: 'n0nce',
    signature: '9a4c1d4a6d3571e0c3f7eb7167f84404cdc893ec',
    encrypted:
      '4j/AuRx71kQlxVlzbpsMWOiI/6r4Ecg8P6GbDRMWMP3Rn6Zp0VUzi34PGpAIjd+oZ5oZNFv/wUFeYxdk8auJRLmpruG7NDTcs5u1sQWq9HzgtN7PkMcPrGM2pDv0LEsV',
    text: '99999999999999999999999999',
  },
  {
    name: 'S3',
    token: 'DemoToken2026',
    encodingAesKey: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8',
    receiveId: 'ww0123456789abcdef',
    timestamp: '1767225600',
    nonce: 'n0nce',
    signature: '2a2b1ca54fd548e9cd980e898207b205abee4a5d',
    encrypted: '4j/AuRx71kQlxVlzbpsMWJjMsjpJosu13lhGTX9+fPOhVMvjCLPMSXQ62Q9/+ekfZX6HFRH1+Bs2itKwuSGOxg==',
    text: '7000000000000000000',
  },
  {
    name: 'S4',
    token: 'DemoToken2026',
    encodingAesKey: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8',
    receiveId: 'ww0123456789abcdef',
    timestamp: '1767225600',
    nonce: 'n0nce',
    signature: '725a18e83bd948ed92a79cbfc64bb44da72779b3',
    encrypted:
      '4j/AuRx71kQlxVlzbpsMWOwsedrb6jiWO8W5AqxvpcNSu3wMKBTuXfZ/n8PK5G9CtGQraBaBD3j+EkFbrc1QUwu8A0JUEZcLWEKA6FzETWtm46p0QzQR5l2lBt/RUl9gYo4h4QKY6yGbHh27iFlbCkZUTjdFtn/N49mzJX/DrSK6c/aA41kwpGeUE+s85EaSBgy+sF7W33iSB0DWdu7Eg4HaPXtDpZUANYGKcbzEKuV/LqV9jCuO7xn4bShS0aphW6GY3HNPTCQNxswUCXcHKUN1o7GQnOx6f7wNgrMJDKAIBkTXyULzusqU+bIAlcwc2nGoXtVywXXjoaAOgIYlfpckSwK8JAmTynfwESbltSjpiv3yTmlFXhJwNXMpR+dL',
    text: '<xml><ToUserName><![CDATA[zhangsan]]></ToUserName><FromUserName><![CDATA[ww0123456789abcdef]]></FromUserName><CreateTime>1767225600</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[收到]]></Content></xml>',
  },
  {
    name: 'S5',
    token: 'DemoToken2026',
    encodingAesKey: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8',
    receiveId: '',
    timestamp: '1767225600',
    nonce: 'n0nce',
    signature: '496a9e271c7aa5c2c1f7f604861ba719c538f733',
    encrypted: '4j/AuRx71kQlxVlzbpsMWM4cLXAIcGv39KvAS8cQTXc=',
    text: '',
  },
];

/** One vector by its name on the page. */
export function vector(name: string): Vector {
  const found = vectors.find((one) => one.name === name);
  if (!found) throw new Error(`no vector ${name}`);
  return found;
}
