// Node's Knex: its schema builder, queries, transactions and migrations over sharded tables.
'use strict';
const knex = require('knex')({
  client: 'mysql2',
  connection: { host: process.env.HOST, port: Number(process.env.PORT), user: process.env.USER, password: process.env.PASSWORD, database: 'shop', dateStrings: true },
  pool: { min: 0, max: 4 },
});
const say = (name, value) => console.log(name, JSON.stringify(value));

async function build() {
  await knex.schema.dropTableIfExists('orders');
  await knex.schema.dropTableIfExists('people');
  await knex.schema.createTable('people', (table) => {
    table.bigIncrements('id');
    table.string('name', 100).notNullable().index();
    table.specificType('country', 'CHAR(2)');
    table.decimal('balance', 12, 2).defaultTo(0);
    table.json('extra');
  });
  await knex.schema.createTable('orders', (table) => {
    table.bigIncrements('id');
    table.bigInteger('person_id').notNullable();
    table.dateTime('placed');
  });
  await knex.schema.alterTable('people', (table) => table.date('born').nullable());
  say('has', [await knex.schema.hasTable('people'), await knex.schema.hasTable('nowhere'), await knex.schema.hasColumn('people', 'born')]);
  say('columns', Object.entries(await knex('people').columnInfo()).sort());
}

async function queries() {
  await knex('people').insert([...Array(40).keys()].map((i) => ({ id: i + 1, name: `person ${i}`, country: ['de', 'fr'][i % 2], balance: i, extra: JSON.stringify({ i }) })));
  await knex.batchInsert('orders', [...Array(80).keys()].map((i) => ({ id: i + 1, person_id: i % 40 + 1, placed: '2026-01-01 00:00:00' })), 30);
  say('first', await knex('people').where({ id: 7 }).first());
  say('page', await knex('people').whereBetween('balance', [10, 30]).orderBy('name').limit(4).offset(2));
  say('groups', await knex('people').select('country').count('* as n').sum({ s: 'balance' }).groupBy('country').having('n', '>', 1).orderBy('country'));
  say('joined', await knex('people').join('orders', 'people.id', 'orders.person_id').where('people.country', 'fr').select('people.name', 'orders.id').orderBy('orders.id', 'desc').limit(3));
  say('inside', await knex('people').whereIn('id', knex('orders').select('person_id').where('id', '<', 4)).orderBy('id').pluck('name'));
  say('union', await knex('people').where('id', 1).select('id').union(knex('people').where('id', 2).select('id')).orderBy('id'));
  say('update', await knex('people').where('country', 'de').update({ balance: knex.raw('balance + ?', [1]) }));
  say('increment', await knex('people').where('id', 3).increment('balance', 5));
  say('upsert', await knex('people').insert({ id: 3, name: 'merged' }).onConflict('id').merge());
  say('ignored', await knex('people').insert({ id: 3, name: 'ignored' }).onConflict('id').ignore());
  say('delete', await knex('people').where('id', '>', 38).del());
  let count = 0;
  for await (const row of knex('people').select('id').stream()) count += row.id;
  say('stream', count);
}

async function main() {
  await build();
  await queries();
  const failed = await knex.transaction(async (trx) => {
    await trx('people').insert({ id: 100, name: 'gone' });
    await trx.transaction(async (inner) => inner('people').where('id', 1).del());
    throw new Error('rolled back');
  }).catch((error) => error.message);
  say('failed', [failed, await knex('people').whereIn('id', [1, 100]).pluck('id')]);
  await knex.transaction(async (trx) => trx('people').insert({ id: 100, name: 'kept' }));
  say('kept', await knex('people').where('id', 100).forUpdate().pluck('name'));
  await knex('people').insert({ id: 1, name: 'twice' }).catch((error) => say('error', [error.errno, error.sqlMessage]));
  await knex('nowhere').select().catch((error) => say('error', [error.errno, error.sqlMessage]));
  await knex.schema.dropTable('orders');
  await knex.schema.dropTable('people');
  const migrations = { getMigrations: async () => ['one'], getMigrationName: (name) => name,
    getMigration: async () => ({ up: (k) => k.schema.createTable('people', (t) => t.bigIncrements('id')), down: (k) => k.schema.dropTable('people') }) };
  say('migrated', (await knex.migrate.latest({ migrationSource: migrations }))[1]);
  say('rolled back', (await knex.migrate.rollback({ migrationSource: migrations }))[1]);
  await knex.schema.dropTable('knex_migrations');
  await knex.schema.dropTable('knex_migrations_lock');
  await knex.destroy();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
