//! Rust's sqlx: types, prepared statements, streams, transactions, pools, errors, migrations.

use futures_util::TryStreamExt;
use sqlx::mysql::{MySqlConnectOptions, MySqlPoolOptions};
use sqlx::{Column, Connection, Executor, MySqlPool, Row, Statement, TypeInfo};

#[derive(Debug, sqlx::FromRow)]
#[allow(dead_code)]
struct Kind {
    id: i64,
    c_tiny: Option<i8>,
    c_small: Option<u16>,
    c_medium: Option<i32>,
    c_int: Option<u32>,
    c_big: Option<u64>,
    c_float: Option<f32>,
    c_double: Option<f64>,
    c_bit: Option<u64>,
    c_char: Option<String>,
    c_varchar: Option<String>,
    c_varbinary: Option<Vec<u8>>,
    c_json: Option<sqlx::types::JsonValue>,
    c_enum: Option<String>,
}

fn variable(name: &str) -> String {
    std::env::var(name).expect("the variable is set")
}

fn say(name: &str, value: impl std::fmt::Debug) {
    println!("{name} {value:?}");
}

async fn types(pool: &MySqlPool) -> sqlx::Result<()> {
    let statement = pool.prepare("SELECT * FROM kinds ORDER BY id").await?;
    for column in statement.columns() {
        say("column", (column.name(), column.type_info().name(), column.type_info().is_null()));
    }
    for kind in sqlx::query_as::<_, Kind>("SELECT * FROM kinds ORDER BY id").fetch_all(pool).await? {
        say("kind", kind);
    }
    let insert = "INSERT INTO kinds (id, c_tiny, c_big, c_double, c_varchar, c_blob, c_json) VALUES (?, ?, ?, ?, ?, ?, ?)";
    for id in 20_i64..24 {
        let done = sqlx::query(insert).bind(id).bind(-5_i8).bind(u64::MAX).bind(1e300).bind("it's").bind(&[0_u8, 255][..])
            .bind(None::<String>).execute(pool).await?;
        say("inserted", (done.rows_affected(), done.last_insert_id()));
    }
    let row = sqlx::query("SELECT c_big, c_varchar, c_blob, c_json FROM kinds WHERE id = ?").bind(21).fetch_one(pool).await?;
    say("row", (row.get::<u64, _>(0), row.get::<String, _>(1), row.get::<Vec<u8>, _>(2), row.get::<Option<String>, _>(3)));
    say("deleted", sqlx::query("DELETE FROM kinds WHERE id >= ?").bind(20).execute(pool).await?.rows_affected());
    Ok(())
}

async fn statements(pool: &MySqlPool) -> sqlx::Result<()> {
    let groups: Vec<(String, i64, String)> =
        sqlx::query_as("SELECT country, COUNT(*), CAST(SUM(balance) AS CHAR) FROM people GROUP BY country ORDER BY country").fetch_all(pool).await?;
    say("groups", groups);
    let mut rows = sqlx::query_as::<_, (i64, String)>("SELECT id, name FROM people WHERE id <> ? ORDER BY id").bind(5).fetch(pool);
    let (mut count, mut sum) = (0, 0);
    while let Some((id, name)) = rows.try_next().await? {
        count += 1;
        sum += id * name.len() as i64;
    }
    say("stream", (count, sum));
    let plain: Vec<_> = pool.fetch_all("SELECT name FROM people ORDER BY name DESC LIMIT 3").await?;
    say("text", plain.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>());
    let answers = futures_util::future::join_all((1..40).map(|id: i64| async move {
        sqlx::query_scalar::<_, String>("SELECT name FROM people WHERE id = ?").bind(id).fetch_one(pool).await
    })).await;
    say("pool", answers.into_iter().collect::<sqlx::Result<Vec<_>>>()?.join(","));
    Ok(())
}

async fn transactions(pool: &MySqlPool) -> sqlx::Result<()> {
    let count = "SELECT COUNT(*) FROM people WHERE name = 'new'";
    let mut outer = pool.begin().await?;
    sqlx::query("INSERT INTO people (id, name) VALUES (9001, 'new'), (9002, 'new'), (9003, 'new')").execute(&mut *outer).await?;
    let mut inner = outer.begin().await?;
    sqlx::query("DELETE FROM people WHERE id = ?").bind(9002).execute(&mut *inner).await?;
    inner.rollback().await?;
    say("inside", sqlx::query_scalar::<_, i64>(count).fetch_one(&mut *outer).await?);
    drop(outer);
    say("dropped", sqlx::query_scalar::<_, i64>(count).fetch_one(pool).await?);
    let mut kept = pool.begin().await?;
    sqlx::query("INSERT INTO people (id, name) VALUES (9001, 'new')").execute(&mut *kept).await?;
    kept.commit().await?;
    say("kept", sqlx::query_scalar::<_, i64>(count).fetch_one(pool).await?);
    sqlx::query("DELETE FROM people WHERE name = 'new'").execute(pool).await?;
    Ok(())
}

async fn errors(pool: &MySqlPool) {
    for text in ["SELEC 1", "SELECT * FROM nowhere", "INSERT INTO people (id, name) VALUES (1, 'x')", "INSERT INTO people (id, name) VALUES (9, NULL)"] {
        match sqlx::query(text).execute(pool).await {
            Err(sqlx::Error::Database(error)) => say("error", (error.code(), error.kind(), error.message())),
            other => say("no error", other),
        }
    }
}

#[tokio::main]
async fn main() -> sqlx::Result<()> {
    let options = MySqlConnectOptions::new().host(&variable("HOST")).port(variable("PORT").parse().expect("a port"))
        .username(&variable("USER")).password(&variable("PASSWORD")).database("shop");
    let pool = MySqlPoolOptions::new().max_connections(6).connect_with(options.clone()).await?;
    types(&pool).await?;
    statements(&pool).await?;
    transactions(&pool).await?;
    errors(&pool).await;
    let mut one = sqlx::MySqlConnection::connect_with(&options).await?;
    let id: u64 = sqlx::query_scalar("SELECT CONNECTION_ID()").fetch_one(&mut one).await?;
    pool.execute(format!("KILL {id}").as_str()).await?;
    say("killed", sqlx::query("SELECT 1").execute(&mut one).await.is_err());
    let long: String = sqlx::query_scalar("SELECT REPEAT('z', 17000000)").fetch_one(&pool).await?;
    say("long value", long.len());
    pool.close().await;
    Ok(())
}
