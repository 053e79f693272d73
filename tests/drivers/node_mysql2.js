// mysql2: pools, text and prepared statements, transactions, errors, big results.
'use strict';

const assert = require('node:assert');
const mysql = require('mysql2/promise');

const login = {
  host: process.env.MARGAY_HOST,
  port: Number(process.env.MARGAY_PORT),
  user: process.env.MARGAY_USER,
  password: process.env.MARGAY_PASSWORD,
  database: process.env.MARGAY_SCHEMA,
};

async function errorCode(promise) {
  try {
    await promise;
  } catch (error) {
    return error.errno;
  }
  throw new Error('no error');
}

async function main() {
  assert.strictEqual(await errorCode(mysql.createConnection({ ...login, password: 'wrong' })), 1045);
  const pool = mysql.createPool({ ...login, connectionLimit: 4, charset: 'utf8mb4' });
  await pool.query('DELETE FROM users WHERE id BETWEEN 3000 AND 3999');
  const rows = Array.from({ length: 200 }, (_, n) => [3000 + n, `it's ${n} 日本 😀`]);
  const [inserted] = await pool.query('INSERT INTO users (id, name) VALUES ?', [rows]);
  assert.strictEqual(inserted.affectedRows, 200);
  assert.match(inserted.info, /^Records: 200 +Duplicates: 0 +Warnings: 0$/);

  const select = 'SELECT id, name FROM users WHERE id = ?';
  const found = await Promise.all(rows.map(([id]) => pool.execute(select, [id])));
  found.forEach(([result], n) => {
    assert.deepStrictEqual([result[0].id, result[0].name], rows[n]);
  });
  const [all] = await pool.execute(
    'SELECT id, name FROM users WHERE id BETWEEN ? AND ? ORDER BY id', [3000, 3999]);
  assert.deepStrictEqual(all.map((row) => [row.id, row.name]), rows);
  const [nulls] = await pool.execute('SELECT ? AS a, ? AS b, ? AS c', [null, 'text', 5]);
  assert.strictEqual(nulls[0].a, null);
  assert.strictEqual(nulls[0].b, 'text');
  assert.strictEqual(Number(nulls[0].c), 5);

  const connection = await pool.getConnection();
  await connection.beginTransaction();
  // A transaction keeps to one user, and so to one cluster.
  const [updated] = await connection.execute("UPDATE users SET name = 'x' WHERE id = ?", [3007]);
  assert.strictEqual(updated.affectedRows, 1);
  const [[{ name }]] = await connection.execute('SELECT name FROM users WHERE id = ?', [3007]);
  assert.strictEqual(name, 'x');
  await connection.rollback();
  const [[{ n }]] = await connection.query(
    "SELECT COUNT(*) AS n FROM users WHERE name = 'x' AND id BETWEEN 3000 AND 3999");
  assert.strictEqual(Number(n), 0);
  assert.strictEqual(await errorCode(connection.query('SELEC 1')), 1064);
  assert.strictEqual(await errorCode(connection.execute('SELECT nothing FROM users')), 1054);
  assert.strictEqual(await errorCode(connection.query("INSERT INTO users (id, name) VALUES (3000, 'x')")), 1062);
  const [many] = await connection.execute(
    "UPDATE users SET name = 'y' WHERE id < ? AND id >= ?", [3050, 3000]);
  assert.strictEqual(many.affectedRows, 50);
  await connection.ping();
  await connection.changeUser({ ...login });
  connection.release();

  const [big] = await pool.query("SELECT REPEAT('z', 17000000) AS body");
  assert.strictEqual(big[0].body.length, 17000000);
  const several = await mysql.createConnection({ ...login, multipleStatements: true });
  const [[one]] = await several.query('SELECT 1 AS a;');
  assert.strictEqual(Number(one.a), 1);
  await several.end();
  await pool.end();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
