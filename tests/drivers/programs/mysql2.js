// Node's mysql2: types, prepared statements, transactions, big results, errors, a lost connection.
'use strict';
const mysql = require('mysql2/promise');

const login = {
  host: process.env.HOST, port: Number(process.env.PORT), user: process.env.USER, password: process.env.PASSWORD,
  database: 'shop', supportBigNumbers: true, bigNumberStrings: true, dateStrings: true, timezone: 'Z',
};
const say = (name, value) => console.log(name, JSON.stringify(value));
const shape = (fields) => fields.map((f) => [f.name, f.columnType, f.columnLength, f.decimals, f.flags, f.characterSet, f.table, f.orgTable, f.orgName]);

async function error(name, promise) {
  try {
    say(name, ['no error', await promise]);
  } catch (e) {
    say(name, [e.code, e.errno, e.sqlState, e.sqlMessage]);
  }
}

async function types(connection) {
  for (const way of ['query', 'execute']) {
    const [rows, fields] = await connection[way]('SELECT * FROM kinds ORDER BY id');
    say(`${way} fields`, shape(fields));
    rows.forEach((row) => say(`${way} row`, row));
    const [one] = await connection[way]('SELECT * FROM kinds WHERE id = ?', [1]);
    say(`${way} one`, one);
  }
  const insert = 'INSERT INTO kinds (id, c_tiny, c_big, c_decimal, c_double, c_datetime, c_varchar, c_blob, c_json) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)';
  const values = [-5, '18446744073709551615', '0.0000000001', 1e300, '2026-02-03 04:05:06.789', "q'\\😀", Buffer.from([0, 1, 39, 255]), '{"k": 1}'];
  say('insert', (await connection.execute(insert, [10, ...values]))[0]);
  say('insert nulls', (await connection.execute(insert, [11, null, null, null, null, null, null, null, null]))[0]);
  say('insert text', (await connection.query(insert, [12, ...values]))[0]);
  say('inserted', (await connection.execute('SELECT * FROM kinds WHERE id IN (?, ?, ?) ORDER BY id', [10, 11, 12]))[0]);
  say('delete', (await connection.execute('DELETE FROM kinds WHERE id BETWEEN ? AND ?', [10, 12]))[0]);
}

async function statements(connection) {
  const scattered = 'SELECT country, COUNT(*) n, SUM(balance) total, AVG(balance) mean, MAX(name) last FROM people GROUP BY country ORDER BY country';
  for (const way of ['query', 'execute']) {
    const [groups, fields] = await connection[way](scattered);
    say(`${way} groups`, [groups, shape(fields)]);
    say(`${way} join`, (await connection[way](
      'SELECT p.name, c.name AS country, SUM(o.total) s FROM people p JOIN orders o ON o.person_id = p.id JOIN countries c ON c.code = p.country '
      + 'WHERE p.id < ? GROUP BY p.id, p.name, c.name ORDER BY s DESC, p.id LIMIT 5', [500]))[0]);
    say(`${way} page`, (await connection[way]('SELECT id, name FROM people ORDER BY name DESC LIMIT 3 OFFSET 100'))[0]);
    say(`${way} none`, (await connection[way]('SELECT id FROM people WHERE id = ?', [-1]))[0]);
  }
  const statement = await connection.prepare('SELECT name FROM people WHERE id = ?');
  for (const id of [1, 2, '3', 1999]) say('prepared', (await statement.execute([id]))[0]);
  await statement.close();
  say('update', (await connection.execute("UPDATE people SET name = CONCAT(name, '!') WHERE id <= ?", [100]))[0]);
  say('update back', (await connection.execute("UPDATE people SET name = REPLACE(name, '!', '') WHERE id <= ?", [100]))[0]);
}

async function transactions(connection) {
  const count = async () => (await connection.query("SELECT COUNT(*) n FROM people WHERE name = 'new'"))[0];
  await connection.beginTransaction();
  await connection.query("INSERT INTO people (id, name) VALUES (9001, 'new'), (9002, 'new'), (9003, 'new')");
  await connection.query('SAVEPOINT here');
  await connection.execute('DELETE FROM people WHERE id = ?', [9002]);
  say('deleted', await count());
  await connection.query('ROLLBACK TO SAVEPOINT here');
  say('back', await count());
  await connection.rollback();
  say('rolled back', await count());
  await connection.beginTransaction();
  await connection.query("INSERT INTO people (id, name) VALUES (9001, 'new'), (9002, 'new')");
  await connection.commit();
  say('committed', await count());
  await connection.query("DELETE FROM people WHERE name = 'new'");
}

async function bigResults(connection) {
  const [[big]] = await connection.query("SELECT REPEAT('z', 17000000) z");
  say('long value', big.z.length);
  let [rows, sum] = [0, 0];
  const stream = connection.connection.query("SELECT a.id, REPEAT('x', 500) x FROM people a JOIN countries b ORDER BY a.id").stream();
  for await (const row of stream) {
    rows += 1;
    sum += row.id * (row.x.length - 499);
  }
  say('stream', [rows, sum]);
}

async function main() {
  const connection = await mysql.createConnection(login);
  await types(connection);
  await statements(connection);
  await transactions(connection);
  await bigResults(connection);
  await error('syntax', connection.query('SELEC 1'));
  await error('table', connection.execute('SELECT * FROM nowhere'));
  await error('column', connection.query('SELECT nothing FROM people WHERE id = 1'));
  await error('duplicate', connection.execute("INSERT INTO people (id, name) VALUES (?, 'x')", [1]));
  await error('null', connection.query('INSERT INTO people (id, name) VALUES (9009, NULL)'));
  await error('long', connection.query("INSERT INTO countries VALUES ('long', 'x')"));
  await error('schema', connection.changeUser({ database: 'nowhere' }));
  await error('login', mysql.createConnection({ ...login, password: 'wrong' }).catch((e) => Promise.reject({ ...e, sqlMessage: '' })));
  const several = await mysql.createConnection({ ...login, multipleStatements: true });
  say('several', (await several.query('SELECT 1 AS a; SELECT COUNT(*) n FROM people; SELECT 2 AS b'))[0]);
  const [[{ id }]] = await connection.query('SELECT CONNECTION_ID() id');
  connection.connection.on('error', () => {});
  await several.query(`KILL ${id}`);
  try {
    await connection.query('SELECT 1');
    say('killed', 'no error');
  } catch {
    say('killed', 'an error');
  }
  const pool = mysql.createPool({ ...login, connectionLimit: 4 });
  const answers = await Promise.all([...Array(40).keys()].map((i) => pool.execute('SELECT name FROM people WHERE id = ?', [i + 1])));
  say('pool', answers.map(([[row]]) => row.name));
  await pool.end();
  await several.end();
}

main().catch((e) => {
  console.error(e);
  process.exit(1);
});
