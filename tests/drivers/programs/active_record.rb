# Ruby's mysql2 and ActiveRecord over sharded tables: migrations, models, prepared statements, transactions, errors.
require 'active_record'
require 'json'
require 'mysql2'

LOGIN = { host: ENV.fetch('HOST'), port: ENV.fetch('PORT').to_i, username: ENV.fetch('USER'), password: ENV.fetch('PASSWORD'), database: 'shop' }.freeze

def say(name, value)
  puts "#{name} #{value.to_json}"
end

def driver
  client = Mysql2::Client.new(**LOGIN, encoding: 'utf8mb4', flags: Mysql2::Client::MULTI_STATEMENTS)
  kinds = client.query('SELECT * FROM kinds ORDER BY id', cast: false)
  say 'fields', kinds.fields
  kinds.each { |row| say 'kind', row.transform_values { |value| value&.b&.inspect } }
  client.query('SELECT * FROM kinds ORDER BY id').each { |row| say 'cast', row.except('c_float').transform_values(&:inspect) }
  statement = client.prepare('SELECT * FROM kinds WHERE id > ? ORDER BY id')
  # The driver has no place for the first row's time.
  statement.execute(1).each { |row| say 'prepared', row.except('c_float').transform_values(&:inspect) }
  say 'stream', client.query('SELECT id FROM people ORDER BY id', stream: true, cache_rows: false).sum { |row| row['id'] }
  say 'several', client.query('SELECT 1 AS one; SELECT COUNT(*) AS n FROM people').to_a
  client.next_result
  say 'second', client.store_result.to_a
  client.query('SELECT * FROM nowhere')
rescue Mysql2::Error => e
  say 'error', [e.error_number, e.sql_state, e.message]
end

class Person < ActiveRecord::Base
  self.table_name = 'people'
  has_many :orders
end

class Order < ActiveRecord::Base
  belongs_to :person
end

def schema(connection)
  connection.drop_table(:orders, if_exists: true)
  connection.drop_table(:people, if_exists: true)
  connection.create_table(:people) do |t|
    t.string :name, null: false, limit: 100
    t.string :country
    t.decimal :balance, precision: 12, scale: 2, default: 0
    t.json :extra
    t.datetime :created_at, precision: 6
  end
  connection.create_table(:orders) do |t|
    t.bigint :person_id, null: false
    t.integer :total
  end
  connection.add_index(:people, :name)
  connection.add_column(:people, :note, :text)
  say 'tables', connection.tables.sort
  say 'columns', connection.columns(:people).map { |column| [column.name, column.sql_type, column.null, column.default] }
  say 'indexes', connection.indexes(:people).map { |index| [index.name, index.columns, index.unique] }
  say 'key', connection.primary_key(:people)
end

def models
  people = (1..30).map { |i| { id: i, name: "person #{i}", country: %w[de fr jp][i % 3], balance: i * 1.5, extra: { i: i }, created_at: Time.utc(2026, 1, i) } }
  Person.insert_all!(people)
  Order.insert_all!((1..60).map { |i| { id: i, person_id: (i % 30) + 1, total: i } })
  say 'one', Person.find(7).attributes.except('created_at')
  say 'where', Person.where('name LIKE ?', 'person 1%').order(:name).limit(4).offset(2).pluck(:id, :name, :created_at)
  say 'groups', Person.group(:country).order(:country).sum(:balance)
  say 'includes', Person.includes(:orders).where(id: [3, 4]).order(:id).map { |person| person.orders.map(&:id).sort }
  say 'joins', Order.joins(:person).where(people: { country: 'fr' }).order(:id).pluck(:total)
  say 'batches', Person.find_in_batches(batch_size: 7).map(&:size)
  say 'update', Person.where(country: 'de').update_all('balance = balance + 1')
  made = [Person.create!(name: 'made'), Person.create!(name: 'made too')]
  say 'made', [made[0].id > 30, made[1].id - made[0].id]
  made[0].update!(name: 'changed', extra: [1, nil])
  say 'changed', made[0].reload.attributes.slice('name', 'extra', 'balance')
  Person.upsert({ id: 3, name: 'upserted' })
  say 'upserted', Person.find(3).name
  say 'delete', [made[1].destroy.destroyed?, Person.where(id: 1..2).delete_all, Person.count, Person.maximum(:balance)]
end

def transactions
  Person.transaction do
    Person.create!(id: 500, name: 'gone')
    Person.transaction(requires_new: true) do
      Person.where(id: 5).delete_all
      raise ActiveRecord::Rollback
    end
    say 'inside', Person.where(id: [5, 500]).count
    raise ActiveRecord::Rollback
  end
  say 'after', Person.where(id: [5, 500]).count
  Person.transaction(isolation: :read_committed) { say 'lock', Person.lock.find(6).name }
  Person.create!(id: 5, name: 'twice')
rescue ActiveRecord::RecordNotUnique => e
  say 'duplicate', e.message
end

def lost(connection)
  other = Mysql2::Client.new(**LOGIN)
  other.query("KILL #{connection.select_value('SELECT CONNECTION_ID()')}")
  begin
    connection.select_value('SELECT 1')
    say 'killed', 'no error'
  rescue ActiveRecord::StatementInvalid
    say 'killed', 'an error'
  end
  connection.reconnect!
  say 'reconnected', connection.select_value('SELECT COUNT(*) FROM people')
end

driver
[false, true].each do |prepared|
  ActiveRecord::Base.establish_connection(adapter: 'mysql2', encoding: 'utf8mb4', prepared_statements: prepared, **LOGIN)
  connection = ActiveRecord::Base.connection
  schema(connection)
  [Person, Order].each(&:reset_column_information)
  models
  transactions
  lost(connection)
end
