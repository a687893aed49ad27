import mysql from 'mysql2/promise';

/**
 * The floor of acceptance: one INSERT of a message a statement, each committed, on so many connections.
 * `node bare-insert.ts MYSQL_URL CONNECTIONS MESSAGES`; prints { seconds }.
 */
const [url = '', connections, messages] = process.argv.slice(2);
const pool = mysql.createPool({ uri: url, connectionLimit: Number(connections) });
await pool.query(
  'create table if not exists bare (id bigint primary key auto_increment, app varchar(32), receiver varchar(100), content mediumtext, created_at bigint)',
);
let left = Number(messages);
const insert = async (): Promise<void> => {
  for (; left > 0; ) {
    left -= 1;
    await pool.execute('insert into bare (app, receiver, content, created_at) values (?, ?, ?, ?)', [
      'bench',
      `user:bench${left}`,
      '{"text":"bench"}',
      Date.now(),
    ]);
  }
};
const started = performance.now();
await Promise.all(Array.from({ length: Number(connections) }, insert));
console.log(JSON.stringify({ seconds: (performance.now() - started) / 1000 }));
await pool.end();
