//! Rust's diesel over sharded tables: queries, inserts, transactions, errors.

use diesel::connection::SimpleConnection;
use diesel::dsl::{count_star, max};
use diesel::prelude::*;
use diesel::result::Error;

diesel::table! {
    people (id) {
        id -> BigInt,
        name -> Varchar,
        country -> Nullable<Char>,
    }
}

diesel::table! {
    orders (id) {
        id -> BigInt,
        person_id -> BigInt,
    }
}

diesel::joinable!(orders -> people (person_id));
diesel::allow_tables_to_appear_in_same_query!(people, orders);

#[derive(Debug, Queryable, Insertable, AsChangeset, Selectable)]
#[diesel(table_name = people)]
struct Person {
    id: i64,
    name: String,
    country: Option<String>,
}

fn say(name: &str, value: impl std::fmt::Debug) {
    println!("{name} {value:?}");
}

fn queries(connection: &mut MysqlConnection) -> QueryResult<()> {
    use people::dsl::{country, id, name};
    let people = people::table;
    say("first", people.select(Person::as_select()).order(id).limit(3).load(connection)?);
    say("one", people.find(7).select(name).first::<String>(connection)?);
    say("like", people.filter(name.like("person 00%")).order(name.desc()).limit(4).offset(2).select(name).load::<String>(connection)?);
    say("groups", people.group_by(country).select((country, count_star(), max(name))).order(country).load::<(Option<String>, i64, Option<String>)>(connection)?);
    say("joined", orders::table.inner_join(people).filter(country.eq("fr")).order(orders::id).limit(5).select((orders::id, name)).load::<(i64, String)>(connection)?);
    say("in", people.filter(id.eq_any([3_i64, 1, 2000, 5000])).count().get_result::<i64>(connection)?);
    let rows: Vec<Person> = (3001..3050).map(|n| Person { id: n, name: format!("new {n}"), country: Some("de".into()) }).collect();
    say("inserted", diesel::insert_into(people).values(&rows).execute(connection)?);
    say("updated", diesel::update(people.filter(id.gt(3000))).set(name.eq("changed")).execute(connection)?);
    let changed = Person { id: 3001, name: "saved".into(), country: None };
    say("saved", diesel::update(people.find(3001)).set(&changed).execute(connection)?);
    say("replaced", diesel::replace_into(people).values(&changed).execute(connection)?);
    say("deleted", diesel::delete(people.filter(id.gt(3000))).execute(connection)?);
    let mut sum = 0;
    for row in people.select(id).order(id).load_iter::<i64, _>(connection)? {
        sum += row?;
    }
    say("sum", sum);
    Ok(())
}

fn main() -> QueryResult<()> {
    let variable = |name| std::env::var(name).expect("the variable is set");
    let url = format!("mysql://{}:{}@{}:{}/shop", variable("USER"), variable("PASSWORD"), variable("HOST"), variable("PORT"));
    let connection = &mut MysqlConnection::establish(&url).expect("the server takes the login");
    queries(connection)?;
    let all = |connection: &mut MysqlConnection| people::table.count().get_result::<i64>(connection);
    let outcome = connection.transaction(|connection| {
        diesel::delete(people::table).execute(connection)?;
        say("inside", all(connection)?);
        let inner: QueryResult<()> = connection.transaction(|connection| {
            diesel::insert_into(people::table).values(people::name.eq("x")).execute(connection)?;
            Err(Error::RollbackTransaction)
        });
        say("inner", inner);
        say("still", all(connection)?);
        Err::<(), _>(Error::RollbackTransaction)
    });
    say("outer", (outcome, all(connection)?));
    for text in ["SELEC 1", "SELECT * FROM nowhere", "INSERT INTO people (id, name) VALUES (1, 'x')"] {
        say("error", diesel::sql_query(text).execute(connection));
    }
    connection.batch_execute("SELECT 1; SELECT 2; DO 3")?;
    say("after", all(connection)?);
    Ok(())
}
