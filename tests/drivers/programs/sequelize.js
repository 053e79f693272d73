// Node's Sequelize: models over sharded tables, associations, transactions, introspection.
'use strict';
const { DataTypes, Op, QueryTypes, Sequelize } = require('sequelize');

const sequelize = new Sequelize('shop', process.env.USER, process.env.PASSWORD, {
  host: process.env.HOST, port: Number(process.env.PORT), dialect: 'mysql', logging: false,
  define: { timestamps: false, underscored: true }, dialectOptions: { supportBigNumbers: true, bigNumberStrings: true },
});
const say = (name, value) => console.log(name, JSON.stringify(value));

const Person = sequelize.define('person', {
  id: { type: DataTypes.BIGINT, primaryKey: true, autoIncrement: true },
  name: { type: DataTypes.STRING(100), allowNull: false },
  country: DataTypes.CHAR(2), born: DataTypes.DATEONLY, balance: DataTypes.DECIMAL(12, 2),
}, { tableName: 'people' });
const Order = sequelize.define('order', {
  id: { type: DataTypes.BIGINT, primaryKey: true, autoIncrement: true },
  personId: { type: DataTypes.BIGINT, allowNull: false },
  total: DataTypes.DECIMAL(12, 2), placed: DataTypes.DATE,
}, { tableName: 'orders' });
Person.hasMany(Order, { foreignKey: 'personId', constraints: false });
Order.belongsTo(Person, { foreignKey: 'personId', constraints: false });

async function models() {
  await sequelize.sync({ force: true });
  const people = await Person.bulkCreate([...Array(30).keys()].map((i) => (
    { id: i + 1, name: `person ${i}`, country: ['de', 'fr', 'jp'][i % 3], born: `2000-01-${10 + i % 20}`, balance: i * 1.25 })));
  await Order.bulkCreate([...Array(60).keys()].map((i) => ({ id: i + 1, personId: i % 30 + 1, total: i, placed: new Date(1767225600000 + i * 1e6) })));
  say('people', people.length);
  say('one', await Person.findByPk(7, { include: { model: Order, order: [['id', 'ASC']] } }));
  say('list', await Person.findAll({ where: { name: { [Op.like]: 'person 1%' } }, order: [['name', 'ASC']], limit: 4, offset: 2 }));
  say('joined', await Order.findAll({ include: { model: Person, where: { country: 'de' } }, order: [['id', 'DESC']], limit: 3 }));
  say('groups', await Person.findAll({
    attributes: ['country', [sequelize.fn('COUNT', sequelize.col('id')), 'n'], [sequelize.fn('SUM', sequelize.col('balance')), 's']],
    group: ['country'], order: ['country'] }));
  say('count', await Person.findAndCountAll({ where: { balance: { [Op.gt]: 10 } }, order: [['id', 'ASC']], limit: 2 }));
  say('update', await Person.update({ balance: 1 }, { where: { country: 'fr' } }));
  const [found, created] = await Person.findOrCreate({ where: { name: 'found' }, defaults: { id: 500, country: 'br' } });
  say('found', [found, created]);
  found.name = 'changed';
  await found.save();
  say('changed', await found.reload());
  const made = [await Person.create({ name: 'made' }), await Person.create({ name: 'made too' })];
  say('made', [made[0].id > 500, made[1].id - made[0].id]);
  say('upsert', await Person.upsert({ id: 3, name: 'upserted' }));
  say('destroy', await Person.destroy({ where: { id: { [Op.in]: [1, 2, 3] } } }));
  say('max', [await Person.max('balance'), await Order.sum('total'), await Person.count()]);
}

async function transactions() {
  const failed = await sequelize.transaction(async (transaction) => {
    await Person.create({ id: 600, name: 'gone' }, { transaction });
    await Order.create({ id: 600, personId: 600, total: 1, placed: new Date(0) }, { transaction });
    throw new Error('rolled back');
  }).catch((error) => error.message);
  say('failed', [failed, await Person.count({ where: { id: 600 } })]);
  await sequelize.transaction({ isolationLevel: 'READ COMMITTED' }, async (transaction) => {
    await Person.create({ id: 601, name: 'kept' }, { transaction });
    await Person.findByPk(5, { transaction, lock: transaction.LOCK.UPDATE });
  });
  say('kept', await Person.count({ where: { id: 601 } }));
}

async function errors() {
  for (const make of [() => Person.create({ id: 5, name: 'twice' }), () => Person.create({ id: 700 }), () => sequelize.query('SELECT * FROM nowhere')]) {
    await make().catch((error) => say('error', [error.name, error.original?.errno, error.original?.sqlMessage]));
  }
}

async function main() {
  await sequelize.authenticate();
  await models();
  await transactions();
  await errors();
  const tables = sequelize.getQueryInterface();
  say('tables', (await tables.showAllTables()).map((table) => table.tableName ?? table).sort());
  say('columns', await tables.describeTable('people'));
  await tables.addIndex('people', ['country'], { name: 'by_country' });
  await tables.addColumn('people', 'note', { type: DataTypes.STRING(20), defaultValue: 'x' });
  say('indexes', (await tables.showIndex('people')).map((index) => [index.name, index.unique, index.fields.map((field) => field.attribute)]));
  say('raw', await sequelize.query('SELECT id, note FROM people WHERE id > :id ORDER BY id LIMIT 2', { replacements: { id: 20 }, type: QueryTypes.SELECT }));
  say('bound', await sequelize.query('SELECT name FROM people WHERE id = $id', { bind: { id: 21 }, type: QueryTypes.SELECT }));
  await sequelize.close();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
