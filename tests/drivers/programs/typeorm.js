// Node's TypeORM: schema synchronization, repositories, relations, transactions.
'use strict';
const { DataSource, EntitySchema, In, Like } = require('typeorm');

const Person = new EntitySchema({
  name: 'Person', tableName: 'people',
  columns: {
    id: { type: 'bigint', primary: true, generated: 'increment' }, name: { type: 'varchar', length: 100 },
    country: { type: 'char', length: 2, nullable: true }, balance: { type: 'decimal', precision: 12, scale: 2, default: 0 },
    extra: { type: 'json', nullable: true },
  },
  indices: [{ name: 'by_name', columns: ['name'] }],
  relations: { orders: { type: 'one-to-many', target: 'Order', inverseSide: 'person' } },
});
const Order = new EntitySchema({
  name: 'Order', tableName: 'orders',
  columns: { id: { type: 'bigint', primary: true, generated: 'increment' }, total: { type: 'int' }, placed: { type: 'datetime', precision: 6 } },
  relations: { person: { type: 'many-to-one', target: 'Person', inverseSide: 'orders', joinColumn: { name: 'person_id' }, createForeignKeyConstraints: false, nullable: false } },
});
const source = new DataSource({
  type: 'mysql', host: process.env.HOST, port: Number(process.env.PORT), username: process.env.USER, password: process.env.PASSWORD,
  database: 'shop', entities: [Person, Order], timezone: 'Z', bigNumberStrings: true,
});
const say = (name, value) => console.log(name, JSON.stringify(value));

async function main() {
  await source.initialize();
  const runner = source.createQueryRunner();
  for (const table of ['orders', 'people', 'kinds', 'countries']) await runner.dropTable(table, true);
  await source.synchronize();
  say('second synchronization', (await source.driver.createSchemaBuilder().log()).upQueries.map((query) => query.query));
  const people = source.getRepository('Person');
  const orders = source.getRepository('Order');
  await people.insert([...Array(30).keys()].map((i) => ({ id: String(i + 1), name: `person ${i}`, country: ['de', 'fr'][i % 2], balance: String(i), extra: { i } })));
  await orders.insert([...Array(60).keys()].map((i) => ({ id: String(i + 1), total: i, placed: new Date(1767225600000 + i), person: { id: String(i % 30 + 1) } })));
  say('one', await people.findOne({ where: { id: '7' }, relations: { orders: true }, order: { orders: { id: 'ASC' } } }));
  say('list', await people.find({ where: { name: Like('person 1%') }, order: { name: 'ASC' }, skip: 2, take: 4 }));
  say('page with relations', await people.find({ where: { id: In(['3', '4', '5']) }, relations: { orders: true }, order: { id: 'ASC', orders: { id: 'ASC' } }, take: 2 }));
  say('count', await people.findAndCount({ where: { country: 'fr' }, order: { id: 'ASC' }, take: 2 }));
  say('builder', await people.createQueryBuilder('p').select('p.country', 'country').addSelect('COUNT(*)', 'n').addSelect('SUM(p.balance)', 's')
    .groupBy('p.country').orderBy('p.country').getRawMany());
  const made = await people.save([{ name: 'made' }, { name: 'made too' }]);
  say('made', [Number(made[0].id) > 30, Number(made[1].id) - Number(made[0].id), made[0].balance]);
  const one = await people.findOneByOrFail({ id: '9' });
  one.extra = { changed: true };
  await people.save(one);
  say('changed', await people.findOneBy({ id: '9' }));
  say('update', (await people.update({ country: 'de' }, { country: 'us' })).affected);
  say('delete', (await people.delete({ id: In(['1', '2']) })).affected);
  say('upsert', await people.upsert({ id: '3', name: 'upserted' }, ['id']).then(() => people.findOneBy({ id: '3' })));
  say('increment', (await people.increment({ id: '4' }, 'balance', 2.5)).affected);
  const failed = await source.transaction('READ COMMITTED', async (manager) => {
    await manager.insert('Person', { id: '500', name: 'gone' });
    throw new Error('rolled back');
  }).catch((error) => error.message);
  say('failed', [failed, await people.countBy({ id: '500' })]);
  await source.transaction(async (manager) => {
    await manager.insert('Person', { id: '501', name: 'kept' });
    await manager.findOne('Person', { where: { id: '8' }, lock: { mode: 'pessimistic_write' } });
  });
  say('kept', await people.countBy({ id: '501' }));
  await people.insert({ id: '5', name: 'twice' }).catch((error) => say('error', [error.name, error.errno, error.sqlMessage]));
  await source.query('SELECT * FROM nowhere').catch((error) => say('error', [error.name, error.errno, error.sqlMessage]));
  const table = await runner.getTable('people');
  say('table', table.columns.map((column) => [column.name, column.type, column.length, column.isNullable, column.isPrimary, column.default]).sort());
  say('indices', table.indices.map((index) => [index.name, index.columnNames]));
  await runner.release();
  await source.destroy();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
