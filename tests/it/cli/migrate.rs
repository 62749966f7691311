//! `reelshelf migrate`, and databases that all commands reject.

use super::{add_user, token};
use crate::{
    on_both,
    support::{
        Kind, TestDatabase,
        program::{Program, run, run_with},
    },
};

on_both! {
    async fn migrating_brings_the_schema_up_to_date_and_does_nothing_else(database: TestDatabase) {
        for _ in 0..2 {
            let done = run(&database, &["migrate"], "").expect(0);
            assert_eq!(
                (done.out.as_str(), done.err.lines().last()),
                ("", Some("The database is up to date."))
            );
        }
        database.execute("SELECT id FROM movies").await.unwrap();
        add_user(&database, "olivia", "owner");
        let server = Program::start(&database);
        run(&database, &["migrate"], "").expect(0);
        let token = token(&database, "olivia");
        assert_eq!(crate::cli::status_with(&server, &token).await, 200);
    }
}

/// Every kind of command that opens the database.
const COMMANDS: [&[&str]; 4] =
    [&["migrate"], &["serve", "--listen", "127.0.0.1:0"], &["user", "list"], &["token", "list", "olivia"]];

on_both! {
    async fn a_newer_database_is_refused_and_left_alone(database: TestDatabase) {
        run(&database, &["migrate"], "").expect(0);
        database.execute("INSERT INTO schema_migrations (name, applied_at) VALUES ('9999_later', 0)").await.unwrap();
        for command in COMMANDS {
            run(&database, command, "").refused("newer version of this program");
        }
        database.execute("DELETE FROM schema_migrations WHERE name = '9999_later'").await.unwrap();
        run(&database, &["migrate"], "").expect(0);
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_as_it_was() {
    let database = TestDatabase::new(Kind::Sqlite).await;
    let path = database.address.strip_prefix("sqlite:").unwrap();
    let text = "title,movieFormat\n".repeat(200);
    std::fs::write(path, &text).unwrap();
    for command in COMMANDS {
        run(&database, command, "").refused("not an SQLite database");
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), text);
}

#[tokio::test]
async fn what_postgresql_says_is_handed_on() {
    let database = TestDatabase::new(Kind::Postgres).await;
    let (server, name) = database.address.rsplit_once('/').unwrap();
    let (_, host) = database.address.split_once('@').unwrap();
    for (address, words) in [
        (format!("{server}/no_{name}"), format!("database \"no_{name}\" does not exist")),
        (format!("postgres://postgres:s3cret@{host}"), "password authentication failed".to_owned()),
    ] {
        let done = run_with(&["migrate"], &[("REELSHELF_DATABASE", &address), ("RUST_LOG", "trace")]);
        assert!(!done.err.contains("s3cret"), "{done:?}");
        done.refused(&words);
    }
}

#[test]
fn an_address_that_leads_nowhere_is_refused_without_its_password() {
    for (address, words) in [
        ("films.db", "sqlite:"),
        ("mysql://reelshelf:s3cret@localhost/films", "postgres://"),
        ("postgres://reelshelf:s3cret@127.0.0.1:1/films", "cannot be reached"),
        ("postgres://reelshelf:s3cret@127.0.0.1:none/films", "malformed"),
    ] {
        for command in COMMANDS {
            for environment in [&[][..], &[("RUST_LOG", "trace")]] {
                let done = run_with(&[command, &["--database", address]].concat(), environment);
                assert!(!done.err.contains("s3cret"), "{done:?}");
                done.refused(words);
            }
        }
    }
}
