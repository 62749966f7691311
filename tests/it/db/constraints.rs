//! Constraints of movies in the database itself.

use reelshelf::db::Db;

use crate::{
    on_both,
    support::{Kind, TestDatabase},
};

/// The columns of a valid movie, as SQL.
const VALID: [(&str, &str); 9] = [
    ("id", "1"),
    ("title", "'Heat'"),
    ("movie_format", "'DVD'"),
    ("length", "170"),
    ("release_year", "1995"),
    ("rating", "5"),
    ("version", "1"),
    ("created_at", "0"),
    ("updated_at", "0"),
];

fn insert(id: usize, column: &str, value: &str) -> String {
    let names = VALID.map(|(name, _)| name).join(", ");
    let values = VALID.map(|(name, valid)| match name {
        name if name == column => value.to_owned(),
        "id" => id.to_string(),
        _ => valid.to_owned(),
    });
    format!("INSERT INTO movie_rows ({names}) VALUES ({})", values.join(", "))
}

on_both! {
    async fn the_database_itself_holds_every_limit(service: &Service) {
        let text = |c: &str, n| format!("'{}'", c.repeat(n));
        let control = |n: u32| match service.database.kind {
            Kind::Sqlite => format!("'a' || char({n}) || 'b'"),
            Kind::Postgres => format!("'a' || chr({n}) || 'b'"),
        };
        let mut cases = vec![
            ("id", "0".to_owned(), false),
            ("id", "-1".to_owned(), false),
            ("title", "''".to_owned(), false),
            ("title", text("x", 1), true),
            ("title", text("x", 50), true),
            ("title", text("x", 51), false),
            ("title", text("😀", 50), true),
            ("title", text("😀", 51), false),
            ("title", "' x'".to_owned(), false),
            ("title", "'x '".to_owned(), false),
            ("title", "'a b'".to_owned(), true),
            ("movie_format", "'VHS'".to_owned(), true),
            ("movie_format", "'DVD'".to_owned(), true),
            ("movie_format", "'Streaming'".to_owned(), true),
            ("movie_format", "'dvd'".to_owned(), false),
            ("movie_format", "''".to_owned(), false),
            ("movie_format", "'DVD '".to_owned(), false),
            ("version", "0".to_owned(), false),
            ("version", "1".to_owned(), true),
        ];
        for (column, least, most) in [("length", 0, 500), ("release_year", 1800, 2100), ("rating", 1, 5)] {
            for (value, valid) in [(least - 1, false), (least, true), (most, true), (most + 1, false)] {
                cases.push((column, value.to_string(), valid));
            }
            cases.push((column, "'x'".to_owned(), false));
        }
        for (code, valid) in [(1, false), (9, false), (10, false), (31, false), (32, true), (126, true)] {
            cases.push(("title", control(code), valid));
        }
        for (code, valid) in [(127, false), (128, false), (159, false), (160, true), (0xe9, true)] {
            cases.push(("title", control(code), valid));
        }
        for (column, _) in &VALID[1..] {
            cases.push((column, "NULL".to_owned(), false));
        }
        for (n, (column, value, valid)) in cases.iter().enumerate() {
            let inserted = service.database.execute(&insert(n + 1, column, value)).await;
            assert_eq!(inserted.is_ok(), *valid, "{column} {value}: {inserted:?}");
            if let Err(error) = inserted {
                let error = error.to_lowercase();
                let by_rule = ["constraint", "cannot store", "invalid input syntax"].iter().any(|why| error.contains(why));
                assert!(by_rule, "{column} {value}: {error}");
            }
        }
        assert!(service.database.execute(&insert(1000, "", "")).await.is_ok());
        assert!(service.database.execute(&insert(1000, "", "")).await.is_err(), "an id is used once");
        for (column, value, valid) in cases.iter().filter(|(column, ..)| *column != "id") {
            let update = format!("UPDATE movie_rows SET {column} = {value} WHERE id = 1000");
            assert_eq!(service.database.execute(&update).await.is_ok(), *valid, "{update}");
        }
    }
}

#[tokio::test]
async fn sqlite_checks_a_row_without_a_temporary_table_or_pattern() {
    let database = TestDatabase::new(Kind::Sqlite).await;
    Db::open(&database.address).await.unwrap();
    let connection = rusqlite::Connection::open(database.file()).unwrap();
    let change = "INSERT INTO changes (at, user_name, via, kind, movies) VALUES (0, 'olivia', 'password', 'create', 1)";
    for sql in [&insert(1, "", ""), change] {
        let mut steps = connection.prepare(&format!("EXPLAIN {sql}")).unwrap();
        let steps: Vec<String> = steps.query_map([], |row| row.get(1)).unwrap().map(Result::unwrap).collect();
        assert!(steps.iter().any(|step| step == "Insert"), "{steps:?}");
        let slow = |step: &String| ["OpenEphemeral", "Concat"].contains(&step.as_str());
        assert!(!steps.iter().any(slow), "{sql}: {steps:?}");
    }
    connection.execute_batch(change).unwrap();
    let other = change.replace("create", "creation");
    let refused = connection.execute_batch(&other).unwrap_err().to_string();
    assert!(refused.contains("CHECK constraint failed: kind"), "{refused}");
    let ok: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(ok, "ok");
}
